"""The entry point: `bluehour`, and `python -m bluehour`. Ctrl-C is heard before the rest is loaded."""

from __future__ import annotations

import signal
import sys
from typing import NoReturn

from bluehour.mock_server import interrupts

_RUN_UNTIL_CTRL_C = ("serve", "proxy", "work")
_ENDED_EARLY = 3


def main() -> NoReturn:
    """Run the command that the arguments name, and exit.

    After Ctrl-C the exit code claims no success, but that of a command that runs until Ctrl-C.
    """
    stopped = 0 if sys.argv[1:2] and sys.argv[1] in _RUN_UNTIL_CTRL_C else _ENDED_EARLY
    interrupts.listen(stopped)
    code = _run()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # from here on it comes too late
    if interrupts.heard():
        _forget_where_it_came()
        if code == 0:
            code = stopped
            if code:
                sys.stderr.write(f"{interrupts.WORDS}\n")
    sys.exit(code)


def _run() -> int | str | None:
    try:
        from bluehour.mock_server.cli import main as bluehour

        bluehour(prog_name="bluehour")
    except SystemExit as end:
        return end.code
    except BaseException:
        if not interrupts.heard():  # otherwise it is Ctrl-C, or what Ctrl-C has led to
            raise
    return 0


def _forget_where_it_came() -> None:
    """Have Python exit as it is told: with `-m` it ends by SIGINT if that has come out of the last exec()."""
    exec("")  # noqa: S102 - nothing is executed


if __name__ == "__main__":
    main()
