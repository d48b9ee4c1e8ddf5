"""`@contracts.fuzz_client`: a client, a Python function, as a test that fuzzes it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import update_wrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bluehour.openapi.errors import BluehourError

if TYPE_CHECKING:
    from bluehour.openapi.contract import Contract

    from .clients import Client
    from .engine import Options
    from .results import Result
    from .script import Script
    from .workers.python_worker import Task

    _Prepared = tuple[Contract, Client, Options, list[tuple[str, Script]]]

replayed: list[Path] = []
"""Files and folders of scripts to play in place of drawn ones; the pytest plugin's option fills it."""


class ClientBroken(BluehourError, AssertionError):
    """The client breaks a rule; the message has the report."""


class FuzzTest:
    """What fuzzes a client when its test is run.

    Attributes:
        client: the function that does what is wanted.
        refuses: what it may raise as a clean refusal.
    """

    def __init__(self, client: Callable[[Task], Any], options: dict[str, Any]) -> None:
        self.client = client
        self.refuses: tuple[type[BaseException], ...] | None = options.pop("refuses")
        self._options = options

    def run(self, client: Callable[[Task], Any]) -> None:
        """Fuzz the client, with whatever fixtures it takes filled in.

        Raises:
            ClientBroken: it breaks a rule, or can't be run: by the options, or as an extra is not installed.
            KeyboardInterrupt: Ctrl-C has ended it, and no rule was seen broken until then.
        """
        __tracebackhide__ = True
        from ..commands import what_is_missing

        if missing := what_is_missing("contracts.fuzz_client", "hypothesis"):
            raise ClientBroken(missing)
        from .clients import ClientError
        from .report import terminal

        contract, driven, options, scripts = self._prepared(client)
        try:
            result = self._run(contract, driven, options, scripts)
        except ClientError as error:
            raise ClientBroken(f"the client can't be run: {error}") from None
        if result.findings:
            raise ClientBroken(f"\n{terminal(result, colour=False, width=110)}")
        if result.stopped:
            raise KeyboardInterrupt(result.stopped)

    def _prepared(self, client: Callable[[Task], Any]) -> _Prepared:
        """Read the options.

        Raises:
            ClientBroken: one can't be; the message says why, in a line.
        """
        __tracebackhide__ = True
        from bluehour.openapi.contract import load
        from bluehour.openapi.document import MAGIC_HOUR

        from .clients.function import Function
        from .files import scripts_in

        given = self._options
        driven = Function(client, self.refuses, self.client)
        folders = replayed or [self._beside(path) for path in given["replay"]]
        try:
            contract = load(given["spec"] or MAGIC_HOUR, overlays=given["overlays"])
            scripts = [script for path in folders for script in scripts_in(path)]
            return contract, driven, self._engine_options(contract, driven), scripts
        except (BluehourError, ValueError) as error:
            raise ClientBroken(f"contracts.fuzz_client: {error}") from None

    def _engine_options(self, contract: Contract, client: Client) -> Options:
        import hypothesis

        from .engine import Options
        from .playing import Terms
        from .rules import rules_of, selected, with_receiver
        from .stage import webhook_at
        from .strategies import Profile
        from .wanted import wanted_of

        given = self._options
        name, changes = given["operation"], given["request"]
        if name is None and changes is not None:
            raise ValueError("request: say of which operation")
        wanted = None if name is None else wanted_of(contract, name, changes)
        kind = wanted.operation.project_kind if wanted else None
        url, secret = given["webhook_url"], given["webhook_secret"]
        webhook = None if url is None else webhook_at(url, secret, contract, kind)
        files = {"image": given["photo"], "video": given["video"], "audio": given["audio"]}
        return Options(
            examples=given["examples"],
            seed=given["seed"],
            profile=Profile(given["profile"]),
            rules=with_receiver(
                selected(given["only"], given["skip"], rules_of(contract)), is_there=webhook is not None
            ),
            terms=Terms.of(
                client,
                timeout=given["timeout"],
                patience=given["patience"],
                edits=given["edits"],
                files={kind: path and self._beside(path) for kind, path in files.items()},
                wanted=wanted,
                webhook=webhook,
            ),
            pace=given["pace"],
            database=hypothesis.settings().database,
        )

    def _run(
        self, contract: Contract, client: Client, options: Options, scripts: list[tuple[str, Script]]
    ) -> Result:
        from .engine import fuzz, replay
        from .files import save

        result = replay(contract, client, options, scripts) if scripts else None
        if result is None or not (result.findings or replayed):
            result = fuzz(contract, client, options)
        if result.findings and self._options["save"] is not None:
            save(result, self._beside(self._options["save"]))
        return result

    def _beside(self, path: str | Path) -> Path:
        """A path that is meant from the test's own file."""
        return Path(inspect.getfile(self.client)).parent / path


