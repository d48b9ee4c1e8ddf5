"""The vendor's SDKs, each in a process of its own, called from tests by the names of the wire.

`drive.py` and `drive.js` run in those processes. A line of JSON says what to call, a line comes back.
"""

from __future__ import annotations

import json
import select
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import pytest

from .packages import Package

_HERE = Path(__file__).parent
_DRIVERS = {"python": "drive.py", "node": "drive.js"}
_PATIENCE = 60  # seconds for any answer


class ApiError(Exception):
    """The SDK raised its ApiError; its body is None where the answer had no JSON."""

    def __init__(self, status: int, body: Any, headers: dict[str, str]) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body
        self.headers = headers


class OtherError(Exception):
    """The SDK raised anything else; `kind` is the name of its type."""

    def __init__(self, kind: str, told: str) -> None:
        super().__init__(told)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Kind:
    """An SDK, and in Python which of its two clients."""

    package: Package
    client: Literal["Client", "AsyncClient"] = "Client"

    def __str__(self) -> str:
        return f"{self.package.name}-{self.client}"

    @contextmanager
    def started(self) -> Iterator[Sdk]:
        with subprocess.Popen(
            self.package.run(_HERE / _DRIVERS[self.package.language], self.client),
            env=self.package.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as process:
            try:
                yield Sdk(self, process)
            finally:
                process.kill()


PY_50, PY_90, NODE_43 = Package("python", "0.50.1"), Package("python", "0.90.0"), Package("node", "0.43.1")
PYTHON_WITH_BOTH_EDITORS = (Kind(PY_50), Kind(PY_50, "AsyncClient"))
WITH_BOTH_EDITORS = (*PYTHON_WITH_BOTH_EDITORS, Kind(NODE_43))
PYTHON = (*PYTHON_WITH_BOTH_EDITORS, Kind(PY_90), Kind(PY_90, "AsyncClient"))
ALL = (*PYTHON, Kind(NODE_43))


def only(kinds: Sequence[Kind]) -> pytest.MarkDecorator:
    """Have a test use these SDKs alone, where the fixture `sdk` would be each of them."""
    return pytest.mark.parametrize("sdk", kinds, ids=str, indirect=True)


class Sdk:
    """A running SDK, and of which kind it is."""

    def __init__(self, kind: Kind, process: subprocess.Popen[bytes]) -> None:
        self.kind = kind
        self._process = process

    @property
    def is_python(self) -> bool:
        return self.kind.package.language == "python"

    @cached_property
    def generators(self) -> dict[str, list[str] | None]:
        """The resources with a `generate`, and what that takes; None where it drops what it does not know."""
        found: dict[str, list[str] | None] = self.ask({})
        return found

    def client(self, base_url: str, token: str | None) -> Client:
        return Client(self, base_url, token)

    def ask(self, question: dict[str, Any]) -> Any:
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(question).encode() + b"\n")
        process.stdin.flush()
        ready, _, _ = select.select([process.stdout], [], [], _PATIENCE)
        line = process.stdout.readline() if ready else b""
        if not line:
            raise RuntimeError(f"the SDK did not answer {question}; its standard error says why")
        return json.loads(line)


@dataclass(frozen=True, slots=True)
class Client:
    """A client of an SDK, made anew for every call.

    Attributes:
        timeout: what the SDK is given as its timeout, in seconds; its own where it is None.
        patience: seconds after which a call of the Node SDK is an `OtherError` of the kind `StillWaiting`.
    """

    sdk: Sdk
    base_url: str
    token: str | None
    timeout: float | None = None
    patience: float | None = None

    def call(self, method: str, **arguments: Any) -> Any:
        """Call a method of the SDK's `v1` and return what it returned, as JSON.

        Raises:
            ApiError: the SDK raised it.
            OtherError: the SDK raised anything else.
        """
        return self.call_at_once([(method, arguments)])[0]

    def call_at_once(self, calls: list[tuple[str, dict[str, Any]]], *, upload: bool = True) -> list[Any]:
        """Make calls side by side with one client. Without `upload`, a PUT goes nowhere and succeeds."""
        options = {name: getattr(self, name) for name in ("base_url", "token", "timeout", "patience")}
        outcomes = self.sdk.ask({**options, "calls": calls, "upload": upload})
        return [_value(outcome) for outcome in outcomes]


def _value(outcome: dict[str, Any]) -> Any:
    if "status" in outcome:
        raise ApiError(outcome["status"], outcome["body"], outcome["headers"])
    if "failure" in outcome:
        raise OtherError(outcome["type"], outcome["failure"])
    return outcome["value"]
