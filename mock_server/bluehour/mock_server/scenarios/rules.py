"""Rules: which requests they fit, and what they then force."""

from __future__ import annotations

import random
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field
from typing import Any

from bluehour.openapi.contract import Contract
from bluehour.openapi.data import from_json
from bluehour.openapi.errors import BluehourError
from bluehour.openapi.wording import cut, listed, quoted

from ..api.effects import Effect, ForcedAnswer
from ..core.stores.notes import Notes
from ..core.wildcard import with_stars

FITTED, ACTED = "fitted", "acted"
"""The counts of a rule: how many requests it fitted, and on how many of them it acted."""

TRANSFERS = ("upload", "download")
"""The two ends of a signed link: no operations of the contract, but rules fit them by these names."""


_LONGEST_INDEX = 9
"""Digits of a list's index; of thousands, Python makes no integer."""


class RuleError(BluehourError):
    """A rule that can't be; the message says why, and what would do."""


@dataclass(slots=True)
class Facts:
    """What of a request rules can ask for."""

    operation: str
    """An operation's id, `upload` or `download`."""
    token: str | None
    raw_body: bytes
    _body: list[Any] = field(default_factory=list)

    @property
    def body(self) -> Any:
        """The body as data, read once; None where it is no JSON."""
        if not self._body:
            try:
                self._body.append(from_json(self.raw_body))
            except ValueError:
                self._body.append(None)
        return self._body[0]


class Rule:
    """One rule. How often it was asked is counted where all processes count.

    Args:
        rule_id: what the control API calls it.
        given: the rule as it was written, legal by its schema.
        contract: knows the operations.
        enabled: whether it is asked; as it was written, where that is not given.
        is_initial: whether it was there at the start, and is what a reset comes back to.

    Raises:
        RuleError: it names an operation that there is not, or contradicts itself.
    """

    def __init__(
        self,
        rule_id: str,
        given: Mapping[str, Any],
        contract: Contract,
        *,
        enabled: bool | None = None,
        is_initial: bool = False,
    ) -> None:
        match = given.get("match", {})
        self.id = rule_id
        self.given = given
        self.enabled: bool = given.get("enabled", True) if enabled is None else enabled
        self.is_initial = is_initial
        self._operation = _operation_named(match.get("operation"), contract)
        self._token = with_stars(match["token"]) if "token" in match else None
        self._body: Mapping[str, Any] = match.get("body", {})
        nth = match.get("nth")
        self._nth = None if nth is None else frozenset([nth] if isinstance(nth, int | float) else nth)
        self._probability: float = match.get("probability", 1)
        self._seed: int = match.get("seed", 0)
        self._times: int | None = given.get("times")
        # A job's end can only be decided where one begins.
        self._only = _makers(contract) if "job" in given else None
        self._effect = _effect(rule_id, given)
        _refuse_contradiction(given, self._operation, contract)

    @property
    def noted(self) -> dict[str, Any]:
        """What it is made of, beside the contract; as data for JSON."""
        return {
            "rule_id": self.id,
            "given": self.given,
            "enabled": self.enabled,
            "is_initial": self.is_initial,
        }

    def renewed(self, contract: Contract) -> Rule:
        """Return the rule as another contract has it.

        Raises:
            RuleError: it can't be under that contract.
        """
        return Rule(**self.noted, contract=contract)

    def switched(self, enabled: bool) -> Rule:
        """Return the rule switched on or off."""
        switched = copy(self)
        switched.enabled = enabled
        return switched

    def as_written(self) -> Rule:
        """Return the rule switched on or off as it was written."""
        return self.switched(self.given.get("enabled", True))

    @property
    def group(self) -> str:
        """What its counts are kept by."""
        return f"rule {self.id}"

    def effect_on(self, facts: Facts, counts: Notes) -> Effect | None:
        """Return what happens to a request, or None where the rule lets it pass. Counts it if it fits."""
        if not self.enabled or not self._fits(facts):
            return None
        number = counts.count(self.group, FITTED)
        if not self._is_chosen(number or 0) or counts.count(self.group, ACTED, self._times) is None:
            return None
        return self._effect

    def _is_chosen(self, number: int) -> bool:
        if self._nth is not None and number not in self._nth:
            return False
        if self._probability >= 1:
            return True
        # The same seed is to draw the same, whichever process works on the request of that number.
        return random.Random(f"{self._seed} {number}").random() < self._probability  # noqa: S311 - as above

    def _fits(self, facts: Facts) -> bool:
        if self._operation is not None and self._operation != facts.operation:
            return False
        if self._only is not None and facts.operation not in self._only:
            return False
        if self._token is not None and not (facts.token and self._token(facts.token)):
            return False
        return all(_same(_field(facts.body, path), value) for path, value in self._body.items())


