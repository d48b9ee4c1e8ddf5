"""The reports of `bluehour fuzz`: a module for each form, and in it a function from a `Result` to a text.

What all of them show comes through `shown`, which takes the tokens out. `terminal` and `html` are for people,
`finding_text` for the message of a failed test, `as_json` for programs. `saved` tells where scripts were
saved: paths by the findings' places in `Result.findings`, from 0.
"""

from .html import html
from .json_report import as_json
from .terminal import finding_text, terminal

__all__ = ["as_json", "finding_text", "html", "terminal"]