def fuzz_client(
    *,
    examples: int = 200,
    seed: int = 0,
    profile: str = "realistic",
    timeout: float | None = None,
    refuses: Sequence[type[BaseException]] | None = None,
    only: Collection[str] = (),
    skip: Collection[str] = (),
    spec: str | Path | None = None,
    overlays: Sequence[str | Path] = (),
    operation: str | None = None,
    request: Mapping[str, Any] | None = None,
    edits: int = 1,
    pace: float | None = None,
    patience: float | None = None,
    photo: str | Path | None = None,
    video: str | Path | None = None,
    audio: str | Path | None = None,
    webhook_url: str | None = None,
    webhook_secret: str | None = None,
    replay: Sequence[str | Path] = (),
    save: str | Path | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., None]]:
    """Make a test of a client: a function, sync or async, that is given a `task` and does it.

    Its other parameters are fixtures. Its sleeping takes no time. What it returns and may raise is told in
    docs/fuzz-protocol.md.

    Args:
        examples, seed, profile, only, skip, spec, overlays, operation, request, edits, pace, patience,
            webhook_url, webhook_secret: as of `bluehour fuzz`; a file is looked for from the folder in which
            pytest runs.
        timeout: seconds that a run may take, on the client's clock; 1800 where it is None.
        refuses: exception classes that are a clean refusal; None for those of docs/fuzz-protocol.md.
        photo, video, audio: files to upload, from the test's own folder; None for Bluehour's own.
        replay: files or folders of saved scripts that are played first, from the test's own folder.
        save: a folder for found scripts, from the test's own folder.
    """
    options = {
        "examples": examples,
        "seed": seed,
        "profile": profile,
        "timeout": timeout,
        "refuses": None if refuses is None else tuple(refuses),
        "only": only,
        "skip": skip,
        "spec": spec,
        "overlays": tuple(overlays),
        "operation": operation,
        "request": request,
        "edits": edits,
        "pace": pace,
        "patience": patience,
        "photo": photo,
        "video": video,
        "audio": audio,
        "webhook_url": webhook_url,
        "webhook_secret": webhook_secret,
        "replay": replay,
        "save": save,
    }

    return lambda client: _test_of(client, FuzzTest(client, dict(options)))


def _test_of(client: Callable[..., Any], test: FuzzTest) -> Callable[..., None]:
    """A function that pytest takes for a test: it has the client's parameters, but for the task."""
    signature = inspect.signature(client)
    known = list(signature.parameters)
    task = "task" if "task" in known else known[-1]
    fixtures = [parameter for name, parameter in signature.parameters.items() if name != task]
    outer = signature.replace(parameters=fixtures, return_annotation=None)

    def fuzzed(*arguments: Any, **named: Any) -> None:
        __tracebackhide__ = True
        given = outer.bind(*arguments, **named).arguments
        test.run(lambda task_given: client(**given, **{task: task_given}))

    update_wrapper(fuzzed, client)  # the marks below the decorator, too
    vars(fuzzed).pop("__wrapped__")  # or pytest would look for a fixture of the task's name
    fuzzed.__dict__ |= {"__signature__": outer, "client": test.client, "refuses": test.refuses}
    return fuzzed
