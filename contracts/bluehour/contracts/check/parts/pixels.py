"""What the editors do to pictures: edits are asked for, waited for, fetched and measured, each once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bluehour.mock_server.core.accounts import account_of
from bluehour.mock_server.rendering.simulated import output_size
from bluehour.openapi.model import Operation
from bluehour.openapi.wording import counted

from ...exchange import ANYWHERE, Exchange, label_of
from ...rules import PIXEL_RULES
from ..budget import BudgetSpent
from ..checker import Check, answered, code_in, is_success
from ..findings import BUDGET
from ..jobs import Job, Jobs
from ..pixels.edits import SIZE, Edit, Question, edits_of, price_of, questions
from ..sender import TooBusy
from .bodies import with_upload
from .projects import expect_complete, in_pixels, told_of_size

if TYPE_CHECKING:
    from ..pixels.gauge import Gauge

_OF_ONE_BODY = frozenset({400, 422})
"""Statuses by which one edit is refused; by any other 4xx, as for want of credits, so are those after it."""

_PIXELS_APART = 1
"""Which is what rounding comes to."""


def try_pixels(check: Check, jobs: Jobs) -> None:
    """Make the edits that the rules need, and judge their pictures; a rehearsal tells each rule's price."""
    rules = [rule for rule in PIXEL_RULES if check.findings.wants((rule.id,))]
    asked = questions(check.contract, rules)
    for rule_id in {rule.id for rule in rules} - {question.rule_id for question in asked}:
        check.unjudged("the contract has no such editor", ANYWHERE, rule_id)
    if not asked:
        return
    studio = _Studio(check, jobs)
    for question in asked:
        studio.make(question)
    studio.fetch()
    if check.gauge is None:
        check.notes.append(_prices(asked))
        _with_pictures(check, studio, asked)
    else:
        _judge_sizes(check, check.gauge, studio)
        _judge(check, check.gauge, studio, _with_pictures(check, studio, asked))


def _prices(asked: Sequence[Question]) -> str:
    """Tell what each rule costs by itself."""
    by_rule: dict[str, list[Question]] = {}
    for question in asked:
        by_rule.setdefault(question.rule_id, []).append(question)
    prices = (f"{rule_id} {counted(price_of(edits_of(each)), 'credit')}" for rule_id, each in by_rule.items())
    return f"Each pixel rule by itself, as they share pictures: {', '.join(prices)}."


@dataclass
class _Studio:
    """The edits of a check: what came of them, and why some have no picture.

    Attributes:
        made: the creates.
        jobs: of those that were accepted.
        contents: the files that were fetched.
        reasons: why edits have no picture; that of one with a picture is out of date.
        left_out: questions that the budget does not do for, and how much it lacks.
        closed: operations that refuse all edits, and how.
    """

    check: Check
    all_jobs: Jobs
    made: dict[Edit, Exchange] = field(default_factory=dict)
    jobs: dict[Edit, Job] = field(default_factory=dict)
    contents: dict[Edit, bytes] = field(default_factory=dict)
    reasons: dict[Edit, str] = field(default_factory=dict)
    left_out: dict[Question, str] = field(default_factory=dict)
    closed: dict[Operation, str] = field(default_factory=dict)

    def reason(self, question: Question) -> str:
        """Return why a question has not all its pictures; nothing where it has."""
        missing = (edit for edit in question.edits if edit not in self.contents)
        return next((self.reasons.get(edit) or self.left_out[question] for edit in missing), "")

    def make(self, question: Question) -> None:
        """Make the edits of a question that are not made yet, all of them or none."""
        missing = [edit for edit in question.edits if edit not in self.made]
        price, budget = price_of(missing), self.check.sender.budget
        if price > budget.left:
            self.left_out[question] = f"{BUDGET}{budget.lacks(price)}"
            return
        for edit in missing:
            self._make(edit)

    def _make(self, edit: Edit) -> None:
        if edit.operation in self.closed:
            self.reasons[edit] = self.closed[edit.operation]
            return
        self.check.progress.say(edit.says)
        with self._or_a_reason(edit):
            self.made[edit], job = self._created(edit)
            if job is None:
                self._refused(edit, self.made[edit])
            else:
                self.jobs[edit] = job

    def _created(self, edit: Edit) -> tuple[Exchange, Job | None]:
        """Create a project; where too many are under way, once those before it have ended."""
        account = self.check.accounts.main
        body = with_upload(self.check, edit.operation, account, edit.body)
        try:
            return self.all_jobs.create(edit.operation, account, body, edit.says, is_plain=True)
        except TooBusy:
            self.all_jobs.finish(list(self.jobs.values()))
            return self.all_jobs.create(edit.operation, account, body, edit.says, is_plain=True)

    def _refused(self, edit: Edit, exchange: Exchange) -> None:
        message = "was accepted without an id" if is_success(exchange) else _message_on(exchange)
        self.reasons[edit] = f"{edit.says} {message}"
        if 400 <= answered(exchange) < 500 and answered(exchange) not in _OF_ONE_BODY:
            self.closed[edit.operation] = self.reasons[edit]

    def fetch(self) -> None:
        """Fetch the pictures, once all jobs have ended or had their time."""
        self.all_jobs.finish(list(self.jobs.values()))
        for edit, job in self.jobs.items():
            expect_complete(self.check, job)
            if job.status != "complete":
                self.reasons[edit] = self._told_of_end(edit, job)
            elif job.link is None:
                self.reasons[edit] = f"{edit.says} is complete and has no download"
            else:
                with self._or_a_reason(edit):
                    self._fetch(edit, job, job.link)

    def _told_of_end(self, edit: Edit, job: Job) -> str:
        if not job.status:
            return f"the project of {edit.says} could not be read"
        if not job.has_ended:
            return f"{edit.says} is still {job.status} after {self.check.patience:g} s"
        error = job.shown("error")
        code = error.get("code") if isinstance(error, dict) else None
        return f"{edit.says} ended in {job.status}{f', {code}' if code else ''}"

    def _fetch(self, edit: Edit, job: Job, link: str) -> None:
        self.check.progress.say(f"fetching {edit.says}")
        exchange = self.check.fetch(link, f"the picture of {edit.says}")
        message = _message_on(exchange)
        self.check.expect(
            "download.link", exchange, is_success(exchange), f"The picture {message}", "url",
            operation=label_of(edit.operation), related=(job.made,),
        )  # fmt: skip
        if exchange.answer is None or not is_success(exchange):
            self.reasons[edit] = f"the picture of {edit.says} {message}"
        else:
            self.contents[edit] = exchange.answer.body

    @contextmanager
    def _or_a_reason(self, edit: Edit) -> Iterator[None]:
        """Do what may be out of reach, and remember why it was."""
        try:
            yield
        except BudgetSpent as error:
            self.reasons[edit] = f"{BUDGET}{error}"
        except TooBusy as error:
            self.reasons[edit] = f"the deployment is too busy: {error}"


