"""What the pixel rules look at and how: which edits, what is measured on their pictures, what that shows.

Only `compare` and `faces` need numpy and torch; nothing else imports them before they are asked for.
"""

from __future__ import annotations


class CannotMeasure(Exception):
    """The pictures can't be measured; the message says why, and what to do, in a line."""
