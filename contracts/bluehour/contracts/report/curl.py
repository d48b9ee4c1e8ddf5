"""A request as a command to paste into a shell, which sends it again; the token is in a variable."""

from __future__ import annotations

from bluehour.openapi import curl as commands

from ..exchange import Request
from .secrets import TOKEN_VARIABLE, Secrets, credentials


def curl(
    request: Request,
    *,
    token_variable: str = TOKEN_VARIABLE,
    secrets: Secrets | None = None,
    body_file: str | None = None,
) -> str:
    """Return the command: one option per line, no line break within a word.

    Args:
        request: what to send again, with its secrets.
        token_variable: stands for the token, wherever that occurs.
        secrets: other tokens, each with a variable of its own, instead of this request's.
        body_file: a file's name to show in place of the body.
    """
    known = secrets or Secrets.of_request(request, token_variable)

    def credential(value: str) -> tuple[str, str] | None:
        """Also one that is too short to be looked for in texts."""
        found = credentials(Request("", "", (("Authorization", value),)))
        variable = known.variable(found)
        return None if variable is None else (value[: value.rindex(found)], variable)

    return commands.curl(request.message, pieces=known.pieces, credential=credential, body_file=body_file)
