"""What accounts really have: their own balance, where the contract has an operation that shows it.

An answer may say that a create has cost 10 credits while 20 were booked, and a refusal may be charged in
silence. So the balance that is shown is compared with what all projects together say they have cost.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from bluehour.openapi.wording import counted

from ..exchange import Exchange, label_of
from .accounts import Account
from .checker import Check, is_success
from .jobs import Job, Jobs

_SHOWN_AT_LAST = (1.0, 3.0, 11.0)
"""Seconds between further looks at a balance that is not as it should be: books may be kept elsewhere, and
what is shown of them may be some seconds old."""

_READS_IN_A_ROW = 6
_MOST_TOLD = 4

BALANCED = ("credits.account", "refuse.leaves-no-trace")
"""The rules that balances are compared for."""


@dataclass(frozen=True, slots=True)
class _Page:
    """An account, and what it had at first, in credits."""

    account: Account
    balance: int


class Books:
    """The balances of one check.

    Args:
        jobs: what was created, with what each project says that it has cost.
    """

    def __init__(self, check: Check, jobs: Jobs) -> None:
        self._check = check
        self._jobs = jobs
        self._pages: dict[str, _Page] = {}
        self._missing = 0
        self._proven = 0

    def open(self) -> None:
        """Read what the main account has, before anything is tried; its calls are watched from then on."""
        accounts = self._check.accounts
        for account in filter(None, (accounts.main, accounts.second)):
            if account.credits is None and (shown := self._read(account, "what the account has at first")):
                balance, exchange = shown
                self._pages[account.token] = _Page(account, balance)
                if account is accounts.main and exchange.answer:
                    accounts.tell_plan(exchange.answer.field("tier"))
        if accounts.main.token in self._pages:
            self._expect_steady(accounts.main)
            self._check.sender.watch_account(accounts.main.label, self.prove)

    def _expect_steady(self, account: Account) -> None:
        """Read a balance several times in a row: nothing is spent meanwhile that would come back at once."""
        reads = [self._read(account, "the same balance again") for _ in range(_READS_IN_A_ROW)]
        known = [each for each in reads if each is not None]
        runs = [balance for balance, _ in groupby(balance for balance, _ in known)]
        if known:
            told = ", ".join(map(str, runs[:_MOST_TOLD]))
            message = f"Read {len(known)} times in a row, with nothing in between, the balance is {told}"
            steady = len(runs) == len(set(runs))
            self._check.expect("credits.account", known[-1][1], steady, message, "credits")

    def prove(self) -> int:
        """Read the main account's balance, and return what is missing that was not missing before.

        Jobs under way may still give something back, so nobody minds a balance that is too high yet.
        """
        page = self._pages[self._check.accounts.main.token]
        missing, exchange = self._missing_of(page, known=self._missing)
        news = max(0, missing - self._missing)
        if exchange is not None:
            self._tell(page, news, exchange)
        self._missing += news
        return news

    def close(self) -> None:
        """Compare all accounts' balances with what their projects say, once all jobs are over."""
        main = self._check.accounts.main
        pages = {
            job.account.token: _Page(job.account, job.account.credits)
            for job in self._jobs.all
            if job.account.credits is not None
        }
        for page in {**pages, **self._pages}.values():
            known = self._missing if page.account.token == main.token else 0
            missing, exchange = self._missing_of(page, known=known, at_the_end=True)
            if missing < known and any(not job.has_ended for job in self._jobs_of(page.account)):
                continue  # something was given back, and for which project can't be read
            if exchange is not None and self._check.balances:
                self._tell(page, missing - known, exchange)

    def _missing_of(
        self, page: _Page, *, known: int, at_the_end: bool = False
    ) -> tuple[int, Exchange | None]:
        """Return the credits that an account lacks, below 0 where it has too many, and what shows it.

        Args:
            known: credits that were missing before; only news are worth a second look.
            at_the_end: whether nothing is given back any more.
        """
        shown, missing = self._compared(page)
        for pause in _SHOWN_AT_LAST[: 1 if self._is_told() else None]:
            if missing <= known and not (at_the_end and missing != known):
                break
            self._check.sleep(pause)
            shown, missing = self._compared(page)
        return missing, shown

    def _is_told(self) -> bool:
        """Tell whether a balance was found wrong before, so that no long wait is needed for another."""
        operations = [label_of(each) for each in self._check.balances]
        return any(self._check.findings.is_broken(rule, at) for rule in BALANCED for at in operations)

    def _compared(self, page: _Page) -> tuple[Exchange | None, int]:
        shown = self._read(page.account, "what the account has now")
        if shown is None:
            return None, 0
        balance, exchange = shown
        return exchange, page.balance - sum(map(_cost, self._jobs_of(page.account))) - balance

    def _refused_since(self, number: int) -> bool:
        """Tell whether something that costs credits was refused after an exchange."""
        later = self._check.sender.exchanges[number:]
        return any(each.reserved and not is_success(each) for each in later)

    def _jobs_of(self, account: Account) -> list[Job]:
        return [job for job in self._jobs.all if job.account.token == account.token]

    def _read(self, account: Account, purpose: str) -> tuple[int, Exchange] | None:
        for operation in self._check.balances:
            exchange = self._check.call(operation, account, purpose=purpose)
            balance = exchange.answer.field("credits") if exchange.answer and is_success(exchange) else None
            if isinstance(balance, int) and not isinstance(balance, bool):
                return balance, exchange
        return None

    def _tell(self, page: _Page, missing: int, exchange: Exchange) -> None:
        """Say whether an account's balance is what its projects make of it."""
        jobs, is_main = self._jobs_of(page.account), page.account.token == self._check.accounts.main.token
        made = [job.made for job in jobs if not is_main or job.made.number > self._proven]
        is_for_refusals = is_main and not made and self._refused_since(self._proven)
        self._proven = exchange.number if is_main else self._proven
        cost = counted(sum(map(_cost, jobs)), "credit")
        message = (
            f"The account had {counted(page.balance, 'credit')}, its {counted(len(jobs), 'project')} cost "
            f"{cost} as they say themselves, and {counted(abs(missing), 'credit')} "
            f"{'more' if missing > 0 else 'less'} than that {'are' if abs(missing) > 1 else 'is'} gone"
        )
        rule_id, refused = BALANCED
        if missing > 0 and is_for_refusals:
            rule_id, message = refused, f"{message}; since the last look no project was made"
        self._check.expect(rule_id, exchange, not missing, message, "credits", related=tuple(made[-3:]))


def _cost(job: Job) -> int:
    """What a project says it has cost, as it was last seen."""
    shown = job.shown("credits_charged")
    if not isinstance(shown, int):
        shown = job.made.answer.field("credits_charged") if job.made.answer else 0
    return shown if isinstance(shown, int) else 0
