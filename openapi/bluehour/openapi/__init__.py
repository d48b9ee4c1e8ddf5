"""The contract, and reading it: what an OpenAPI document says, and whether a value keeps it."""
