"""A request as a curl command to paste into a shell, for bash or zsh: it sends the request byte for byte."""

from __future__ import annotations

import base64
import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from string import ascii_letters, digits

from .messages import Request

Pieces = Iterable[tuple[str, bool]]
"""Of a text, in their order: some of it, or with True the name of a shell variable that stands there."""

# curl sets these itself, or they are about a connection that is gone.
_OWN = frozenset(
    {"host", "content-length", "connection", "accept-encoding", "user-agent", "transfer-encoding"}
)
# Of one argument, Linux takes 128 KiB.
_LONGEST_ARGUMENT = 120_000
_BRACKETS = re.compile(r"[\[\]{}]")
_DOTS = re.compile(r"/\.\.?(?:[/?#]|$)")
_WORD = frozenset(f"{ascii_letters}{digits}_")
_SPECIAL = re.compile(r"[\"$`\\!]")


def _whole(text: str) -> Pieces:
    return [(text, False)] if text else []


def _public(_value: str) -> None:
    return None


def curl(
    request: Request,
    *,
    pieces: Callable[[str], Pieces] = _whole,
    credential: Callable[[str], tuple[str, str] | None] = _public,
    body_file: str | None = None,
    form: Sequence[tuple[str, str]] = (),
    keeps_lines: bool = False,
) -> str:
    """Return the command: one option per line.

    Args:
        request: what to send.
        pieces: cuts a text at its secrets, which stay outside of the command.
        credential: of an Authorization's value, what is before its secret, and the secret's variable.
        body_file: a file's name to show in place of the body.
        form: in place of a body, fields that curl makes a multipart form of.
        keeps_lines: whether a body may break the command's lines, to be read by people.
    """
    return _Command(request, pieces, credential, body_file, form, keeps_lines).text()


@dataclass(frozen=True, slots=True)
class _Command:
    request: Request
    pieces: Callable[[str], Pieces]
    credential: Callable[[str], tuple[str, str] | None]
    body_file: str | None
    form: Sequence[tuple[str, str]]
    keeps_lines: bool

    def text(self) -> str:
        before, body = self._body()
        words = [f"{before}curl{self._method()} {self._url()}", *self._headers(), *body]
        return " \\\n  ".join(words)

    @property
    def _has_body(self) -> bool:
        """These methods send a Content-Length also where there is no byte of a body."""
        has_any = self.request.body or self.form or self.body_file is not None
        return bool(has_any) or self.request.method in ("POST", "PUT", "PATCH")

    def _method(self) -> str:
        """GET without a body and POST with one are what curl does by itself."""
        method = self.request.method
        if method == "HEAD" and not self._has_body:
            return " --head"
        usual = "POST" if self._has_body else "GET"
        return "" if method == usual else f" -X {shlex.quote(method)}"

    def _url(self) -> str:
        url = self.request.url
        options = "--globoff " if _BRACKETS.search(url) else ""
        options += "--path-as-is " if _DOTS.search(url) else ""
        return options + self._word(url)

    def _headers(self) -> Iterator[str]:
        for name, value in self.request.headers:
            secret = self.credential(value) if name.lower() == "authorization" else None
            if secret is not None:
                before, variable = secret
                yield f"-H {_joined([(f'{name}: {before}', False), (variable, True)])}"
            elif name.lower() not in _OWN:
                yield f"-H {self._word(f'{name}: {value}' if value else f'{name};')}"
        if self._has_body and not self.form and "content-type" not in self.request.headers:
            yield "-H Content-Type:"  # or curl says that it is a form

    def _body(self) -> tuple[str, list[str]]:
        """What stands before the command, such as a pipe into it, and the options that give the body."""
        if self.body_file is not None:
            return "", [f"--data-binary @{self.body_file}"]
        if self.form:
            return "", [f"-F {self._word(f'{name}={value}')}" for name, value in self.form]
        if not self._has_body:
            return "", []
        text = _text_of(self.request.body)
        if text is None or len(self.request.body) > _LONGEST_ARGUMENT:
            return f"{self._piped()} | ", ["--data-binary @-"]
        # Not --data-binary, which takes what begins with @ for a file.
        return "", [f"--data-raw {shlex.quote(text) if self.keeps_lines else self._word(text)}"]

    def _piped(self) -> str:
        pieces = [
            f'printf %s "${piece}"' if is_variable else f"printf %s {_base64(piece)} | base64 -d"
            for piece, is_variable in self.pieces(self.request.body.decode("latin-1"))
        ]
        return pieces[0] if len(pieces) == 1 else f"{{ {'; '.join(pieces)}; }}"

    def _word(self, text: str) -> str:
        return _joined(list(self.pieces(text)))


def _text_of(body: bytes) -> str | None:
    try:
        return None if b"\0" in body else body.decode()
    except UnicodeDecodeError:
        return None


def _base64(piece: str) -> str:
    return base64.b64encode(piece.encode("latin-1")).decode()


def _joined(pieces: list[tuple[str, bool]]) -> str:
    """One word of a command, in the fewest quotes: pieces of text, and variables."""
    if not any(is_variable for _, is_variable in pieces):
        return _quoted("".join(text for text, _ in pieces))
    plain = "".join(f"${text}" if is_variable else text for text, is_variable in pieces)
    ends_well = all(is_variable or text[0] not in _WORD for text, is_variable in pieces[1:])
    literals = "".join(text for text, is_variable in pieces if not is_variable)
    if ends_well and literals.isprintable() and not _SPECIAL.search(literals):
        return f'"{plain}"'
    return "".join(f'"${text}"' if is_variable else _quoted(text) for text, is_variable in pieces)


def _quoted(text: str) -> str:
    r"""In plain quotes, or in $'…' where something does not print or would break the line."""
    if text.isprintable():
        return shlex.quote(text)
    return "$'" + "".join(map(_ansi_c, text)) + "'"


def _ansi_c(character: str) -> str:
    if character in _NAMED:
        return _NAMED[character]
    if character.isprintable():
        return character
    errors = "surrogateescape" if "\udc80" <= character <= "\udcff" else "surrogatepass"
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", errors))


# A shell's history looks for ! also here, and takes \' for the end.
_NAMED = {"\n": r"\n", "\r": r"\r", "\t": r"\t", "\\": r"\\", "'": r"\x27", "!": r"\x21"}
