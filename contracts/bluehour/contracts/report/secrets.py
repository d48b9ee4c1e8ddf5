"""The tokens that a check's requests carried, and how a text is shown without them."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote

from bluehour.mock_server.api.secrets import shown_header
from bluehour.mock_server.core.accounts import shortened

from ..exchange import Exchange, Headers, Request

TOKEN_VARIABLE = "BLUEHOUR_TOKEN"  # noqa: S105 - the name of a variable

# Shorter tokens are words, as `token` is: to hide them in every text would garble the report.
_SHORTEST = 8
# What shares so much with a token is made of it, such as a token without its end.
_ALIKE = 12
_NEVER = re.compile(r"(?!)")
# Of any signed link: a deployment may sign its links as it likes.
_SIGNATURE = re.compile(r"(sig(?:nature)?=[\w%-]{6})[\w%.~+/=-]{14,}", re.IGNORECASE)


class Secrets:
    """Tokens, each with the shell variable that stands for it in commands."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = {token: name for token, name in variables.items() if token}
        self._forms = {
            form: token for token in self._variables if len(token) >= _SHORTEST for form in _forms(token)
        }
        longest_first = sorted(self._forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if self._forms else _NEVER

    @classmethod
    def of_request(cls, request: Request, variable: str = TOKEN_VARIABLE) -> Secrets:
        """Return whatever one request carries as its credentials."""
        return cls({credentials(request): variable})

    @classmethod
    def of(cls, exchanges: Iterable[Exchange], headers: Headers = ()) -> Secrets:
        """Return the tokens of all accounts, what was made of them, and what the user's own headers say.

        Credentials of an exchange without an account are made up, so a command may show them: without
        them it would not send the same. Where no exchange has an account, all of them count as tokens.
        """
        found: dict[str, str] = {}
        for exchange in exchanges:
            found.setdefault(credentials(exchange.request), exchange.account)
        found.pop("", None)
        tokens = {token: account for token, account in found.items() if account} or found
        telling = [token for token in tokens if len(token) >= _SHORTEST]
        derived = [each for each in found if any(_made_of(token, each) for token in telling)]
        known = {token: variable_of(found[token]) for token in dict.fromkeys([*tokens, *derived])}
        return cls({value: _variable(f"HEADER_{name}") for name, value in headers} | known)

    def variable(self, credential: str) -> str | None:
        """Return the variable that stands for credentials; None where they are no secret."""
        return self._variables.get(credential)

    def pieces(self, text: str) -> Iterator[tuple[str, bool]]:
        """Cut a text at its tokens: pieces of it, and in each token's place its variable, with True."""
        end = 0
        for found in self._pattern.finditer(text):
            if found.start() > end:
                yield text[end : found.start()], False
            yield self._variables[self._forms[found[0]]], True
            end = found.end()
        if end < len(text):
            yield text[end:], False

    def hidden(self, text: str) -> str:
        """Return a text with tokens and signatures shortened, in characters that every file can hold."""
        text = self._pattern.sub(lambda found: shortened(found[0]), text)
        return _encodable(_SIGNATURE.sub(r"\1…", text))

    def hidden_in(self, body: bytes) -> bytes:
        """Return a body as `hidden` has it; where it is no text, without tokens at least."""
        if b"sig" not in body.lower() and not any(form.encode() in body for form in self._forms):
            return body
        try:
            return self.hidden(body.decode()).encode()
        except UnicodeDecodeError:
            for form in self._forms:
                body = body.replace(form.encode(), shortened(form).encode())
            return body

    def hidden_header(self, name: str, value: str) -> str:
        """Return a header's value without tokens, and without all of it where it is a secret by its name."""
        return self.hidden(shown_header(name, value))


def credentials(request: Request) -> str:
    """Return what stands behind the scheme of a request's Authorization; nothing where it has none."""
    scheme, space, rest = (request.header("Authorization") or "").strip().partition(" ")
    if space:
        return rest.strip()
    return "" if scheme.lower() in ("bearer", "basic") else scheme


def variable_of(account: str) -> str:
    """Return the shell variable for an account's token, which the command reads too where it takes one."""
    if account in ("", "main"):
        return TOKEN_VARIABLE
    return _variable(f"{account}_TOKEN")


def _variable(name: str) -> str:
    return f"BLUEHOUR_{re.sub(r'[^A-Za-z0-9]+', '_', name).upper()}"


def _forms(token: str) -> set[str]:
    """A token as URLs, JSON and careless servers write it."""
    return {token, quote(token, safe=""), json.dumps(token)[1:-1], token.lower(), token.upper()}


def _made_of(token: str, credential: str) -> bool:
    """Whether credentials have a good part of a token in them, plain or as Basic encodes it."""
    size = min(_ALIKE, len(token))
    parts = {token[start : start + size].lower() for start in range(len(token) - size + 1)}
    return any(part in text for text in (credential.lower(), _decoded(credential)) for part in parts)


def _decoded(credential: str) -> str:
    try:
        return base64.b64decode(credential, validate=True).decode("latin-1").lower()
    except (binascii.Error, ValueError):
        return ""


def _encodable(text: str) -> str:
    r"""Without lone surrogates, which UTF-8 does not have; they are written as JSON does, `\ud800`."""
    return text.encode("utf-8", "backslashreplace").decode()
