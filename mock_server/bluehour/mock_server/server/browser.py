"""Opening the console in the browser of whoever has started a server."""

from __future__ import annotations

import webbrowser
from threading import Thread
from urllib.parse import quote

import click

from ..control import PREFIX


def show_console(base_url: str, control_token: str | None) -> None:
    """Open it, signed in; say so where there is no browser.

    It is done in a thread of its own: a browser in a terminal returns when it is closed.

    Args:
        base_url: where the server is.
        control_token: what opens the console; None where it is open.
    """
    url = f"{base_url}{PREFIX}"
    sign_in = f"?token={quote(control_token, safe='')}" if control_token else ""

    def show() -> None:
        if not webbrowser.open(url + sign_in):
            click.echo(f"There is no browser to open; the console is at {url}", err=True)

    Thread(target=show, name="bluehour-browser", daemon=True).start()
