"""What a person's terminal can show."""

from __future__ import annotations

import os
from typing import TextIO


def is_terminal(stream: TextIO) -> bool:
    """Tell whether a stream is a terminal on which lines can be written over; TERM=dumb says it is none."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def takes_colours(stream: TextIO) -> bool:
    """Tell whether a stream is such a terminal, and nobody has asked for no colours (https://no-color.org)."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR")
