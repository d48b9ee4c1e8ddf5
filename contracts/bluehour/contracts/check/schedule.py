"""What a check does, in which order: free calls first, then the few that are paid for.

A part runs where any of its rules is asked about; what it sends is judged by all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bluehour.mock_server import interrupts

from ..rules import ALL_RULES, PIXEL_RULES, RULES, Rule
from .books import BALANCED, Books
from .checker import Check
from .jobs import Jobs
from .parts import (
    acceptance,
    credentials,
    money,
    odd,
    parameters,
    paths,
    pixels,
    projects,
    random_bodies,
    refusals,
    resources,
    uploads,
)
from .parts.meeting import meet


@dataclass(frozen=True, slots=True)
class Part:
    """Something that a check does.

    Attributes:
        title: in a few words, for the progress.
        rules: ids and groups of the rules that it is there for.
        run: does it.
    """

    title: str
    rules: tuple[str, ...]
    run: Callable[[Check, Jobs], None]

    def is_for(self, rule: Rule) -> bool:
        """Tell whether it is there for a rule."""
        return rule.id in self.rules or rule.group in self.rules


def parts(check: Check) -> Iterator[Part]:
    """Yield the parts that are needed for the rules that are asked about."""
    every_answer = {each.id for each in RULES if each.group == "answer"}
    for part in PARTS:
        wanted = {each.id for each in ALL_RULES if part.is_for(each)}
        if check.findings.wants(wanted | every_answer):
            yield part
    if check.findings.wants(each.id for each in PIXEL_RULES):
        yield PIXELS


def run(check: Check, jobs: Jobs) -> None:
    """Meet the deployment, then run all parts that are needed.

    Raises:
        NotWelcome, Unreachable: there is nothing to judge, or not any more.
        KeyboardInterrupt: Ctrl-C came.
    """
    needed = list(parts(check))
    check.progress.begin("first contact", 0, len(needed))
    meet(check)
    books = Books(check, jobs)
    books.open()
    for index, part in enumerate(needed):
        interrupts.raise_if_heard()  # at the latest: a part may send nothing
        check.progress.begin(part.title, index, len(needed))
        with check.within_budget(None, *(each.id for each in ALL_RULES if part.is_for(each))):
            part.run(check, jobs)
        check.sender.prove()
    if check.findings.wants(BALANCED):
        check.progress.say("comparing balances")
        books.close()


def _alone(run: Callable[[Check], None]) -> Callable[[Check, Jobs], None]:
    return lambda check, _: run(check)


def _settle(check: Check, jobs: Jobs) -> None:
    jobs.settle()


def _look_again(check: Check, jobs: Jobs) -> None:
    jobs.look_again()


_PROJECTS = ("project", "credits.price", "credits.same", "credits.refund", "download")

_EXAMPLES = (
    *("accept.examples", "upload.usable"),
    *("credits.balance", *BALANCED),
)

_WITH_ITEMS = ("refuse", "accept", "auth", "method")

PARTS = (
    Part("paths and ids that there are not", ("path", "project.unknown"), _alone(paths.try_unknown)),
    Part("odd ids", ("project.unknown",), _alone(paths.try_odd_ids)),
    Part("resources", ("resource",), resources.try_resources),
    Part("uploads", ("upload", "accept.extensions"), _alone(uploads.try_uploads)),
    Part("items to try it with", _WITH_ITEMS, resources.make_items),
    Part("illegal bodies", refusals.REFUSED, refusals.try_illegal),
    Part("parameters", (*refusals.REFUSED, *acceptance.ACCEPTED), parameters.try_parameters),
    Part("random illegal bodies", ("refuse.random",), random_bodies.try_random_illegal),
    Part("odd bodies", (), odd.try_odd),
    Part("published examples", (*_EXAMPLES, *_PROJECTS), acceptance.try_examples),
    Part("pictures by other names", ("accept.asset-url", "accept.examples"), acceptance.try_assets),
    Part("illegal bodies, once more", refusals.REFUSED, refusals.try_again),
    Part("methods", ("method",), paths.try_methods),
    Part("ids that are nearly others", ("project.unknown",), paths.try_ids_alike),
    Part("headers and queries", ("accept.headers",), odd.try_headers),
    Part("credentials", ("auth.required", "auth.scheme-case"), credentials.try_credentials),
    Part("another account", ("auth.own-projects", "auth.own-uploads"), credentials.try_other_account),
    Part("assets", ("upload.issued", "upload.broken"), uploads.try_assets),
    Part("an account with no credits", ("credits.empty",), money.try_empty),
    Part("plans", ("credits.plan",), money.try_plan),
    Part("creates side by side", ("credits.balance", "credits.account"), money.try_side_by_side),
    Part("illegal bodies, time after time", refusals.REFUSED, refusals.try_again_and_again),
    Part("legal edges", (*acceptance.ACCEPTED, "credits.balance"), acceptance.try_edges),
    Part("random legal bodies", ("accept.random",), _alone(random_bodies.try_random_legal)),
    Part("waiting for jobs", _PROJECTS, _settle),
    Part("pictures", ("download", "project.complete"), projects.try_pictures),
    Part("the published example", ("project.example",), _alone(projects.try_example)),
    Part("deleting", ("project.delete", "project.deleted", "download.deleted"), projects.try_deleting),
    Part("a last look", _PROJECTS, _look_again),
)

PIXELS = Part("what the editors do to pictures", ("pixels",), pixels.try_pixels)
"""Dear, and so only where its own rules are asked about."""
