"""Takes a picture of a fuzz's report: `python -m tests.browser.fuzz_screenshot docs/fuzz-report.png`.

The client is the one of tests/faulty_clients that repeats a whole edit when anything goes wrong.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from bluehour.contracts.fuzz.report import html
from tests.faulty_clients.meeting import met
from tests.faulty_clients.registry import FAULTY

from .running import launched_browser

_CLIENT = "repeats-the-whole-edit"


@click.command()
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--dark", is_flag=True, help="As where the system is dark.")
@click.option("--width", default=1100, show_default=True)
@click.option("--height", default=1000, show_default=True)
@click.option("--whole", is_flag=True, help="The whole page, however long.")
def main(target: Path, dark: bool, width: int, height: int, whole: bool) -> None:
    """Save a picture of a report with findings."""
    (client,) = (known for known in FAULTY if known.name == _CLIENT)
    with TemporaryDirectory() as folder, launched_browser() as browser:
        page_file = Path(folder) / "report.html"
        page_file.write_text(html(met(client, seed=0)), "utf-8")
        scheme: Any = "dark" if dark else "light"
        page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
        page.goto(page_file.as_uri())
        page.screenshot(path=target, full_page=whole)


if __name__ == "__main__":
    main()
