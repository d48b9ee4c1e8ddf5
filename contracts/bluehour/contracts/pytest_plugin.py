"""The pytest plugin: a mock for every test that asks for one, and an error for every illegal request.

pytest imports this module at each of its starts, so what is heavy is imported by the fixtures.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, NoReturn
from uuid import uuid4

import pytest

if TYPE_CHECKING:
    from bluehour.mock_server.control.client import Control, Time
    from bluehour.mock_server.mock import Mock
    from bluehour.openapi.contract import Contract

    from .receiver import Receiver

_TIME_SCALE = 0.01
"""How long a job takes unless a test says: of the real service's 3 seconds 30 ms, enough to be polled."""

_POLL_INTERVAL = "0.01"
"""Seconds between two polls of the vendor's Python SDK, which else sleeps for half a second."""

_MOST_ENTRIES = 10_000
"""Requests of a test that are kept in the journal, and judged."""

_MARKERS = ("magic_hour", "api_mock")
_MARKER = """\
magic_hour(credits=None, plan=None, rules=[], frozen=False, time_scale=0.01, legal=True): \
the mock of the fixture magic_hour. \
credits, plan: of the test's account. \
rules: what is forced on clients, as for the control API. \
frozen: the clock stands still; True, or a time to stand still at. \
time_scale: how long jobs take, in shares of the real service's median; 0 for no time. \
legal: whether a request that breaks the contract is an error of the test."""


class MagicHour:
    """A mock of Magic Hour as one test sees it: nothing of another test is in it.

    Attributes:
        url: its base URL, such as `http://127.0.0.1:41234`.
        token: the bearer token of an account that this test alone has.
        account: the id of that account.
        control: the control API's client.
        clock, accounts, projects, rules, webhooks, journal: that client's parts, to see and force things.
    """

    def __init__(self, control: Control, token: str, account: str) -> None:
        self.url = control.url
        self.token = token
        self.account = account
        self.control = control
        self.clock = control.clock
        self.accounts = control.accounts
        self.projects = control.projects
        self.rules = control.rules
        self.webhooks = control.webhooks
        self.journal = control.journal

    @property
    def credits(self) -> int:
        """How many credits the test's account has left."""
        return self.accounts.get(self.account).credits


@pytest.fixture
def magic_hour(request: pytest.FixtureRequest, _magic_hour_server: _Server) -> Iterator[MagicHour]:
    """A local mock of the Magic Hour API, with an account of its own; the marker `magic_hour` sets it up.

    When the test is over, every request that it sent must have been legal.
    """
    options = _options(request.node)
    magic_hour = _set_up(_magic_hour_server, options)
    request.node.stash[_IN_USE] = magic_hour
    with pytest.MonkeyPatch.context() as patch:
        _ease_clients(patch)
        yield magic_hour
    if _judges(request.config, options):
        _fail_if_illegal(magic_hour, _magic_hour_server.mock.world.contract)


@pytest.fixture
def api_mock(magic_hour: MagicHour) -> MagicHour:
    """The same for suites of other APIs: a mock of the file that the ini option `bluehour_spec` names.

    The marker `api_mock` sets it up as `magic_hour` does.
    """
    return magic_hour


@pytest.fixture
def magic_hour_receiver(magic_hour: MagicHour, _magic_hour_server: _Server) -> Iterator[Receiver]:
    """A webhook's receiver that is registered at the mock, for all events.

    `magic_hour.webhooks.settle()` returns when everything that is due has arrived.
    """
    from bluehour.mock_server.control.client import ControlError

    from .receiver import receiving

    mock = _magic_hour_server.mock
    with receiving(f"whsec_{uuid4().hex}", now=lambda: mock.world.clock.now()) as receiver:
        webhook = magic_hour.webhooks.add(receiver.url, secret=receiver.secret)
        yield receiver
        with suppress(ControlError):  # the test has removed it itself
            magic_hour.webhooks.remove(webhook.id)


@pytest.fixture(scope="session")
def magic_hour_contract(pytestconfig: pytest.Config) -> Contract:
    """The contract that is mocked: operations, schemas, examples, prices."""
    return _contract(pytestconfig)


