"""The picture that is edited where nobody names another."""

from __future__ import annotations

from pathlib import Path

PORTRAIT = Path(__file__).with_name("portrait.jpg")
"""Of Eileen Collins, by NASA, in the public domain; cut out of scikit-image's `astronaut`."""
