"""Request bodies at the edges of a schema: `illegal` ones, each of which breaks one rule, and `legal` ones.

They come from the schema alone, so a bound that the contract changes is tried at its new value.
"""

from __future__ import annotations

from .illegal import Illegal, illegal, unparsable
from .legal import Edge, legal, packed

__all__ = ["Edge", "Illegal", "illegal", "legal", "packed", "unparsable"]
