"""Patterns as people type them: `*` stands for anything, everything else for itself."""

from __future__ import annotations

import re


def with_stars(pattern: str) -> re.Pattern[str]:
    """Return a compiled pattern, for `fullmatch`, of a text in which `*` stands for anything."""
    return re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL)
