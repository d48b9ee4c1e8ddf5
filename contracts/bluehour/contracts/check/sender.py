"""The only one who sends: it keeps the budget and the pace, books what calls cost, and has answers judged."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import nullcontext
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from threading import Lock

from bluehour.mock_server import interrupts
from bluehour.openapi.errors import BluehourError
from bluehour.openapi.model import Operation

from ..exchange import Answer, Exchange, Request
from .budget import Budget, cost_of
from .connection import CUT_OFF, NoAnswer, NotSent
from .wire import LARGEST_ANSWER, LARGEST_FILE, Wire

_RETRIED = 1
"""How often a call that costs nothing is sent again where no answer came."""

_SILENCES = 3
"""Calls in a row without any answer, after which nobody is thought to be there."""

_SILENT_FOR = 2.0
"""How often the time that an answer may take is waited in vain, after which nobody is waited for any more."""

_MADE_UP_FOR = 0.01
"""Of that time, by an answer that came: a network that loses a request now and then ends no long check."""

_MOST_RECEIVED = 32 * 2**20
"""Bytes of all answers together, but for what links lead to: they are kept for the report."""

_TOO_MANY = 429
_LONGEST_WAIT = 600.0
"""Seconds after which it is not worth while to ask again."""

_LONGEST_NUMBER = 9
"""Digits of a Retry-After that are read; more are for ever."""

_MOST_WAITS = 5
"""Refusals for being too fast, of one request, after which it is left."""


class Unreachable(BluehourError):
    """The deployment is not there, or not there any more; the message says why."""


class _NotBegun(KeyboardInterrupt):
    """Ctrl-C came before a request was sent."""


class TooMuch(BluehourError):
    """The deployment answers by more than anybody can keep."""


class TooBusy(BluehourError):
    """The deployment goes on refusing a request for coming too fast."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request that is to be sent, and what is known about it; see `Exchange`."""

    request: Request
    operation: Operation | None = None
    transfer: str = ""
    purpose: str = ""
    account: str = ""
    price: int = 0
    """Credits that it may cost, if it is accepted."""
    fresh: bool = False
    """Whether it is sent on a connection of its own."""
    written_as: Request | None = None
    """What is written down of a request that is too large to be kept."""


@dataclass(frozen=True, slots=True)
class Manners:
    """How to treat a deployment.

    Attributes:
        rate: requests a second at most; 0 for no limit.
        timeout: seconds that an answer may take.
        reconnect: seconds for which a deployment that can't be reached any more is tried again; one that has
            never answered is not.
        is_local: whether it is on this machine, where no network cuts answers off.
    """

    rate: float
    timeout: float
    reconnect: float
    is_local: bool = False


