"""What the editors do to pictures: edits are asked for, waited for, fetched and measured, each once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mock_server.accounts import account_of
from mock_server.rendering.simulated import output_size
from openapi.model import Operation

from ...exchange import Exchange, label_of
from ...rules import PIXEL_RULES
from ..budget import BudgetSpent
from ..checker import Check, answered, code_in, is_success
from ..findings import BUDGET
from ..jobs import Job, Jobs
from ..pixels.edits import FACE, SIZE, Edit, Question, price_of, questions
from ..sender import TooBusy
from .bodies import with_upload
from .projects import expect_complete

if TYPE_CHECKING:
    from ..pixels.gauge import Gauge

_PIXELS_APART = 1
"""Which is what rounding comes to."""


def try_pixels(check: Check, jobs: Jobs) -> None:
    """Make the edits that the rules need, and judge their pictures."""
    asked = questions(check.contract, [rule for rule in PIXEL_RULES if check.findings.wants((rule.id,))])
    for rule_id in check.findings.selected & {rule.id for rule in PIXEL_RULES}:
        if not any(question.rule_id == rule_id for question in asked):
            check.unjudged("the contract has no such editor", "", rule_id)
    studio = _Studio(check, jobs)
    for question in asked:
        studio.make(question)
    jobs.finish(list(studio.jobs.values()))
    studio.fetch()
    if check.gauge is not None:
        _judge(check, check.gauge, studio, asked)


@dataclass
class _Studio:
    """The edits of a check: those that are under way, what came of them, and why others were not made."""

    check: Check
    all_jobs: Jobs
    jobs: dict[Edit, Job] = field(default_factory=dict)
    made: dict[Edit, Exchange] = field(default_factory=dict)
    contents: dict[Edit, bytes] = field(default_factory=dict)
    reasons: dict[Edit, str] = field(default_factory=dict)
    closed: dict[Operation, str] = field(default_factory=dict)
    """Operations that refuse the account, and how."""

    def make(self, question: Question) -> None:
        """Make the edits of a question that are not made yet, all of them or none."""
        missing = [edit for edit in question.edits if edit not in self.made]
        price, left = price_of(missing), self.check.sender.budget.left
        if price > left:
            most = self.check.sender.budget.most
            reason = f"{BUDGET}{price} credits may be needed, and {left} are left of {most}"
            self.reasons.update(dict.fromkeys(missing, reason))
            return
        for edit in missing:
            self._make(edit)

    def _make(self, edit: Edit) -> None:
        if edit.operation in self.closed:
            self.reasons[edit] = self.closed[edit.operation]
            return
        self.check.progress.say(edit.says)
        try:
            exchange, job = self._created(edit)
        except BudgetSpent as error:
            self.reasons[edit] = f"{BUDGET}{error}"
            return
        except TooBusy as error:
            self.reasons[edit] = f"the deployment is too busy: {error}"
            return
        self.made[edit] = exchange
        if job is not None:
            self.jobs[edit] = job
            self.reasons.pop(edit, None)  # there was no budget for all of another question
        else:
            told = exchange.failure or f"{answered(exchange)} {code_in(exchange) or ''}".strip()
            self.reasons[edit] = f"{edit.says} was answered by {told}"
            if 400 <= answered(exchange) < 500:
                self.closed[edit.operation] = self.reasons[edit]

    def _created(self, edit: Edit) -> tuple[Exchange, Job | None]:
        """Create a project; where too many are under way, once those before it have ended."""
        account = self.check.accounts.main
        body = with_upload(self.check, edit.operation, account, edit.body)
        try:
            return self.all_jobs.create(edit.operation, account, body, edit.says, is_plain=True)
        except TooBusy:
            self.all_jobs.finish(list(self.jobs.values()))
            return self.all_jobs.create(edit.operation, account, body, edit.says, is_plain=True)

    def fetch(self) -> None:
        """Fetch the pictures of what is complete."""
        for edit, job in self.jobs.items():
            expect_complete(self.check, job)
            self.check.progress.say(f"fetching {edit.says}")
            if job.status != "complete":
                self.reasons[edit] = f"{edit.says} ended in {job.status or 'nothing that could be read'}"
            elif job.link is None:
                self.reasons[edit] = f"{edit.says} is complete and has no download"
            else:
                self._fetch(edit, job, job.link)

    def _fetch(self, edit: Edit, job: Job, link: str) -> None:
        try:
            exchange = self.check.fetch(link, f"the picture of {edit.says}")
        except TooBusy as error:
            self.reasons[edit] = f"the deployment is too busy: {error}"
            return
        told = exchange.failure or f"{answered(exchange)}"
        self.check.expect(
            "download.link", exchange, is_success(exchange), f"The picture was answered by {told}", "url",
            operation=label_of(edit.operation), related=(job.made,),
        )  # fmt: skip
        if exchange.answer is None or not is_success(exchange):
            self.reasons[edit] = f"the picture of {edit.says} was answered by {told}"
        else:
            self.contents[edit] = exchange.answer.body


def _judge(check: Check, gauge: Gauge, studio: _Studio, asked: list[Question]) -> None:
    from ..pixels.gauge import decoded
    from ..pixels.judging import Pictures, Undecided, fault_in

    for edit, content in list(studio.contents.items()):
        try:
            picture = decoded(content)
        except Exception as error:  # broken files come out of Pillow's decoders as nearly any exception
            del studio.contents[edit]
            studio.reasons[edit] = f"the picture of {edit.says} can't be decoded: {error}"
        else:
            _judge_size(check, studio.made[edit], edit, gauge.source.size, picture.size)
    pictures = Pictures(gauge, studio.contents)
    for number, question in enumerate(asked, 1):
        missing = next((studio.reasons[edit] for edit in question.edits if edit in studio.reasons), "")
        if missing:
            check.unjudged(missing, question.operation, question.rule_id)
            if question.field:
                check.notes.append(f"{question.rule_id} does not know of {question.field}: {missing}")
        elif question.rule_id != SIZE:
            about = question.field or question.rule_id
            check.progress.say(f"measuring {number} of {len(asked)}: {about}")
            try:
                fault = fault_in(question, pictures)
            except Undecided as error:
                check.unjudged(str(error), question.operation, question.rule_id)
                continue
            _tell(check, studio, question, fault)


def _tell(check: Check, studio: _Studio, question: Question, fault: str) -> None:
    """Say what came of a question; the requests are those of its first picture and its last."""
    *others, last = (studio.made[edit] for edit in question.edits)
    numbers = ", ".join(str(each.number) for each in (*others, last))
    message = f"{fault}; requests {numbers}" if others else fault
    check.expect(
        question.rule_id,
        last,
        not fault,
        message,
        question.field,
        operation=label_of(question.operation),
        words=question.words,
        related=tuple(others[:1]),
    )


def _judge_size(
    check: Check, made: Exchange, edit: Edit, source: tuple[int, int], size: tuple[int, int]
) -> None:
    """A face edit has its source's size, as the plan allows; of an unknown plan, no larger and in shape."""
    longest = _longest_edge(check)
    known = longest is not None or edit.operation.project_type != FACE
    wanted = output_size(source, edit.body, longest or max(source))
    if known:
        kept = all(abs(one - other) <= _PIXELS_APART for one, other in zip(size, wanted, strict=True))
        message = f"It is {_told(size)}; of a source of {_told(source)} it should be {_told(wanted)}"
    else:
        scaled = size[0] * source[1] / source[0], size[1] * source[0] / source[1]
        near = abs(size[1] - scaled[0]) <= _PIXELS_APART or abs(size[0] - scaled[1]) <= _PIXELS_APART
        kept = near and max(size) <= max(source)
        message = f"It is {_told(size)}, which is larger than its source of {_told(source)} or out of shape"
    check.expect(
        SIZE, made, kept, message, "resolution" if edit.operation.project_type != FACE else "",
        operation=label_of(edit.operation),
    )  # fmt: skip


def _longest_edge(check: Check) -> int | None:
    """The cap of the account's plan; None where its token does not tell the plan."""
    plans = check.contract.extension("x-plans", {})
    account = account_of(check.accounts.main.token, plans=plans, default_plan="", default_credits=0)
    plan = plans.get(account.plan) if account and check.accounts.made_to_order else None
    return plan["longest-edge"] if plan else None


def _told(size: tuple[int, int]) -> str:
    return f"{size[0]} x {size[1]}"
