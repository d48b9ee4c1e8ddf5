"""The rules that a client must keep, each with what says so and what to do where it is broken."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .. import selection

if TYPE_CHECKING:
    from bluehour.openapi.contract import Contract


@dataclass(frozen=True, slots=True)
class Rule:
    """Something that every client must do.

    Attributes:
        id: for `--only` and `--skip`; its first part is its group, such as `retry`.
        title: what a client that keeps it does, in a sentence.
        place: what says so.
        advice: what to do where it is broken.
    """

    id: str
    title: str
    place: str
    advice: str

    @property
    def group(self) -> str:
        """The first part of its id."""
        return self.id.partition(".")[0]


RULES: tuple[Rule, ...] = (
    Rule(
        "request.legal",
        "Every request is legal",
        "the contract: paths, request bodies, and security of each operation",
        "Send what the contract wants; the message names every fault.",
    ),
    Rule(
        "request.given",
        "Ids, links and file paths are sent back as they were given",
        "the contract: an id is any string; a file_path is what other requests name",
        "Percent-encode the id as one segment of the path, slashes included; use links and file_path as they "
        "are; create nothing for an upload that failed.",
    ),
    Rule(
        "upload.intact",
        "The bytes that are PUT are the file's",
        "the contract: PUT the file's bytes at upload_url",
        "Read the file in binary mode, and send it as it is: no form, no text mode, no curl --data.",
    ),
    Rule(
        "upload.typed",
        "A PUT has the Content-Type that its link was signed for, or none",
        "X-Amz-SignedHeaders of the link: where content-type is signed, another one is answered 403",
        "Send the file's own type, such as image/jpeg, or none: take out what your library adds by itself.",
    ),
    Rule(
        "pay.once",
        "A job is paid for once",
        "the contract: credits are charged when the request is made; there is no Idempotency-Key",
        "Never send a create again when you can't know whether it was taken: after a time-out, a connection "
        "that was lost, an answer that can't be read. Say so to the caller.",
    ),
    Rule(
        "retry.after",
        "Retry-After is kept",
        "RFC 9110, section 10.2.3: seconds, or a date",
        "Wait for as long as the header says before the same is asked again, or give up.",
    ),
    Rule(
        "retry.backoff",
        "Who is too busy or failing is not asked again at once, nor for ever",
        "the vendor's quick start: 429 and 503 exponential backoff, 500 after a few seconds, 502 after 30",
        "Wait before each new try, longer each time, and give up after a few.",
    ),
    Rule(
        "retry.refused",
        "What was refused for good is not sent again unchanged",
        "the contract: a 4xx other than 429 tells of the request; change it",
        "Hand such an answer to the caller at once.",
    ),
    Rule(
        "poll.pace",
        "Projects are polled no faster than is advised",
        "the contract: x-polling-seconds",
        "Wait between two polls; it is cheaper for both sides.",
    ),
    Rule(
        "poll.end",
        "Who knows that a project is over stops polling",
        "the contract: status; complete, error and canceled are the end",
        "End the loop at each of the three.",
    ),
    Rule(
        "link.expired",
        "A link that has expired is not used again",
        "the contract: links are signed and expire; every GET of the project signs fresh ones",
        "Read the project again for a fresh link, and use that.",
    ),
    Rule(
        "webhook.genuine",
        "An event without the right signature is refused, and changes nothing",
        "the vendor's guide to webhooks: anybody can POST to a receiver; the signature tells who did",
        "Verify the raw body with the secret before it is parsed; answer 401 where that fails.",
    ),
    Rule(
        "webhook.answered",
        "A genuine event is answered by 2xx, whenever it comes",
        "the contract: without such an answer it is sent again; it may come before the create's answer, "
        "after the end is known, or out of order",
        "Answer 2xx once it is verified and kept. Keep what tells of a project that is not known yet, and "
        "leave alone what is no news.",
    ),
    Rule(
        "webhook.once",
        "An event that comes twice is carried out once",
        "the contract: an event is sent until it is answered by 2xx, and so may come again",
        "Remember by type and project id what has been done, before it is done.",
    ),
    Rule(
        "token.host",
        "The token goes to the API alone",
        "the contract: security of operations; signed links need none",
        "Send Authorization to the API's host only, and drop it when a redirect leads elsewhere.",
    ),
    Rule(
        "token.output",
        "The token is never written to an output, nor into an error's message",
        "whoever reads the log could pay with it",
        "Leave headers out of what is logged, or mask them.",
    ),
    Rule(
        "download.intact",
        "What is saved are the bytes that were served, all of them",
        "RFC 9112, section 8: a message that is shorter than it says is incomplete",
        "Compare the length with Content-Length, save under another name first, and rename what is whole.",
    ),
    Rule(
        "download.kept",
        "Every file that came whole is there in the end",
        "the contract: downloads may be several; nothing makes their file names differ",
        "Choose file names that do not meet, such as one with a number.",
    ),
    Rule(
        "end.in-time",
        "It ends within its time",
        "the vendor's guides: give up after ten minutes, or after half an hour at most",
        "Bound every loop and every wait by a total time.",
    ),
    Rule(
        "error.legal",
        "No legal answer makes it crash, or raise an error that nobody meant",
        "the contract: what an answer may be, it will be one day",
        "Read only what you need, expect null, unknown values and fields, and raise an error of your own for "
        "what you can't use.",
    ),
    Rule(
        "error.fault",
        "No failure of the network or the server makes it crash, or raise an error that nobody meant",
        "what lies between a client and a server fails, and the caller has to tell that from a bug",
        "Catch what your HTTP library and your JSON parser raise, and raise an error of your own from it.",
    ),
    Rule(
        "legal.accepted",
        "What goes right is not refused",
        "the contract: every answer was a success, and the project is complete",
        "Accept all that the contract allows: new fields, null, any string and number, any way of writing.",
    ),
    Rule(
        "result.true",
        "It reports success only where there was one",
        "the contract: status of the project",
        "Look at the status, and at what became of the downloads, before you call it done.",
    ),
    Rule(
        "result.credits",
        "The credits that it reports are those that were charged",
        "the contract: credits_charged of a project; on error they are refunded, and the field says so",
        "Report what the last GET of the project says, not what the create has said.",
    ),
)

_OF_PROJECTS = ("upload", "pay", "link", "download", "result", "webhook")
"""Groups of rules that ask for what only `x-` keys tell: prices, projects, assets."""


def rules_of(contract: Contract) -> tuple[Rule, ...]:
    """Return the rules that a contract's clients can be judged by."""
    if any(operation.behaviour for operation in contract.operations):
        return RULES
    return tuple(each for each in RULES if each.group not in _OF_PROJECTS and each.id != "poll.pace")


OF_WEBHOOKS = "webhook"
"""The group of rules that ask for a receiver."""


def with_receiver(rules: frozenset[str], *, is_there: bool) -> frozenset[str]:
    """Return those of some rules that can be judged with a client's receiver, or without one.

    Raises:
        ValueError: none is left.
    """
    left = rules if is_there else frozenset(each for each in rules if rule(each).group != OF_WEBHOOKS)
    if not left:
        raise ValueError("rules of webhooks need a receiver: say where the client's listens, --webhook-url")
    return left


_BY_ID = {rule.id: rule for rule in RULES}


def rule(rule_id: str) -> Rule:
    """Return the rule of that id.

    Raises:
        KeyError: there is none.
    """
    return _BY_ID[rule_id]


def selected(
    only: Collection[str], skip: Collection[str], offered: Collection[Rule] = RULES
) -> frozenset[str]:
    """Return the ids that patterns choose among rules; see `bluehour.contracts.selection`.

    Raises:
        ValueError: a pattern names no rule, or none is left.
    """
    return frozenset(each.id for each in selection.selected(offered, only, skip, "bluehour fuzz"))
