"""Takes a picture of a check's report: `python -m tests.browser.report_screenshot docs/check-report.png`.

The server that is checked has three faults of everyday's making: a bound that is not kept, a refund that does
not show, and a legal text that is too long for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from bluehour.contracts.check.inprocess import AppWire
from bluehour.contracts.check.run import Options, check
from bluehour.contracts.report import html
from bluehour.mock_server.app import create_app
from bluehour.mock_server.core.clock import Clock
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.mock import Mock
from bluehour.openapi.contract import Contract, load

from .running import launched_browser

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


@click.command()
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--dark", is_flag=True, help="As where the system is dark.")
@click.option("--width", default=1100, show_default=True)
@click.option("--height", default=1000, show_default=True)
@click.option("--whole", is_flag=True, help="The whole page, however long.")
def main(target: Path, dark: bool, width: int, height: int, whole: bool) -> None:
    """Save a picture of a report with findings."""
    clock = Clock()
    with (
        closing(Mock(_careless(), Settings(time_scale=0.02), clock=clock)) as mock,
        TemporaryDirectory() as folder,
        launched_browser() as browser,
    ):
        app = _without_refunds(create_app(mock))
        report = check(
            Options(mock.world.base_url, "mhk_live_apikey"), wire=AppWire(app), sleep=clock.advance
        )
        page_file = Path(folder) / "report.html"
        page_file.write_text(html(report), "utf-8")
        scheme: Any = "dark" if dark else "light"
        page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
        page.goto(page_file.as_uri())
        page.screenshot(path=target, full_page=whole)


def _careless() -> Contract:
    """The contract, but for two bounds: one that is forgotten, and one that nobody asked for."""
    document = json.loads(json.dumps(load().document))
    schemas = document["components"]["schemas"]
    del schemas["PhotoEditorRequest"]["properties"]["style"]["properties"]["upscale_fidelity"]["maximum"]
    schemas["FaceEditorRequest"]["properties"]["name"]["maxLength"] = 255
    return Contract(document)


def _without_refunds(app: WSGIApplication) -> WSGIApplication:
    def showing(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "GET" or "/image-projects/" not in environ["PATH_INFO"]:
            return app(environ, start_response)
        started: list[Any] = []
        chunks = app(environ, lambda status, headers, _=None: started.extend((status, headers)))  # type: ignore[arg-type]  # nobody writes by it
        body = b"".join(chunks)
        project = json.loads(body)
        if project.get("status") == "error":
            project["credits_charged"] = project["total_frame_cost"] = 1
            body = json.dumps(project).encode()
        headers = [(name, value) for name, value in started[1] if name != "Content-Length"]
        start_response(started[0], [*headers, ("Content-Length", str(len(body)))])
        return [body]

    return showing


if __name__ == "__main__":
    main()
