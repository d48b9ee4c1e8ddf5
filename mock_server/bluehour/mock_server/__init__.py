"""A server that keeps a contract: Magic Hour's API, or any other OpenAPI file."""

__version__ = "0.1.0"
