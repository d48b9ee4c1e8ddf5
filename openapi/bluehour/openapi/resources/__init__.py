"""What of a contract keeps state: its resources, and what each operation does to one.

Most of it is inferred from the shapes of paths and schemas, and `x-resource` says it where that fails.
"""

from .hints import wrong_hints
from .inference import actions
from .model import Action, Kind, Lifecycle, Resource

__all__ = ["Action", "Kind", "Lifecycle", "Resource", "actions", "wrong_hints"]
