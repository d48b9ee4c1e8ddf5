"""How to add an extra to the Bluehour that runs: from where this copy of it was installed.

Every message about something that is not installed ends in what this module says.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any
from urllib.parse import unquote, urlsplit

_NAME = "bluehour"
_ORIGIN = "direct_url.json"


def command_for(extra: str) -> str:
    """Return the command that installs an extra, as `pip install -e '/home/ada/bluehour[inference]'`.

    A copy that came from a package index, or whose origin nobody wrote down, is named `bluehour[inference]`.

    Args:
        extra: its name in pyproject.toml, such as `inference`.
    """
    origin = _origin()
    editable = "-e " if _part(origin, "dir_info").get("editable") is True else ""
    return f"pip install {editable}{shlex.quote(_requirement(origin, extra))}"


def _origin() -> Mapping[str, Any]:
    """Return what the installer wrote of the origin, as PEP 610 has it; nothing if it came from an index."""
    try:
        written = json.loads(distribution(_NAME).read_text(_ORIGIN) or "{}")
    except (PackageNotFoundError, ValueError):
        return {}
    return written if isinstance(written, dict) else {}


def _requirement(origin: Mapping[str, Any], extra: str) -> str:
    name, url = f"{_NAME}[{extra}]", origin.get("url")
    if not isinstance(url, str):
        return name
    parts, version_control = urlsplit(url), _part(origin, "vcs_info")
    if parts.scheme == "file" and not version_control:  # a clone or a wheel on this machine
        return f"{unquote(parts.path)}[{extra}]"
    if version_control:
        revision = version_control.get("requested_revision")
        url = f"{version_control.get('vcs')}+{url}" + (f"@{revision}" if revision else "")
    if subdirectory := origin.get("subdirectory"):
        url += f"#subdirectory={subdirectory}"
    return f"{name} @ {url}"


def _part(origin: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = origin.get(name)
    return part if isinstance(part, dict) else {}