def _message_on(exchange: Exchange) -> str:
    if exchange.answer is None:
        return f"got no answer: {exchange.failure}"
    return f"was answered by {answered(exchange)} {code_in(exchange) or ''}".rstrip()


def _with_pictures(check: Check, studio: _Studio, asked: Sequence[Question]) -> list[Question]:
    """Return the questions that have their pictures, and say why the others have not."""
    fields: dict[tuple[str, str], list[str]] = {}
    shown = []
    for question in asked:
        reason = studio.reason(question)
        if not reason:
            shown.append(question)
            continue
        check.unjudged(reason, question.operation, question.rule_id)
        if question.field:
            fields.setdefault((question.rule_id, reason), []).append(question.field)
    # A rule that nothing is known of is told of by its verdict; one that is known in part looks kept.
    known = {question.rule_id for question in shown}
    check.notes += [
        f"{rule_id} leaves out {', '.join(named)}: {reason}"
        for (rule_id, reason), named in fields.items()
        if rule_id in known
    ]
    return shown


def _judge(check: Check, gauge: Gauge, studio: _Studio, shown: Sequence[Question]) -> None:
    from ..pixels.judging import Pictures, Undecided, fault_in

    asked = [question for question in shown if question.rule_id != SIZE]  # judged by then, of every picture
    pictures = Pictures(gauge, studio.contents)
    for number, question in enumerate(asked, 1):
        check.progress.say(f"measuring {number} of {len(asked)}: {question.field or question.rule_id}")
        try:
            fault = fault_in(question, pictures)
        except Undecided as error:
            check.unjudged(str(error), question.operation, question.rule_id)
        else:
            _tell(check, studio, question, fault)


def _tell(check: Check, studio: _Studio, question: Question, fault: str) -> None:
    """Say what came of a question; the requests are those of its first picture and its last."""
    *others, last = (studio.made[edit] for edit in question.edits)
    numbers = ", ".join(str(each.number) for each in (*others, last))
    check.expect(
        question.rule_id,
        last,
        not fault,
        f"{fault}; requests {numbers}" if others else fault,
        question.field,
        operation=label_of(question.operation),
        words=question.words,
        related=tuple(others[:1]),
    )


def _judge_sizes(check: Check, gauge: Gauge, studio: _Studio) -> None:
    """Judge the size of every picture; what can't be decoded is none."""
    from ..pixels.pictures import NoPicture, decoded

    longest = _longest_edge(check)
    for edit, content in list(studio.contents.items()):
        try:
            size = decoded(content).size
        except NoPicture as error:
            del studio.contents[edit]
            studio.reasons[edit] = f"the picture of {edit.says} can't be decoded: {error}"
            continue
        fault = _fault_of_size(edit, gauge.source.size, size, longest)
        field = "resolution" if "resolution" in edit.body else ""
        check.expect(SIZE, studio.made[edit], not fault, fault, field, operation=label_of(edit.operation))


def _longest_edge(check: Check) -> int | None:
    """The cap of the account's plan; None where its token does not tell the plan."""
    plans = check.contract.extension("x-plans", {})
    account = account_of(check.accounts.main.token, plans=plans, default_plan="", default_credits=0)
    plan = plans.get(account.plan) if account and check.accounts.made_to_order else None
    return plan["longest-edge"] if plan else None


def _fault_of_size(edit: Edit, source: tuple[int, int], size: tuple[int, int], longest: int | None) -> str:
    """Say what is wrong with a picture's size; nothing where it is right.

    It is what was asked for, or else the source's, as the plan allows; of an unknown plan, no larger and in
    shape.
    """
    if longest is None and "resolution" not in edit.body:
        if max(size) <= max(source) and _is_in_shape(source, size):
            return ""
        return (
            f"It is {in_pixels(size)}, which is larger than its source of {in_pixels(source)} or out of shape"
        )
    wanted = output_size(source, edit.body, longest or max(source))
    if all(abs(one - other) <= _PIXELS_APART for one, other in zip(size, wanted, strict=True)):
        return ""
    return told_of_size(size, source, wanted)


def _is_in_shape(source: tuple[int, int], size: tuple[int, int]) -> bool:
    """Tell whether either side is what the other one makes it."""
    width, height = size[1] * source[0] / source[1], size[0] * source[1] / source[0]
    return abs(size[0] - width) <= _PIXELS_APART or abs(size[1] - height) <= _PIXELS_APART
