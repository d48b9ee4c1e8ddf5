"""A reply as it is to be sent: with a head that says where it ends, and its file opened."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from ..api.reply import Disruption, Events, Reply
from .files import OpenFile
from .heads import Head, answer_head, date

_WITHOUT_BODY = frozenset((204, 304))


@dataclass(slots=True)
class Outgoing:
    """What is sent.

    Attributes:
        head: with the empty line at its end.
        content: what follows it.
        is_last: whether the connection ends with it.
        disruption: what is to go wrong.
    """

    head: bytes
    content: bytes | OpenFile | Events
    is_last: bool
    disruption: Disruption | None = None

    @property
    def is_endless(self) -> bool:
        """Whether its content goes on for ever."""
        return not isinstance(self.content, bytes | OpenFile)

    def close(self) -> None:
        """Let go of its file."""
        if isinstance(self.content, OpenFile):
            self.content.close()


def outgoing(reply: Reply, head: Head | None = None, *, is_last: bool = False) -> Outgoing:
    """Make a reply ready. It may read from a disk where the reply is a file.

    Args:
        reply: of the application.
        head: of the request; None where there is none.
        is_last: whether the connection ends with it in any case.

    Raises:
        FileNotFoundError: its file is gone.
        ValueError: a header can't be sent.
    """
    status, body, disruption = reply.status, reply.body, reply.disruption
    content: bytes | OpenFile | Events
    length: int | None
    if isinstance(body, bytes):
        content, length = body, len(body)
    elif isinstance(body, Path):
        content, length = _of_file(body, disruption)
    else:
        content, length, is_last, disruption = body, None, True, None
    is_cut = disruption is not None and disruption.kind == "cut"
    if is_cut and isinstance(content, bytes):
        length, content = max(len(content), 2), content[: len(content) // 2] or b" "
    if status in _WITHOUT_BODY:
        length = None
    if status in _WITHOUT_BODY or (head is not None and head.method == "HEAD"):
        if isinstance(content, OpenFile):
            content.close()
        content = b""
    names = {name.lower(): value.lower() for name, value in reply.headers}
    is_last = is_last or names.get("connection") == "close" or head is None or not head.keeps_alive
    headers = [*reply.headers]
    if "date" not in names:
        headers.append(("Date", date(int(time.time()))))
    if length is not None and "content-length" not in names:
        headers.append(("Content-Length", f"{length}"))
    if "connection" not in names and (is_last or (head is not None and head.is_old)):
        headers.append(("Connection", "close" if is_last else "keep-alive"))
    return Outgoing(answer_head(status, headers), content, is_last or is_cut, disruption)


def _of_file(path: Path, disruption: Disruption | None) -> tuple[bytes | OpenFile, int]:
    if disruption is not None:
        whole = path.read_bytes()
        return whole, len(whole)
    file = OpenFile(path)
    return file, file.size
