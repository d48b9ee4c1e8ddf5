"""`@contracts.fuzz_client`: a client, a Python function, as a test that fuzzes it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Sequence
from functools import update_wrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bluehour.openapi.errors import BluehourError

if TYPE_CHECKING:
    from .results import Result
    from .workers.python_worker import Task

replayed: list[Path] = []
"""Files and folders of scripts to play in place of drawn ones; the pytest plugin's option fills it."""


class ClientBroken(BluehourError, AssertionError):
    """The client breaks a rule; the message has the report."""


class FuzzTest:
    """What fuzzes a client when its test is run.

    Attributes:
        client: the function that makes an edit.
        refuses: what it may raise as a clean refusal.
    """

    def __init__(self, client: Callable[[Task], Any], options: dict[str, Any]) -> None:
        self.client = client
        self.refuses: tuple[type[BaseException], ...] | None = options.pop("refuses")
        self._options = options

    def run(self, client: Callable[[Task], Any]) -> None:
        """Fuzz the client, with whatever fixtures it takes filled in.

        Raises:
            ClientBroken: it breaks a rule, or can't be run.
            KeyboardInterrupt: Ctrl-C has ended it, and no rule was seen broken until then.
        """
        __tracebackhide__ = True
        from .clients import ClientError
        from .report import terminal

        try:
            result = self._run(client)
        except ClientError as error:
            raise ClientBroken(f"the client can't be run: {error}") from None
        if result.findings:
            raise ClientBroken(f"\n{terminal(result, colour=False, width=110)}")
        if result.stopped:
            raise KeyboardInterrupt(result.stopped)

    def _run(self, with_fixtures: Callable[[Task], Any]) -> Result:
        import hypothesis

        from bluehour.openapi.contract import load
        from bluehour.openapi.document import MAGIC_HOUR

        from .clients.function import Function
        from .engine import Options, fuzz, replay
        from .files import save, scripts_in
        from .playing import Terms
        from .rules import rules_of, selected
        from .strategies import Profile

        given = self._options
        contract = load(given["spec"] or MAGIC_HOUR)
        client = Function(with_fixtures, self.refuses, self.client)
        options = Options(
            examples=given["examples"],
            seed=given["seed"],
            profile=Profile(given["profile"]),
            rules=selected(given["only"], given["skip"], rules_of(contract)),
            terms=Terms.of(
                client, timeout=given["timeout"], patience=given["patience"], edits=given["edits"]
            ),
            pace=given["pace"],
            database=hypothesis.settings().database,
        )
        folders = replayed or [self._beside(path) for path in given["replay"]]
        scripts = [script for path in folders for script in scripts_in(path)]
        result = replay(contract, client, options, scripts) if scripts else None
        if result is None or not (result.findings or replayed):
            result = fuzz(contract, client, options)
        if result.findings and given["save"] is not None:
            save(result, self._beside(given["save"]))
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
    edits: int = 1,
    pace: float | None = None,
    patience: float | None = None,
    replay: Sequence[str | Path] = (),
    save: str | Path | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., None]]:
    """Make a test of a client: a function, sync or async, that is given a `task` and makes the edit.

    Its other parameters are fixtures. Its sleeping takes no time. What it returns and may raise is told in
    docs/fuzz-protocol.md.

    Args:
        examples, seed, profile, only, skip, spec, edits, pace, patience: as of `bluehour fuzz`; a file is
            looked for from the folder in which pytest runs.
        timeout: seconds that a run may take, on the client's clock; 1800 where it is None.
        refuses: exception classes that are a clean refusal; None for every class of the client's own or of a
            library's, and OSError's.
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
        "edits": edits,
        "pace": pace,
        "patience": patience,
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
