"""The pages for people lead where they say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

PAGES = sorted(
    page
    for pattern in ("*.md", "docs/**/*.md", "examples/**/*.md")
    for page in ROOT.glob(pattern)
    if ".cache" not in page.parts
)

_LINK = re.compile(r'(?:\]\(|src=")([^)"\s]+)[)"]')
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def links(page: Path) -> Iterator[tuple[Path, str]]:
    """Yield the file and the heading that each link within the repository names."""
    for link in _LINK.findall(page.read_text("utf-8")):
        if "://" not in link:
            path, _, heading = link.partition("#")
            yield (page.parent / path if path else page), heading


def anchors(page: Path) -> set[str]:
    """Return what a page's headings are called in links, as GitHub calls them."""
    headings = _HEADING.findall(page.read_text("utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for target, heading in links(page):
        assert target.exists(), target
        assert not heading or heading in anchors(target), f"{target}#{heading}"


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = {target.name for target, _ in links(folder / "README.md")}
    assert listed == {page.name for page in folder.glob("[0-9]*.md")}


def test_every_decision_fits_on_a_screen() -> None:
    for page in (ROOT / "docs" / "decisions").glob("[0-9]*.md"):
        assert len(page.read_text("utf-8").splitlines()) < 40, page.name