def _contract(config: pytest.Config) -> Contract:
    """Return Magic Hour's contract, or that of the file that the command line or the ini file names."""
    from bluehour.openapi.contract import load
    from bluehour.openapi.document import MAGIC_HOUR, SpecError

    spec = config.getoption("bluehour_spec") or config.getini("bluehour_spec")
    if spec and not spec.startswith(("http://", "https://")):
        spec = config.rootpath / spec
    try:
        return load(spec or MAGIC_HOUR)
    except SpecError as error:
        raise pytest.UsageError(f"bluehour_spec: {error}") from None


@dataclass(frozen=True, slots=True)
class _Server:
    mock: Mock
    url: str


@pytest.fixture(scope="session")
def _magic_hour_server(magic_hour_contract: Contract) -> Iterator[_Server]:
    """One mock for the session, in a thread of this process: xdist's workers share nothing."""
    from bluehour.mock_server.core.settings import Settings
    from bluehour.mock_server.mock import Mock
    from bluehour.mock_server.server.inprocess import running

    settings = Settings(journal=_MOST_ENTRIES)
    with closing(Mock(magic_hour_contract, settings)) as mock, running(mock) as url:
        yield _Server(mock, url)


# The marker.


@dataclass(frozen=True, slots=True)
class _Options:
    """What the marker `magic_hour` can say; the nearest one to the test wins."""

    credits: int | None = None
    plan: str | None = None
    rules: Sequence[Mapping[str, Any]] = ()
    frozen: bool | Time = False
    time_scale: float = _TIME_SCALE
    legal: bool | None = None


def _options(item: pytest.Item) -> _Options:
    known = {field.name for field in fields(_Options)}
    given: dict[str, Any] = {}
    markers = [each for each in item.iter_markers() if each.name in _MARKERS]
    for marker in reversed(markers):
        if marker.args:
            _refuse(f"say what {marker.args[0]!r} is, as in credits=5")
        for name in marker.kwargs:
            if name not in known:
                _refuse(f"there is no {name}; there are {', '.join(sorted(known))}")
        given |= marker.kwargs
    options = _Options(**given)
    _check(options)
    return options


def _check(options: _Options) -> None:
    """Refuse what the control API would never see."""
    if isinstance(options.rules, str | Mapping) or not isinstance(options.rules, Sequence):
        _refuse(f"rules is a list of rules, not {options.rules!r}")
    if options.legal not in (True, False, None):
        _refuse(f"legal is True or False, not {options.legal!r}")
    scale = options.time_scale
    if isinstance(scale, bool) or not isinstance(scale, int | float) or not 0 <= scale < float("inf"):
        _refuse(f"time_scale is a number from 0, not {scale!r}")


def _refuse(message: str) -> NoReturn:
    # Where an error led to this, the message has it.
    raise pytest.fail.Exception(f"@pytest.mark.magic_hour: {message}", pytrace=False) from None


# A test's beginning.


def _set_up(server: _Server, options: _Options) -> MagicHour:
    from bluehour.mock_server.control.client import Control, ControlError

    control = Control(server.url)
    server.mock.world.settings = replace(server.mock.world.settings, time_scale=options.time_scale)
    try:
        _reset(server.mock, control, options.frozen)
    except (ControlError, ValueError, TypeError) as error:
        _refuse(f"frozen={options.frozen!r} can't be: {error}")
    token = f"mhk_test_{uuid4().hex[:12]}"
    try:
        account_id = _open(server.mock, control, token, options)
    except (ControlError, TypeError) as error:
        _refuse(f"there can be no account with credits={options.credits!r}, plan={options.plan!r}: {error}")
    for number, rule in enumerate(options.rules, 1):
        try:
            control.rules.add(rule)
        except (ControlError, ValueError, TypeError) as error:
            _refuse(f"rule {number} of rules, {rule!r}, can't be: {error}")
    return MagicHour(control, token, account_id)


# What a marker says goes through the control API, which judges it. What most tests want does not: its first
# call reads the API's contract, and doubles the start's time.


def _reset(mock: Mock, control: Control, frozen: bool | Time) -> None:
    if isinstance(frozen, bool):
        mock.world.reset()
        if frozen:
            mock.world.clock.freeze()
    else:
        control.reset(clock=frozen)


