"""What clients were met with: answers, codes, faults, endings of jobs and the order of their states."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise

from ..statuses import OVER
from .performance import Performance
from .script import Place


@dataclass
class Coverage:
    """Counts of what the client has met, each by its name.

    Attributes:
        answers: `create 402 plan_upgrade_required`.
        faults: `create reset-after`.
        transitions: `queued → rendering`; the first state has nothing before its arrow.
        endings: `complete`, `error no_source_face`, `canceled`.
        outcomes: how the client ended: `done`, `refused`, …
        topics: names of those that were played.
        events: what the client's receiver was sent: `image.completed`, `image.completed, an event without…`.
        unanswered: of these, how many got no answer for as long as there was time.
    """

    answers: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    transitions: Counter[str] = field(default_factory=Counter)
    endings: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    topics: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)
    unanswered: int = 0

    def note(self, played: Performance) -> None:
        """Count what a client has met in one performance."""
        self.outcomes[played.ending.outcome] += 1
        for asked in played.asked:
            turn = asked.turn
            self.events.update(each.label for each in asked.delivered)
            self.unanswered += sum(each.is_open for each in asked.delivered)
            if asked.place is None:  # whatever it was, no script has spoken of it
                continue
            if asked.status and not turn.page:
                code = turn.code if asked.status >= 400 else ""
                self.answers[f"{asked.place} {asked.status} {code}".strip()] += 1
            if turn.fault:
                self.faults[f"{asked.place} {turn.fault}"] += 1
            elif turn.page and asked.status >= 400:
                self.faults[f"{asked.place} {asked.status} page"] += 1
        if played.script.gone:
            self.faults["nobody there"] += 1
        self._note_states(played)

    def _note_states(self, played: Performance) -> None:
        states = [asked.state for asked in played.at(Place.POLL) if asked.state]
        for before, after in pairwise(["", *states]):
            if before != after:
                self.transitions[f"{before} → {after}".strip()] += 1
        if states and states[-1] in OVER:
            error = f" {played.script.job_error}" if states[-1] == "error" else ""
            self.endings[f"{states[-1]}{error}"] += 1
