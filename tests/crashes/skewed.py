"""Bluehour on a machine whose date is wrong, by as many seconds as SKEW in its environment says."""

from __future__ import annotations

import os
import time

_right = time.time
_skew = float(os.environ["SKEW"])


def _wrong() -> float:
    return _right() + _skew


time.time = _wrong

if __name__ == "__main__":
    from bluehour.__main__ import main

    main()
