"""The deviants that the checker does not find, each with the reason why it must not, or can't."""

from __future__ import annotations

NOT_FOUND: dict[str, str] = {}
