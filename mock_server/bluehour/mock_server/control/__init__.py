"""The control API and the console under /_mock: see and force everything in a running mock.

`add_routes` puts them into the application; `client` speaks to the API from tests and scripts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

PREFIX = "/_mock"
"""The path below which all of it is; `control.yaml` and the console's page write it out."""

if TYPE_CHECKING:
    from flask import Flask

    from ..mock import Mock


def add_routes(app: Flask, mock: Mock) -> None:
    """Serve the control API, its events and the console."""
    # Imported here: whoever takes the client alone needs no Flask.
    from .routes import add_routes as add

    add(app, mock)
