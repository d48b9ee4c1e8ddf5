"""A request as a command to paste into a shell, which sends it again; the token is in a variable."""

from __future__ import annotations

import base64
import re
import shlex
from collections.abc import Iterator
from string import ascii_letters, digits

from ..exchange import Request
from .secrets import TOKEN_VARIABLE, Secrets, credentials
from .texts import text_of

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


def curl(
    request: Request,
    *,
    token_variable: str = TOKEN_VARIABLE,
    secrets: Secrets | None = None,
    body_file: str | None = None,
) -> str:
    """Return the command, for bash or zsh: one option per line, no line break within a word.

    Args:
        request: what to send again, with its secrets.
        token_variable: stands for the token, wherever that occurs.
        secrets: other tokens, each with a variable of its own, instead of this request's.
        body_file: a file's name to show in place of the body.
    """
    secrets = secrets or Secrets.of_request(request, token_variable)
    before, body = _body(request, secrets) if body_file is None else ("", f"--data-binary @{body_file}")
    words = [f"{before}curl{_method(request)} {_url(request.url, secrets)}", *_headers(request, secrets)]
    return " \\\n  ".join([*words, body] if body else words)


def _method(request: Request) -> str:
    """GET without a body and POST with one are what curl does by itself."""
    if request.method == "HEAD" and not request.body:
        return " --head"
    usual = "POST" if _has_body(request) else "GET"
    return "" if request.method == usual else f" -X {shlex.quote(request.method)}"


def _has_body(request: Request) -> bool:
    """These methods send a Content-Length also where there is no byte of a body."""
    return bool(request.body) or request.method in ("POST", "PUT", "PATCH")


def _url(url: str, secrets: Secrets) -> str:
    options = "--globoff " if _BRACKETS.search(url) else ""
    options += "--path-as-is " if _DOTS.search(url) else ""
    return options + _word(url, secrets)


def _headers(request: Request, secrets: Secrets) -> Iterator[str]:
    for name, value in request.headers:
        if name.lower() == "authorization":
            yield f"-H {_authorization(name, value, secrets)}"
        elif name.lower() not in _OWN:
            yield f"-H {_header(name, value, secrets)}"
    if _has_body(request) and request.header("Content-Type") is None:
        yield "-H Content-Type:"  # or curl says that it is a form


def _header(name: str, value: str, secrets: Secrets) -> str:
    return _word(f"{name}: {value}" if value else f"{name};", secrets)


def _authorization(name: str, value: str, secrets: Secrets) -> str:
    credential = credentials(Request("", "", ((name, value),)))
    variable = secrets.variable(credential)
    if variable is None:
        return _header(name, value, secrets)
    before = value[: value.rindex(credential)]
    return _joined([(f"{name}: {before}", False), (variable, True)])


def _body(request: Request, secrets: Secrets) -> tuple[str, str]:
    """What stands before the command, such as a pipe into it, and the option that gives the body."""
    if not _has_body(request):
        return "", ""
    text = text_of(request.body)
    if text is not None and "\0" not in text and len(request.body) <= _LONGEST_ARGUMENT:
        # Not --data-binary, which takes what begins with @ for a file.
        return "", f"--data-raw {_word(text, secrets)}"
    return f"{_piped(request.body, secrets)} | ", "--data-binary @-"


def _piped(body: bytes, secrets: Secrets) -> str:
    pieces = [
        f'printf %s "${piece}"' if is_variable else f"printf %s {_base64(piece)} | base64 -d"
        for piece, is_variable in secrets.pieces(body.decode("latin-1"))
    ]
    return pieces[0] if len(pieces) == 1 else f"{{ {'; '.join(pieces)}; }}"


def _base64(piece: str) -> str:
    return base64.b64encode(piece.encode("latin-1")).decode()


def _word(text: str, secrets: Secrets) -> str:
    return _joined(list(secrets.pieces(text)))


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
