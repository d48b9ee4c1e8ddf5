"""A client of a running mock's control API, for tests and scripts: `Control("http://127.0.0.1:4010")`.

It needs the standard library alone, and imports quickly. The fields are those of `control.yaml` beside it.
"""

from __future__ import annotations

from .control import Control
from .values import (
    Account,
    AccountWithLedger,
    Attempt,
    Booking,
    ClockState,
    Delivery,
    Entry,
    Fault,
    File,
    Filters,
    ForcedAnswer,
    Health,
    Item,
    Match,
    Pictures,
    Process,
    Project,
    Request,
    Response,
    Rule,
    RuleState,
    State,
    Time,
    Violation,
    Webhook,
)
from .wire import ControlError

__all__ = [
    "Account",
    "AccountWithLedger",
    "Attempt",
    "Booking",
    "ClockState",
    "Control",
    "ControlError",
    "Delivery",
    "Entry",
    "Fault",
    "File",
    "Filters",
    "ForcedAnswer",
    "Health",
    "Item",
    "Match",
    "Pictures",
    "Process",
    "Project",
    "Request",
    "Response",
    "Rule",
    "RuleState",
    "State",
    "Time",
    "Violation",
    "Webhook",
]
