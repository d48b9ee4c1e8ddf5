"""A deterministic value that is legal under a JSON Schema, for whatever a contract shows no example of."""

from .fitting import fitted
from .search import NoSample, sample

__all__ = ["NoSample", "fitted", "sample"]
