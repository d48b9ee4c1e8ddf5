"""`@contracts.fuzz_client`: a client, a Python function, as a test that fuzzes it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .results import Result
    from .workers.python_worker import Task

_REAL_SECONDS = 20.0

replayed: list[Path] = []
"""Files and folders of scripts to play in place of drawn ones; the pytest plugin's option fills it."""


class ClientBroken(AssertionError):
    """The client breaks a rule; the message has the report."""


class FuzzTest:
    """A test that fuzzes a client. Call it; pytest does so with any function whose name begins with `test`.

    Attributes:
        client: the function that makes an edit.
        refuses: what it may raise as a clean refusal.
    """

    def __init__(self, client: Callable[[Task], Any], options: dict[str, Any]) -> None:
        self.client = client
        self.refuses: tuple[type[BaseException], ...] | None = options.pop("refuses")
        self._options = options

    def __call__(self) -> Result:
        """Fuzz the client.

        Raises:
            ClientBroken: it breaks a rule.
        """
        __tracebackhide__ = True
        result = self._run()
        if result.findings:
            from .report import terminal

            raise ClientBroken(f"\n{terminal(result, colour=False, width=110)}")
        return result

    def _run(self) -> Result:
        import hypothesis

        from openapi.contract import load

        from .clients.function import Function
        from .engine import Options, fuzz, replay
        from .files import save, scripts_in
        from .playing import PATIENCE, Terms
        from .rules import selected
        from .strategies import Profile

        given = self._options
        client = Function(self.client, self.refuses)
        options = Options(
            examples=given["examples"],
            seed=given["seed"],
            profile=Profile(given["profile"]),
            rules=selected(given["only"], given["skip"]),
            terms=Terms(given["timeout"], _REAL_SECONDS, given["patience"] or PATIENCE, given["edits"]),
            pace=given["pace"],
            database=hypothesis.settings().database,
        )
        folders = replayed or [self._beside(path) for path in given["replay"]]
        scripts = [script for path in folders for script in scripts_in(path)]
        result = replay(load(), client, options, scripts) if scripts else None
        if result is None or not (result.findings or replayed):
            result = fuzz(load(), client, options)
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
    timeout: float = 600.0,
    refuses: Sequence[type[BaseException]] | None = None,
    only: Collection[str] = (),
    skip: Collection[str] = (),
    edits: int = 1,
    pace: float | None = None,
    patience: float | None = None,
    replay: Sequence[str | Path] = (),
    save: str | Path | None = None,
) -> Callable[[Callable[[Task], Any]], Callable[[], Result]]:
    """Make a test of a client: a function, sync or async, that is given a `Task` and makes the edit.

    The function's sleeping takes no time. What it returns and may raise is told in docs/fuzz-protocol.md.

    Args:
        examples, seed, profile, only, skip, edits, pace, patience: as of `bluehour fuzz`.
        timeout: seconds that a run may take, on the client's clock.
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
        "edits": edits,
        "pace": pace,
        "patience": patience,
        "replay": replay,
        "save": save,
    }

    def made(client: Callable[[Task], Any]) -> Callable[[], Result]:
        test = FuzzTest(client, dict(options))

        def fuzzed() -> Result:
            __tracebackhide__ = True
            return test()

        # pytest must not see the client's parameter: it would look for a fixture of that name.
        fuzzed.__name__, fuzzed.__qualname__ = client.__name__, client.__qualname__
        fuzzed.__module__, fuzzed.__doc__ = client.__module__, client.__doc__
        for name in ("client", "refuses"):
            setattr(fuzzed, name, getattr(test, name))
        return fuzzed

    return made
