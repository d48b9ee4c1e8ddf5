"""Everything that tests someone else against the contract: a deployment, a client, live traffic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .fuzz.testing import ClientBroken, fuzz_client
    from .fuzz.workers.python_worker import Task

__all__ = ["ClientBroken", "Task", "fuzz_client"]


def __getattr__(name: str) -> Any:
    """Import what is asked for only then: pytest imports this package at each of its starts."""
    if name == "Task":
        from .fuzz.workers.python_worker import Task

        return Task
    if name in __all__:
        from .fuzz import testing

        return getattr(testing, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
