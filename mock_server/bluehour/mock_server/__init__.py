"""A server that keeps a contract: Magic Hour's image editors, or any other OpenAPI file."""
