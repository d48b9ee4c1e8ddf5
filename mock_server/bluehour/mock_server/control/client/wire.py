"""How the control client's calls are sent, and what may become of them."""

from __future__ import annotations

import http.client
import json
from collections.abc import Container, Mapping
from typing import Any
from urllib.parse import SplitResult, urlencode, urlsplit

from bluehour.openapi.errors import BluehourError

_PATIENCE = 60.0
"""Seconds that an answer may take, beside the time that the caller asks the mock to wait."""

MOST = 10_000
"""The highest `limit` that the control API takes."""


class ControlError(BluehourError):
    """The control API refused a call, or did not answer at all.

    Attributes:
        status: the answer's status; None where there was no answer.
        code: what went wrong, for programs: the answer's `code`, or `unreachable`, `timeout`, `not_a_mock`.
        message: what went wrong and what to change, for people.
    """

    def __init__(self, status: int | None, code: str, message: str) -> None:
        super().__init__(status, code, message)
        self.status = status
        self.code = code
        self.message = message

    def __str__(self) -> str:
        """Return the message alone."""
        return self.message


class Wire:
    """Requests to one mock, each on a connection of its own; no proxy is asked."""

    def __init__(self, url: str, token: str | None) -> None:
        self.url = url.rstrip("/")
        self._parts = _address(url)
        self._headers = {"Accept": "application/json"}
        if token is not None:
            self._headers["Authorization"] = f"Bearer {token}"

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, Any] | None = None,
        waits: float = 0,
        also: Container[int] = (),
    ) -> Any:
        """Return an answer's JSON, one of the statuses `also` too; None where it has no body."""
        if query is not None:
            path = _with_query(path, query)
        status, content = self._answer(method, path, body, waits)
        try:
            answer = json.loads(content) if content else None
        except (ValueError, RecursionError):
            raise self._stranger(status) from None
        if status < 300 or (status in also and not _is_refusal(answer)):
            return answer
        raise self._refused(status, answer)

    def read(self, path: str) -> bytes:
        """Return an answer's bytes."""
        status, content = self._answer("GET", path, None, 0)
        if status < 300:
            return content
        try:
            raise self._refused(status, json.loads(content))
        except (ValueError, RecursionError):
            raise self._stranger(status) from None

    def _answer(self, method: str, path: str, body: Any, waits: float) -> tuple[int, bytes]:
        kind = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
        patience = _PATIENCE + waits
        connection = kind(self._parts.hostname or "", self._parts.port, timeout=patience)
        sent, headers = None, dict(self._headers)
        if body is not None:
            sent, headers["Content-Type"] = json.dumps(body), "application/json"
        try:
            connection.request(method, self._parts.path.rstrip("/") + path, sent, headers)
            response = connection.getresponse()
            return response.status, response.read()
        except TimeoutError:
            raise ControlError(
                None, "timeout", f"{self.url} did not answer within {patience:g} seconds"
            ) from None
        except ConnectionRefusedError:
            raise ControlError(
                None,
                "unreachable",
                f"Nothing listens at {self.url}: start a mock there (`bluehour serve`), or correct the URL",
            ) from None
        except (OSError, http.client.HTTPException) as error:
            reason = str(error) or type(error).__name__
            raise ControlError(None, "unreachable", f"{self.url} can't be reached: {reason}") from error
        finally:
            connection.close()

    def _refused(self, status: int, answer: Any) -> ControlError:
        if _is_refusal(answer):
            return ControlError(status, str(answer["code"]), str(answer["message"]))
        return self._stranger(status)

    def _stranger(self, status: int) -> ControlError:
        return ControlError(
            status,
            "not_a_mock",
            f"{self.url} answered {status}, but not as a mock's control API does; is Bluehour there?",
        )


def _is_refusal(answer: Any) -> bool:
    return isinstance(answer, dict) and {"code", "message"} <= answer.keys()


def _address(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return parts
    except ValueError:  # of a port or an IPv6 address that is none
        pass
    raise ValueError(f"{url!r} is no address of a mock; one is http://127.0.0.1:4010")


def _with_query(path: str, query: Mapping[str, Any]) -> str:
    given = {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in {"limit": MOST, **query}.items()
        if value is not None
    }
    return f"{path}?{urlencode(given)}"
