"""How far a check is."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from ..display import Display
from ..exchange import Exchange


@dataclass
class Progress:
    """How far a check is.

    Attributes:
        part: what the check is at.
        detail: what in particular; nothing where the part says it all.
        done, parts: how many parts are over, of how many.
        requests: that were sent, and those of each part.
        spent, left: credits.
        findings: how many there are.
        display: where it is shown.
    """

    part: str = ""
    detail: str = ""
    done: int = 0
    parts: int = 1
    requests: int = 0
    spent: int = 0
    left: int = 0
    findings: int = 0
    part_of: dict[int, str] = field(default_factory=dict)
    display: Display = field(default_factory=Display)

    def begin(self, part: str, done: int, parts: int) -> None:
        """Begin a part."""
        self.part, self.detail, self.done, self.parts = part, "", done, parts
        self.show()

    def say(self, detail: str) -> None:
        """Say what takes its time."""
        self.detail = detail
        self.show()

    def note(self, exchange: Exchange, left: int, findings: int) -> None:
        """Take note of a call."""
        self.requests, self.spent, self.left, self.findings = exchange.number, exchange.spent, left, findings
        self.part_of[exchange.number] = self.part
        self.show()

    def show(self) -> None:
        """Show it; called whenever something has changed."""
        self.display.show(self.done, self.parts, self)

    @property
    def requests_by_part(self) -> Counter[str]:
        """How many requests each part has sent."""
        return Counter(self.part_of.values())

    def __str__(self) -> str:
        """Tell it in a line."""
        found = f"{self.findings} findings" if self.findings != 1 else "1 finding"
        doing = f"{self.part}: {self.detail}" if self.detail else self.part
        return f"{self.requests:,} requests  {self.spent} credits spent, {self.left} left  {found}  {doing}"
