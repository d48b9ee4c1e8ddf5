"""The reports of `bluehour check`: a module for each form, and in it a function from a `Report` to a text.

What all of them show comes through `shown`, which takes the tokens out. `terminal` and `html` are for people,
`junit`, `github` and `sarif` for CI, `as_json` for programs, and `har` for whatever reads HTTP archives.
"""

from .curl import curl
from .github import github, kept_from_the_runner
from .har import har
from .html import html
from .json_report import as_json
from .junit import junit
from .sarif import sarif
from .terminal import finding_of, terminal

__all__ = [
    "as_json",
    "curl",
    "finding_of",
    "github",
    "har",
    "html",
    "junit",
    "kept_from_the_runner",
    "sarif",
    "terminal",
]