def _open(mock: Mock, control: Control, token: str, options: _Options) -> str:
    if options.credits is None and options.plan is None:
        account = mock.world.open_account(token)
        assert account is not None  # noqa: S101 - no token of ours says that it is invalid
        return account.id
    return control.accounts.set(token, credits=options.credits, plan=options.plan).id


def _ease_clients(patch: pytest.MonkeyPatch) -> None:
    """Have the vendor's SDK poll quickly, and have no proxy between a client and the mock."""
    from .loopback import without_proxies

    if "MAGIC_HOUR_POLL_INTERVAL" not in os.environ:
        patch.setenv("MAGIC_HOUR_POLL_INTERVAL", _POLL_INTERVAL)
    for name, value in without_proxies().items():
        patch.setenv(name, value)


# A test's end.


def _judges(config: pytest.Config, options: _Options) -> bool:
    """Whether requests must be legal: the marker decides, then the command line, then the ini file."""
    if options.legal is not None:
        return options.legal
    asked = config.getoption("magic_hour_legal")
    return bool(config.getini("magic_hour_legal")) if asked is None else bool(asked == "on")


def _fail_if_illegal(magic_hour: MagicHour, contract: Contract) -> None:
    from .legality import report

    problem = report(magic_hour.journal.entries(faulty=True), contract)
    if problem:
        pytest.fail(
            f"{problem}\n\nA test that means to send this is marked @pytest.mark.magic_hour(legal=False).",
            pytrace=False,
        )


# What pytest calls.

_IN_USE = pytest.StashKey[MagicHour]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare how to switch off that illegal requests are errors, and what the suite is to check."""
    is_legal = "whether a request to the mock that breaks the contract is an error of its test"
    parser.addini("magic_hour_legal", is_legal, type="bool", default=True)
    text = "an OpenAPI file, or its address, that is mocked in place of Magic Hour's API"
    parser.addini("bluehour_spec", text)
    group = parser.getgroup("magic hour")
    group.addoption("--magic-hour-legal", choices=("on", "off"), help=is_legal)
    group.addoption(
        "--bluehour-replay",
        metavar="FILE",
        action="append",
        default=[],
        help="scripts, a file or a folder, that tests made by fuzz_client play in place of drawn ones",
    )
    _add_options_of_the_suite(group)


def _add_options_of_the_suite(group: pytest.OptionGroup) -> None:
    """Declare what contracts.suite takes; tokens may come by environment variables, as for the command."""
    for name, text in (
        ("url", "the deployment that contracts.suite checks"),
        ("token", "of the account to check with"),
        ("second-token", "of another account"),
        ("empty-token", "of an account that is known to have no credits"),
    ):
        group.addoption(f"--bluehour-{name}", metavar=name.upper(), help=text)
    group.addoption("--bluehour-spec", metavar="FILE_OR_URL", help="another contract than Magic Hour's")
    group.addoption("--bluehour-max-requests", type=int, metavar="N", help="never send more")
    group.addoption("--bluehour-max-credits", type=int, metavar="N", help="never spend more")
    group.addoption("--bluehour-seed", type=int, metavar="N", help="chooses the values that are tried")
    text = "further options of bluehour check, as in --bluehour-check='--header X-Team:pictures --insecure'"
    group.addoption("--bluehour-check", metavar="OPTIONS", default="", help=text)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker, and hand on which scripts are to be replayed."""
    config.addinivalue_line("markers", _MARKER)
    config.addinivalue_line("markers", "api_mock(...): the same for the fixture api_mock.")
    if scripts := config.getoption("bluehour_replay"):
        from .fuzz import testing

        testing.replayed[:] = [config.invocation_params.dir / path for path in scripts]
        config.add_cleanup(testing.replayed.clear)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what a failed test sent, and what it got."""
    report = yield
    magic_hour = item.stash.get(_IN_USE, None)
    # At teardown the mock may be gone already; what was illegal is told by then.
    if magic_hour is not None and report.failed and report.when != "teardown":
        report.sections.append(("magic hour journal", _journal(magic_hour)))
    return report


def _journal(magic_hour: MagicHour) -> str:
    from bluehour.mock_server.control.client import ControlError

    from .transcript import transcript

    try:
        return transcript(magic_hour.journal.entries()) or "no requests"
    except ControlError as error:
        return f"it can't be read: {error}"
