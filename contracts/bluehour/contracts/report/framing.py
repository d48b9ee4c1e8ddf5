"""What is the same on every page of a report: its style, its icon, its policy, and what gets into it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from bluehour import mock_server
from bluehour.openapi.wording import counted

from .texts import cut, duration, visible

_TEMPLATES = Path(__file__).parent / "templates"
_MOCK = Path(mock_server.__path__[0])
STYLES = (
    _MOCK / "reference_page" / "static" / "base.css",
    Path(__file__).parent / "static" / "report.css",
)
_ICON = _MOCK / "console" / "static" / "icon.svg"


@cache
def frame(*styles: Path) -> dict[str, Any]:
    """Return a page's `style`, the `policy` that names it by its hash, and its `icon`."""
    style = "\n".join(path.read_text("utf-8") for path in styles)
    # On paper it is light, whatever the screen is.
    style = style.replace("@media (prefers-color-scheme", "@media screen and (prefers-color-scheme")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    icon = base64.b64encode(_ICON.read_bytes()).decode()
    return {
        "style": Markup(style),  # noqa: S704 - our own files
        "policy": f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; "
        "base-uri 'none'; form-action 'none'",
        "icon": f"data:image/svg+xml;base64,{icon}",
    }


def template(folder: Path, name: str, filters: Mapping[str, Callable[..., Any]]) -> Template:
    """Return a template of a folder, which may extend `page.html`, with filters beside jinja's own."""
    environment = Environment(
        loader=FileSystemLoader([folder, _TEMPLATES]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        finalize=_finalized,
    )
    environment.filters |= {"counted": counted, "cut": cut, "duration": duration, **filters}
    return environment.get_template(name)


def _finalized(value: Any) -> Any:
    """Whatever gets into a page goes through here: as Markup it is ours, else it is made visible."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