class Sender:
    """Sends calls one after the other.

    Args:
        wire: what carries them.
        budget: what they may cost.
        manners: how fast and how patiently.
        observe: called with every exchange, in the order of their answers.
        sleep: waits for some seconds.
        now: the time, in seconds since the epoch.
    """

    def __init__(
        self,
        wire: Wire,
        budget: Budget,
        manners: Manners,
        observe: Callable[[Exchange], None],
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.budget = budget
        self.exchanges: list[Exchange] = []
        self.sent_again = 0
        self._wire = wire
        self._manners = manners
        self._observe = observe
        self._sleep = sleep
        self._now = now
        self._next_at = 0.0
        self._silences = 0
        self._waited = 0.0
        self._watched = ""
        self._prove: Callable[[], int] | None = None
        self._unproven = 0
        self._received = 0
        self._has_answered = False
        self._dearest: dict[str, int] = {}
        self._lock = Lock()

    def send(self, call: Call) -> Exchange:
        """Send a call, and return what came of it. One that could cost credits is sent twice
        only where it was refused for coming too fast.

        Nothing is sent after Ctrl-C; a call that could cost credits, and is under way by then, is waited for.

        Raises:
            BudgetSpent: it could cost more than is left; it was not sent.
            Unreachable: the deployment can't be reached, or answers nothing, or nothing any more.
            TooMuch: its answers are too large.
            TooBusy: it goes on answering 429.
            KeyboardInterrupt: Ctrl-C came, once what was under way is booked.
        """
        if call.account == self._watched and self._price(call) + self._unproven > self.budget.left:
            self.prove()
        for turn in range(_MOST_WAITS):
            exchange = self._send_until_answered(call)
            if exchange.answer is None or exchange.answer.status != _TOO_MANY:
                return exchange
            if turn < _MOST_WAITS - 1:
                self._sleep(_pause(exchange.answer, turn, self._now()))
        raise TooBusy(f"it goes on answering {_TOO_MANY}, however long it is left in peace")

    def watch_account(self, label: str, prove: Callable[[], int]) -> None:
        """Have an account's refusals proven to be free before they could pass the budget.

        Args:
            label: of the account.
            prove: reads the balance, and returns what is missing that is not booked yet, in credits.
        """
        self._watched, self._prove = label, prove

    def prove(self) -> None:
        """Book what calls have cost without saying so, where the account shows it."""
        prove, self._prove = self._prove, None  # it sends something itself
        if prove is not None:
            self._unproven = 0
            self.budget.book(0, prove())
        self._prove = self._prove or prove

    def send_together(self, calls: Sequence[Call]) -> list[Exchange]:
        """Send calls that cost credits at the same time, each on a connection of its own.

        Those that are under way when Ctrl-C comes are waited for.

        Raises:
            BudgetSpent: all of them could cost more than is left; none was sent.
            KeyboardInterrupt: as of `send`.
        """
        with interrupts.held():
            exchanges = self._sent_together(calls)
        interrupts.raise_if_heard()
        return exchanges

    def _sent_together(self, calls: Sequence[Call]) -> list[Exchange]:
        prices = [self._price(call) for call in calls]
        self.budget.reserve(sum(prices))
        stopped: BaseException | None = None
        with ThreadPoolExecutor(len(calls)) as threads:
            sent = [threads.submit(self._transmit_in_turn, call) for call in calls]
            wait(sent)
        exchanges = []
        for call, price, each in zip(calls, prices, sent, strict=True):
            try:
                at, answer, failure = each.result()
            except BaseException as error:  # told once all are booked
                self.budget.book(price, _booked(error, price))
                stopped = stopped or error
                continue
            try:
                exchanges.append(self._settle(call, price, at, answer, failure))
            except Exception as error:  # it is booked and written down by then
                stopped = stopped or error
        if stopped is not None:
            raise stopped
        return exchanges

    def _send_until_answered(self, call: Call) -> Exchange:
        price = self._price(call)
        retries = 0 if price else _RETRIED
        for left in range(retries, -1, -1):
            self._keep_pace()
            with interrupts.held():  # so that what is sent is booked
                exchange = self._sent(call, price, is_last=not left)
            interrupts.raise_if_heard()
            if exchange is not None:
                self.sent_again += left < retries and exchange.answer is not None
                return exchange
            self._sleep(min(1.0, self._manners.reconnect))
        raise AssertionError("the last turn returns")  # pragma: no cover

    def _sent(self, call: Call, price: int, *, is_last: bool) -> Exchange | None:
        """Send a call once; None where no answer came, and it is to be sent again."""
        self.budget.reserve(price)
        try:
            with nullcontext() if price else interrupts.let_in():
                at, answer, failure = self._transmit(call, fresh=call.fresh or price > 0)
        except BaseException as error:
            self.budget.book(price, _booked(error, price))
            raise
        may_be_the_networks = failure != CUT_OFF or not self._manners.is_local
        if answer is None and not is_last and may_be_the_networks and self._waited < _SILENT_FOR:
            return None
        return self._settle(call, price, at, answer, failure)

    def _price(self, call: Call) -> int:
        """What a call may cost: its operation's price, or what such a call was seen to cost."""
        return max(call.price, self._dearest.get(_key(call), 0)) if call.price else 0

    def _transmit_in_turn(self, call: Call) -> tuple[float, Answer | None, str]:
        self._keep_pace()
        return self._transmit(call, fresh=True)

    def _transmit(self, call: Call, *, fresh: bool) -> tuple[float, Answer | None, str]:
        """Send a request, and return when that was, and the answer, or why there is none."""
        given_up_at = time.monotonic() + self._manners.reconnect
        pause = 0.1
        while True:
            if interrupts.heard():
                raise _NotBegun
            at, began = self._now(), time.monotonic()
            most = LARGEST_FILE if call.transfer else LARGEST_ANSWER
            try:
                answer = self._wire.send(call.request, self._manners.timeout, fresh=fresh, most=most)
            except NoAnswer as error:
                self._count_silence((time.monotonic() - began) / self._manners.timeout)
                return at, None, str(error)
            except NotSent as error:
                if call.transfer:  # a link that leads nowhere; the deployment itself may be well
                    return at, None, f"{call.request.url} can't be reached: {error}"
                if not self._has_answered or time.monotonic() + pause > given_up_at:
                    raise Unreachable(f"{call.request.url} can't be reached: {error}") from error
            else:
                self._count_silence(-_MADE_UP_FOR)
                return at, answer, ""
            self._sleep(pause)
            pause = min(pause * 2, 5.0)

    def _count_silence(self, times: float) -> None:
        with self._lock:
            self._waited = max(0.0, self._waited + times)

    def _keep_pace(self) -> None:
        if not self._manners.rate:
            return
        with self._lock:
            now = time.monotonic()
            wait = self._next_at - now
            self._next_at = max(now, self._next_at) + 1 / self._manners.rate
        if wait > 0:
            self._sleep(wait)

    def _settle(self, call: Call, price: int, at: float, answer: Answer | None, failure: str) -> Exchange:
        """Book what a call has cost, write it down, and have it judged."""
        if answer is None and not (self._has_answered or call.transfer or price):
            raise Unreachable(f"{call.request.url} gave no answer of HTTP: {failure}")
        cost = cost_of(answer, price)
        with self._lock:
            if cost > price > 0:
                self._dearest[_key(call)] = max(cost, self._dearest.get(_key(call), 0))
            exchange = Exchange(
                number=len(self.exchanges) + 1,
                at=at,
                request=call.written_as or call.request,
                answer=answer,
                operation=call.operation,
                transfer=call.transfer,
                purpose=call.purpose,
                account=call.account,
                failure=failure,
                reserved=price,
                booked=cost,
                spent=self.budget.book(price, cost),
            )
            self.exchanges.append(exchange)
            if call.account == self._watched:
                self._unproven += price  # a refusal may be charged, and a create twice
        self._observe(exchange)
        self._watch(call, answer, failure)
        return exchange

    def _watch(self, call: Call, answer: Answer | None, failure: str) -> None:
        """Give up where it is of no use to go on."""
        if answer is not None:
            self._has_answered, self._silences = True, 0
            self._received += 0 if call.transfer else len(answer.body)
        elif not call.transfer:  # a link may lead to another machine
            self._silences += 1
        if self._silences >= _SILENCES:
            raise Unreachable(f"it has not answered {_SILENCES} calls in a row: {failure}")
        if self._waited >= _SILENT_FOR:
            raise Unreachable(f"it leaves calls without an answer, more than are waited for: {failure}")
        if self._received > _MOST_RECEIVED:
            raise TooMuch(f"its answers have more than {_MOST_RECEIVED // 2**20} MiB together")


def _booked(error: BaseException, price: int) -> int:
    """What a call has cost that failed so: one that is stopped on its way may be carried out all the same."""
    return 0 if isinstance(error, Unreachable | _NotBegun) else price


def _key(call: Call) -> str:
    return call.operation.id if call.operation else call.request.method


def _pause(answer: Answer, wait: int, now: float) -> float:
    """Seconds to wait after a 429: what Retry-After says, or else twice as long each time.

    Raises:
        TooBusy: it says longer than anybody waits.
    """
    asked = _asked_for(answer.header("Retry-After") or "", now)
    pause = min(2.0**wait, _LONGEST_WAIT) if asked is None else asked
    if pause > _LONGEST_WAIT:
        raise TooBusy(f"it answers {_TOO_MANY}, and is not to be asked again within {_LONGEST_WAIT:g} s")
    return pause


def _asked_for(retry_after: str, now: float) -> float | None:
    """The seconds that a Retry-After asks for; None where it is neither a number nor a date to come."""
    if retry_after.isdecimal():
        return float(retry_after) if len(retry_after) <= _LONGEST_NUMBER else _LONGEST_WAIT + 1
    try:
        left = parsedate_to_datetime(retry_after).timestamp() - now
    except (TypeError, ValueError, OverflowError):
        return None
    return left if left > 0 else None
