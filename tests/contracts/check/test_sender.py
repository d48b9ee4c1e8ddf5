"""The one who sends: what is sent again and what never is, what is booked, and when it gives up."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from threading import Barrier, Lock
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluehour.contracts.check import sender as sender_module
from bluehour.contracts.check.budget import Budget, BudgetSpent
from bluehour.contracts.check.connection import NoAnswer, NotSent
from bluehour.contracts.check.sender import Call, Manners, Sender, TooBusy, TooMuch, Unreachable
from bluehour.contracts.exchange import Answer, Exchange, Request
from bluehour.mock_server import interrupts
from bluehour.openapi.contract import load
from tests.profiles import examples

Outcome = Answer | BaseException | Callable[[], Answer]

PHOTO = load().operation("aiPhotoEditor.createImage")
FACE = load().operation("aiFaceEditor.editImage")
RECONNECT = 30.0


def answer(status: int = 200, headers: Sequence[tuple[str, str]] = (), **body: Any) -> Answer:
    return Answer(status, tuple(headers), json.dumps(body).encode())


def charging(credits: int) -> Answer:
    return answer(200, credits_charged=credits, frame_cost=credits)


TIMEOUT = 5.0
SILENCE, AWAY = NoAnswer("it did not answer"), NotSent("Connection refused")
TOO_FAST = answer(429)


@dataclass
class Clock:
    """Time that passes only while somebody sleeps."""

    at: float = 1_000.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.slept.append(seconds)
        self.at += seconds

    def monotonic(self) -> float:
        return self.at

    def time(self) -> float:
        return 1_790_000_000.0 + self.at


@dataclass
class Script:
    """A wire that plays outcomes, the last of them for ever."""

    outcomes: list[Outcome]
    sent: list[Request] = field(default_factory=list)
    fresh: list[bool] = field(default_factory=list)
    played: list[Outcome] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def send(self, request: Request, timeout: float, *, fresh: bool, most: int = 0) -> Answer:
        with self._lock:
            self.sent.append(request)
            self.fresh.append(fresh)
            outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
            self.played.append(outcome)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome if isinstance(outcome, Answer) else outcome()


@dataclass
class Bench:
    """A sender with all that it works with."""

    wire: Script
    clock: Clock
    sender: Sender
    observed: list[Exchange]

    @property
    def budget(self) -> Budget:
        return self.sender.budget


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(sender_module, "time", clock)
    return clock


@pytest.fixture
def bench(clock: Clock) -> Callable[..., Bench]:
    def made(*outcomes: Outcome, most: int = 100, rate: float = 0) -> Bench:
        return bench_of(clock, *outcomes, most=most, rate=rate)

    return made


def bench_of(clock: Clock, *outcomes: Outcome, most: int = 100, rate: float = 0) -> Bench:
    wire, observed = Script(list(outcomes)), list[Exchange]()
    manners = Manners(rate=rate, timeout=TIMEOUT, reconnect=RECONNECT)
    sender = Sender(wire, Budget(most), manners, observed.append, clock.sleep, clock.time)
    return Bench(wire, clock, sender, observed)


def call(price: int = 0, **fields: Any) -> Call:
    request = Request("POST" if price else "GET", "http://127.0.0.1:9/v1/x")
    return Call(request, **{"operation": PHOTO if price else None, "price": price, **fields})


# --- a call that costs credits ------------------------------------------------------------------------------


def test_a_priced_call_that_is_not_answered_is_booked_in_full_and_not_sent_again(
    bench: Callable[..., Bench],
) -> None:
    b = bench(SILENCE)
    exchange = b.sender.send(call(10))
    assert (exchange.answer, exchange.failure) == (None, "it did not answer")
    assert (exchange.reserved, exchange.booked, exchange.spent) == (10, 10, 10)
    assert (len(b.wire.sent), b.budget.spent, b.budget.left) == (1, 10, 90)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_priced_call_that_fails_is_booked_in_full_and_not_sent_again(
    bench: Callable[..., Bench], status: int
) -> None:
    b = bench(answer(status))
    assert b.sender.send(call(10)).booked == 10
    assert len(b.wire.sent) == 1


def test_a_priced_call_travels_on_a_connection_of_its_own_and_a_free_one_need_not(
    bench: Callable[..., Bench],
) -> None:
    b = bench(answer())
    for price in (10, 0):
        b.sender.send(call(price))
    assert b.wire.fresh == [True, False]


def test_an_accepted_call_is_booked_at_its_price_and_a_refused_one_at_nothing(
    bench: Callable[..., Bench],
) -> None:
    b = bench(charging(10), answer(400, code="invalid_request"))
    assert [b.sender.send(call(10)).booked for _ in range(2)] == [10, 0]
    assert (b.budget.spent, b.budget.left) == (10, 90)


def test_what_could_pass_the_budget_is_not_sent(bench: Callable[..., Bench]) -> None:
    b = bench(charging(10), most=19)
    b.sender.send(call(10))
    with pytest.raises(BudgetSpent):
        b.sender.send(call(10))
    assert (len(b.wire.sent), b.budget.left, len(b.sender.exchanges)) == (1, 9, 1)


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), SystemExit(1), RuntimeError("a bug")], ids=repr)
def test_what_is_interrupted_may_have_been_carried_out(
    bench: Callable[..., Bench], stop: BaseException
) -> None:
    b = bench(stop)
    with pytest.raises(type(stop)):
        b.sender.send(call(10))
    assert (b.budget.spent, b.budget.left) == (10, 90)


@pytest.mark.parametrize("together", [False, True])
def test_nothing_is_sent_or_booked_once_ctrl_c_came(bench: Callable[..., Bench], together: bool) -> None:
    b = bench(charging(10))
    with interrupts.listening(), interrupts.held():
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            b.sender.send_together([call(10), call(10)]) if together else b.sender.send(call(10))
    assert (b.wire.sent, b.budget.spent, b.budget.left) == ([], 0, 100)


def test_calls_that_are_under_way_together_are_waited_for_and_booked(bench: Callable[..., Bench]) -> None:
    both = Barrier(2, action=lambda: signal.raise_signal(signal.SIGINT))

    def answered() -> Answer:
        both.wait()
        return charging(10)

    b = bench(answered)
    with interrupts.listening(), pytest.raises(KeyboardInterrupt):
        b.sender.send_together([call(10), call(10)])
    assert (b.budget.spent, len(b.sender.exchanges)) == (20, 2)


def test_a_server_that_charges_more_than_its_price_is_reckoned_with(bench: Callable[..., Bench]) -> None:
    b = bench(charging(25), most=60)
    assert (b.sender.send(call(10)).reserved, b.sender.send(call(10)).reserved) == (10, 25)
    assert b.budget.spent == 50
    with pytest.raises(BudgetSpent, match="25 credits may be needed, and 10 are left"):
        b.sender.send(call(10))


def test_a_refusal_that_charges_is_reckoned_with_too(bench: Callable[..., Bench]) -> None:
    b = bench(answer(400, credits_charged=25))
    assert b.sender.send(call(10)).booked == 25
    assert b.sender.send(call(10)).reserved == 25


def test_one_dear_answer_is_not_forgotten_over_cheaper_ones(bench: Callable[..., Bench]) -> None:
    b = bench(charging(25), charging(10), charging(10))
    assert [b.sender.send(call(10)).reserved for _ in range(3)] == [10, 25, 25]


def test_another_operation_keeps_its_own_price(bench: Callable[..., Bench]) -> None:
    b = bench(charging(25))
    b.sender.send(call(10))
    assert b.sender.send(call(1, operation=FACE)).reserved == 1


def test_a_call_without_a_price_never_reserves(bench: Callable[..., Bench]) -> None:
    b = bench(charging(25), most=0)
    exchange = b.sender.send(call(0, operation=PHOTO))
    assert (exchange.reserved, exchange.booked, b.budget.spent) == (0, 0, 0)


# --- a call that is free ------------------------------------------------------------------------------------


def test_a_free_call_is_sent_again_until_it_is_answered(bench: Callable[..., Bench]) -> None:
    b = bench(SILENCE, answer(200))
    assert b.sender.send(call()).answer == answer(200)
    assert (len(b.wire.sent), len(b.sender.exchanges)) == (2, 1)
    assert all(b.clock.slept)


def test_a_free_call_is_left_after_two_silences(bench: Callable[..., Bench]) -> None:
    b = bench(answer(200), SILENCE)
    b.sender.send(call())
    exchange = b.sender.send(call())
    assert (exchange.answer, exchange.failure) == (None, "it did not answer")
    assert len(b.wire.sent) == 3


# --- servers that nobody can judge --------------------------------------------------------------------------


def in_vain(clock: Clock) -> Callable[[], Answer]:
    """Wait as long as an answer may take, and get none."""

    def wait() -> Answer:
        clock.at += TIMEOUT
        raise SILENCE

    return wait


def send_many(b: Bench, count: int) -> None:
    for _ in range(count):
        b.sender.send(call())


def test_who_never_answered_breaks_no_rule_and_is_left_within_two_timeouts(
    bench: Callable[..., Bench], clock: Clock
) -> None:
    b, began = bench(in_vain(clock)), clock.at
    with pytest.raises(Unreachable, match="no answer of HTTP: it did not answer"):
        b.sender.send(call())
    assert b.observed == []
    assert clock.at - began <= 2 * TIMEOUT + 1


def test_who_leaves_calls_unanswered_now_and_then_is_not_waited_for_without_end(
    bench: Callable[..., Bench], clock: Clock
) -> None:
    b, began = bench(*[answer(200), in_vain(clock)] * 100), clock.at
    with pytest.raises(Unreachable, match="more than are waited for"):
        send_many(b, 100)
    assert clock.at - began < 4 * TIMEOUT


def test_a_network_that_loses_a_call_in_a_hundred_ends_no_check(
    bench: Callable[..., Bench], clock: Clock
) -> None:
    b = bench(*[*[answer(200)] * 200, in_vain(clock)] * 10, answer(200))
    send_many(b, 2_000)


def test_who_answers_by_more_than_can_be_kept_is_left(bench: Callable[..., Bench]) -> None:
    b = bench(Answer(200, body=b"x" * 2**20))
    with pytest.raises(TooMuch, match="32 MiB"):
        send_many(b, 50)
    assert len(b.wire.sent) < 40


@pytest.mark.parametrize("status", [200, 302, 404, 500, 503])
def test_an_answer_is_taken_as_it_comes(bench: Callable[..., Bench], status: int) -> None:
    b = bench(answer(status))
    assert b.sender.send(call()).answer == answer(status)
    assert (len(b.wire.sent), b.clock.slept) == (1, [])


# --- too fast -----------------------------------------------------------------------------------------------


def test_a_429_is_waited_for_as_long_as_it_asks_and_sent_again(bench: Callable[..., Bench]) -> None:
    b = bench(answer(429, [("retry-after", "7")]), charging(10))
    exchange = b.sender.send(call(10))
    assert (exchange.number, exchange.booked, b.clock.slept) == (2, 10, [7.0])
    assert [each.booked for each in b.sender.exchanges] == [0, 10]


@pytest.mark.parametrize(
    "said", [(), [("Retry-After", "Wed, 21 Oct 2015 07:28:00 GMT")], [("Retry-After", "-5")]], ids=repr
)
def test_a_429_that_does_not_say_how_long_is_waited_for_longer_each_time(
    bench: Callable[..., Bench], said: Sequence[tuple[str, str]]
) -> None:
    b = bench(answer(429, said), answer(429, said), answer(429, said), answer(200))
    b.sender.send(call())
    assert b.clock.slept == [1, 2, 4]


@pytest.mark.parametrize("asked", ["61", "600"])
def test_what_a_429_asks_for_is_kept(bench: Callable[..., Bench], asked: str) -> None:
    b = bench(answer(429, [("Retry-After", asked)]), answer(200))
    b.sender.send(call())
    assert b.clock.slept == [float(asked)]


def test_a_429_may_say_by_a_date_when_to_come_again(bench: Callable[..., Bench]) -> None:
    later = formatdate(Clock().time() + 300, usegmt=True)
    b = bench(answer(429, [("Retry-After", later)]), answer(200))
    b.sender.send(call())
    assert 200 < b.clock.slept[0] <= 300


@pytest.mark.parametrize("asked", ["601", "86400", "9" * 400, "9" * 5000])
def test_whoever_is_asked_to_stay_away_for_long_gives_up_and_does_not_come_sooner(
    bench: Callable[..., Bench], asked: str
) -> None:
    b = bench(answer(429, [("Retry-After", asked)]), answer(200))
    with pytest.raises(TooBusy):
        b.sender.send(call())
    assert b.clock.slept == []


@pytest.mark.parametrize("price", [0, 10])
def test_a_server_that_goes_on_with_429_is_left(bench: Callable[..., Bench], price: int) -> None:
    b = bench(TOO_FAST)
    with pytest.raises(TooBusy, match="429"):
        b.sender.send(call(price))
    assert 3 <= len(b.wire.sent) == len(b.sender.exchanges) <= 10
    assert (b.budget.spent, b.budget.left) == (0, 100)


def test_giving_up_is_not_waited_for(bench: Callable[..., Bench]) -> None:
    b = bench(TOO_FAST)
    with pytest.raises(TooBusy):
        b.sender.send(call())
    assert len(b.clock.slept) == len(b.wire.sent) - 1


# --- nobody there -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("price", [0, 10])
def test_a_server_that_was_never_there_is_left_at_once(bench: Callable[..., Bench], price: int) -> None:
    b = bench(AWAY)
    with pytest.raises(Unreachable, match="Connection refused"):
        b.sender.send(call(price))
    assert (len(b.wire.sent), b.clock.slept) == (1, [])
    assert (b.budget.spent, b.budget.left, b.sender.exchanges) == (0, 100, [])


@pytest.mark.parametrize("price", [0, 10])
def test_a_server_that_is_gone_is_tried_again_for_a_while_and_nothing_is_booked(
    bench: Callable[..., Bench], price: int
) -> None:
    b = bench(answer(), AWAY)
    b.sender.send(call(0))
    begun = b.clock.at
    with pytest.raises(Unreachable, match="Connection refused"):
        b.sender.send(call(price))
    assert RECONNECT / 2 < b.clock.at - begun <= RECONNECT
    assert len(b.wire.sent) > 5
    assert (b.budget.spent, b.budget.left, len(b.sender.exchanges)) == (0, 100, 1)


@pytest.mark.parametrize("price", [0, 10])
def test_a_server_that_restarts_is_waited_for(bench: Callable[..., Bench], price: int) -> None:
    b = bench(answer(), AWAY, AWAY, AWAY, answer(200))
    b.sender.send(call(0))
    exchange = b.sender.send(call(price))
    assert (exchange.number, exchange.booked, len(b.wire.sent)) == (2, price, 5)
    assert exchange.at == pytest.approx(b.clock.time())


def test_a_priced_call_is_booked_once_where_it_is_lost_after_a_restart(bench: Callable[..., Bench]) -> None:
    b = bench(answer(), AWAY, SILENCE, charging(10))
    b.sender.send(call(0))
    assert b.sender.send(call(10)).answer is None
    assert (len(b.wire.sent), b.budget.spent) == (3, 10)


def test_after_three_calls_in_silence_nobody_is_thought_to_be_there(bench: Callable[..., Bench]) -> None:
    b = bench(SILENCE)
    for _ in range(2):
        b.sender.send(call(10))
    with pytest.raises(Unreachable, match="has not answered 3 calls in a row: it did not answer"):
        b.sender.send(call(10))
    assert (b.budget.spent, len(b.sender.exchanges), len(b.observed)) == (30, 3, 3)


def test_an_answer_between_them_shows_that_somebody_is_there(bench: Callable[..., Bench]) -> None:
    b = bench(SILENCE, SILENCE, charging(10), SILENCE, SILENCE, charging(10))
    for _ in range(6):
        b.sender.send(call(10))
    assert len(b.sender.exchanges) == 6


def test_a_link_that_leads_nowhere_is_an_answer_that_did_not_come(bench: Callable[..., Bench]) -> None:
    b = bench(AWAY)
    exchange = b.sender.send(call(transfer="download"))
    assert (exchange.answer, exchange.label) == (None, "download")
    assert exchange.failure == "http://127.0.0.1:9/v1/x can't be reached: Connection refused"
    assert b.clock.at - 1_000 < RECONNECT


@pytest.mark.parametrize("transfer", ["upload", "download"])
def test_links_that_lead_nowhere_do_not_end_a_check(bench: Callable[..., Bench], transfer: str) -> None:
    b = bench(AWAY)
    for _ in range(5):
        b.sender.send(call(transfer=transfer))
    assert len(b.sender.exchanges) == 5


# --- at the same time ---------------------------------------------------------------------------------------


def test_calls_are_sent_together_each_on_a_connection_of_its_own(bench: Callable[..., Bench]) -> None:
    meeting = Barrier(4, timeout=60)

    def answered() -> Answer:
        meeting.wait()
        return charging(10)

    b = bench(answered)
    exchanges = b.sender.send_together([call(10, purpose=f"{n}") for n in range(4)])
    assert [(each.number, each.purpose, each.booked) for each in exchanges] == [
        (1, "0", 10),
        (2, "1", 10),
        (3, "2", 10),
        (4, "3", 10),
    ]
    assert b.wire.fresh == [True] * 4
    assert [each.spent for each in exchanges] == [10, 20, 30, 40]
    assert b.observed == b.sender.exchanges == exchanges


def test_all_of_them_are_set_aside_before_the_first_is_sent(bench: Callable[..., Bench]) -> None:
    left: list[int] = []

    def noting() -> Answer:
        left.append(b.budget.left)
        return answer(400)

    b = bench(noting, most=35)
    b.sender.send_together([call(10)] * 3)
    assert left == [5, 5, 5]
    assert (b.budget.spent, b.budget.left) == (0, 35)


def test_none_of_them_is_sent_where_the_budget_does_not_do_for_all(bench: Callable[..., Bench]) -> None:
    b = bench(charging(10), most=39)
    with pytest.raises(BudgetSpent, match="40 credits"):
        b.sender.send_together([call(10)] * 4)
    assert (b.wire.sent, b.budget.left) == ([], 39)


def test_none_of_them_is_sent_twice(bench: Callable[..., Bench]) -> None:
    b = bench(SILENCE, answer(500), charging(10))
    exchanges = b.sender.send_together([call(10)] * 3)
    assert (len(b.wire.sent), b.budget.spent) == (3, 30)
    assert sum(each.answer is None for each in exchanges) == 1


def test_the_dearest_of_them_is_reckoned_with(bench: Callable[..., Bench]) -> None:
    b = bench(charging(30), charging(20), charging(10), most=200)
    b.sender.send_together([call(10)] * 3)
    assert b.sender.send(call(10)).reserved == 30


def test_where_all_of_them_are_silent_all_are_booked_and_written_down(bench: Callable[..., Bench]) -> None:
    b = bench(SILENCE)
    with pytest.raises(Unreachable):
        b.sender.send_together([call(10)] * 5)
    assert (b.budget.spent, b.budget.left) == (50, 50)
    assert len(b.sender.exchanges) == len(b.observed) == 5


def test_where_the_judge_has_enough_all_are_booked_and_written_down(clock: Clock) -> None:
    def enough(_: Exchange) -> None:
        raise RuntimeError("enough")

    manners = Manners(rate=0, timeout=TIMEOUT, reconnect=RECONNECT)
    sender = Sender(Script([charging(10)]), Budget(100), manners, enough, clock.sleep, clock.time)
    with pytest.raises(RuntimeError, match="enough"):
        sender.send_together([call(10)] * 3)
    assert (sender.budget.spent, sender.budget.left, len(sender.exchanges)) == (30, 70, 3)


@pytest.mark.parametrize(("failure", "spent"), [(AWAY, 20), (KeyboardInterrupt(), 30)], ids=repr)
def test_where_one_of_them_ends_the_check_the_others_are_booked(
    bench: Callable[..., Bench], failure: BaseException, spent: int
) -> None:
    meeting = Barrier(3, timeout=60)

    def together(outcome: Answer | BaseException) -> Callable[[], Answer]:
        def play() -> Answer:
            meeting.wait()
            if isinstance(outcome, BaseException):
                raise outcome
            return outcome

        return play

    b = bench(together(charging(10)), together(failure), together(charging(10)), failure)
    with pytest.raises((Unreachable, KeyboardInterrupt)):
        b.sender.send_together([call(10)] * 3)
    assert (b.budget.spent, b.budget.left) == (spent, 100 - spent)


# --- pace and record ----------------------------------------------------------------------------------------


def test_no_more_are_sent_a_second_than_was_asked_for(bench: Callable[..., Bench]) -> None:
    b = bench(answer(200), rate=4)
    for _ in range(9):
        b.sender.send(call())
    assert b.clock.slept == [0.25] * 8
    assert [each.at - b.sender.exchanges[0].at for each in b.sender.exchanges] == [n / 4 for n in range(9)]


def test_who_was_slow_need_not_wait(bench: Callable[..., Bench]) -> None:
    b = bench(answer(200), rate=4)
    b.sender.send(call())
    b.clock.at += 10
    b.sender.send(call())
    b.sender.send(call())
    assert b.clock.slept == [0.25]


def test_those_that_are_sent_together_keep_the_pace_too(bench: Callable[..., Bench]) -> None:
    b = bench(answer(400), rate=4)
    b.sender.send_together([call(1)] * 3)
    assert len(b.clock.slept) == 2


def test_what_is_known_of_a_call_is_in_its_exchange(bench: Callable[..., Bench]) -> None:
    b = bench(charging(10))
    asked = call(10, purpose="a legal edit", account="second")
    exchange = b.sender.send(asked)
    assert exchange == Exchange(
        number=1,
        at=b.clock.time(),
        request=asked.request,
        answer=charging(10),
        operation=PHOTO,
        purpose="a legal edit",
        account="second",
        reserved=10,
        booked=10,
        spent=10,
    )


def outcomes_of(price: int) -> st.SearchStrategy[Outcome]:
    """What may come of a call, on a server that does not charge more than its price."""
    return st.one_of(
        st.just(SILENCE),
        st.just(AWAY),
        st.builds(answer, st.sampled_from([200, 204, 302, 400, 402, 404, 429, 500, 503])),
        st.integers(-5, price).map(charging),
        st.integers(-5, price).map(lambda said: answer(400, credits_charged=said)),
    )


PRICE = 10


@pytest.fixture(scope="module")
def steady() -> Iterator[Clock]:
    with pytest.MonkeyPatch.context() as patch:
        clock = Clock()
        patch.setattr(sender_module, "time", clock)
        yield clock


@examples(150)
@given(
    st.lists(outcomes_of(PRICE), min_size=1, max_size=30),
    st.lists(st.sampled_from([0, PRICE]), min_size=1, max_size=8),
    st.integers(0, 60),
)
def test_whatever_comes_the_budget_is_kept_and_the_books_are_right(
    steady: Clock, outcomes: list[Outcome], prices: list[int], most: int
) -> None:
    b = bench_of(steady, *outcomes, most=most)
    for price in prices:
        before = len(b.wire.played)
        try:
            b.sender.send(call(price))
        except BudgetSpent:
            assert b.budget.left < price
        except (Unreachable, TooBusy):
            pass
        if price:
            played = b.wire.played[before:]
            assert sum(each is not AWAY and not is_refusal(each) for each in played) <= 1
    assert b.budget.spent == sum(each.booked for each in b.sender.exchanges) <= most
    assert b.budget.left == most - b.budget.spent
    assert [each.number for each in b.observed] == list(range(1, len(b.observed) + 1))
    assert b.observed == b.sender.exchanges
    for earlier, later in zip(b.observed, b.observed[1:], strict=False):
        assert later.spent == earlier.spent + later.booked
        assert later.at >= earlier.at


def is_refusal(outcome: Outcome) -> bool:
    return isinstance(outcome, Answer) and 400 <= outcome.status < 500