def _operation_named(name: str | None, contract: Contract) -> str | None:
    if name is None or name in TRANSFERS:
        return name
    for operation in contract.operations:
        if name in (operation.id, f"{operation.method} {operation.path}"):
            return operation.id
    known = listed([*(operation.id for operation in contract.operations), *TRANSFERS], name)
    raise RuleError(f"match.operation: there is no operation {quoted(name)}; there are {known}")


def _effect(rule_id: str, given: Mapping[str, Any]) -> Effect:
    return Effect(
        cause=f"{cut(given.get('name', rule_id))}: {_in_words(given)}",
        answer=_answer(given["answer"]) if "answer" in given else None,
        delay=given.get("delay", 0),
        fault=given.get("fault"),
        drip_seconds=given.get("drip_seconds", 5),
        carry_out=_carries_out(given),
        job=given.get("job"),
    )


def _carries_out(given: Mapping[str, Any]) -> bool:
    carries_out: bool = given.get("carry_out", "answer" not in given and given.get("fault") != "html")
    return carries_out


_THE_SERVERS_OWN = frozenset({"connection", "content-length", "date", "server", "transfer-encoding"})


def _answer(given: Mapping[str, Any]) -> ForcedAnswer:
    headers = dict(given.get("headers", {}))
    for name in headers:
        if name.lower() in _THE_SERVERS_OWN:
            raise RuleError(f"answer.headers: {name} is written by the server itself")
    if "retry_after" in given:
        headers["Retry-After"] = str(int(given["retry_after"]))
    return ForcedAnswer(int(given["status"]), given.get("body"), "body" in given, headers)


def _in_words(given: Mapping[str, Any]) -> str:
    words = []
    if "delay" in given:
        words.append(f"delay {given['delay']:g} s")
    if "answer" in given:
        carried_out = " after it was carried out" if _carries_out(given) else ""
        words.append(f"status {int(given['answer']['status'])}{carried_out}")
    if "fault" in given:
        words.append(given["fault"].replace("_", " "))
    if "job" in given:
        words.append(f"job {cut(given['job'])}")
    return ", ".join(words)


def _refuse_contradiction(given: Mapping[str, Any], operation_id: str | None, contract: Contract) -> None:
    if not given.keys() & {"answer", "delay", "fault", "job"}:
        raise RuleError("the rule does nothing: give it one of answer, delay, fault, job")
    if "answer" in given and "job" in given and not _carries_out(given):
        raise RuleError("answer and job exclude each other: without carry_out: true, there is no job")
    if given.get("fault") == "html" and ("answer" in given or "job" in given or given.get("carry_out")):
        raise RuleError("the fault html is an answer of its own: leave out answer, job and carry_out")
    if "job" in given and operation_id is not None and operation_id not in _makers(contract):
        raise RuleError(f"job: the operation {operation_id} creates no project")
    if given.get("carry_out") is False and given.get("fault") != "drop" and "answer" not in given:
        raise RuleError("carry_out: false goes with the fault drop; otherwise, give an answer")


def _makers(contract: Contract) -> frozenset[str]:
    """The operations that create what gets done by itself: projects, and another contract's jobs."""
    made = {each.id for each in contract.operations if "x-project-type" in each.node}
    jobs = {each.operation.id for each in contract.actions.values() if each.resource.lifecycle and each.makes}
    return frozenset(made | jobs)


def _field(body: Any, path: str) -> Any:
    """A body's field by its dotted path; a number is a list's index."""
    for step in path.split("."):
        if isinstance(body, dict):
            body = body.get(step)
        elif isinstance(body, list) and _is_index(step) and int(step) < len(body):
            body = body[int(step)]
        else:
            return None
    return body


def _is_index(step: str) -> bool:
    return step.isdecimal() and len(step) <= _LONGEST_INDEX


def _same(one: Any, other: Any) -> bool:
    """Equal as JSON has it: 60 is 60.0, but true is not 1."""
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)
