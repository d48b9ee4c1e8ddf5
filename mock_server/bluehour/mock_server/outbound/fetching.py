"""Fetching a file by its URL."""

from __future__ import annotations

from collections.abc import Iterator
from http.client import HTTPResponse
from pathlib import Path

from ..core.assets.files import TooLarge
from .connection import Deadline, answer_to, pieces
from .errors import OutboundError
from .policy import TargetPolicy
from .url import redirected

_MOST_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)


def fetch(url: str, target_file: Path, limit: int, deadline_seconds: float, policy: TargetPolicy) -> None:
    """Fetch a file, following a few redirects. Nothing but the file is touched, and no lock is held.

    Args:
        url: http or https.
        target_file: where its content goes; where an error is raised, there is no such file.
        limit: the largest content, in bytes.
        deadline_seconds: for all of it, from the look-up of the name to the last byte, redirects included.
        policy: which targets may be called; each redirect's is one.

    Raises:
        TooLarge: it is larger than `limit`.
        TargetDenied: the policy denies a target.
        TookTooLong: it was not there in time.
        OutboundError: any other reason why it can't be fetched; the three before, but for TooLarge, are such.
        OSError: the file can't be written.
    """
    deadline = Deadline(deadline_seconds)
    for _ in range(1 + _MOST_REDIRECTS):
        with answer_to("GET", url, policy, deadline) as answer:
            location = answer.getheader("Location")
            if answer.status in _REDIRECTS and location is not None:
                url = redirected(url, location)
                continue
            if not 200 <= answer.status < 300:
                raise OutboundError(f"it answered {answer.status}")
            _write(target_file, _limited(answer, deadline, limit))
            return
    raise OutboundError(f"it redirects more than {_MOST_REDIRECTS} times")


def _limited(answer: HTTPResponse, deadline: Deadline, limit: int) -> Iterator[bytes]:
    """An answer's body, as long as it is not too large."""
    if (answer.length or 0) > limit:
        raise TooLarge
    for piece in pieces(answer, deadline):
        limit -= len(piece)
        if limit < 0:
            raise TooLarge
        yield piece


def _write(path: Path, content: Iterator[bytes]) -> None:
    try:
        with path.open("wb") as file:
            file.writelines(content)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
