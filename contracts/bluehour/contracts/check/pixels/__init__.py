"""What the pixel rules look at and how: which edits, what is measured on their pictures, what that shows.

`edits` tells prices without numpy and torch; `compare`, `faces`, `gauge` and `judging` need them, and are
imported once pictures are to be measured.
"""

from __future__ import annotations

from bluehour.openapi.errors import BluehourError


class CannotMeasure(BluehourError):
    """The pictures can't be measured; the message says why, and what to do, in a line."""
