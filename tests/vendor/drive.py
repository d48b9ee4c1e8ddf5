"""Runs where a Python SDK is installed: `drive.py Client` or `drive.py AsyncClient`; see `sdks.py`."""

from __future__ import annotations

import asyncio
import inspect
import json
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partialmethod
from operator import attrgetter
from typing import Any
from unittest.mock import patch

# Of these mypy knows nothing: they are installed only where this runs.
import httpx  # type: ignore[import-not-found]
from magic_hour import AsyncClient, Client  # type: ignore[import-not-found]
from make_api_request import ApiError  # type: ignore[import-not-found]
from pydantic_core import to_jsonable_python

Calls = list[tuple[str, dict[str, Any]]]


def main() -> None:
    for client in (httpx.Client, httpx.AsyncClient):
        # Downloads have 5 s, which are short for a video that a busy machine makes.
        client.__init__ = partialmethod(client.__init__, timeout=60)
    call = _call if sys.argv[1] == "Client" else _call_async
    for line in sys.stdin:
        question = json.loads(line)
        answer = _generators() if "calls" not in question else _outcomes(question, call)
        print(json.dumps(answer), flush=True)  # noqa: T201 - the answer


def _generators() -> dict[str, list[str]]:
    """The resources with a `generate`, and what each one's takes: the two clients differ."""
    client = Client if sys.argv[1] == "Client" else AsyncClient
    resources = vars(client(token="").v1).items()
    found = {name: each.generate for name, each in resources if hasattr(each, "generate")}
    return {name: list(inspect.signature(generate).parameters) for name, generate in found.items()}


def _outcomes(question: dict[str, Any], call: Callable[[dict[str, Any], Calls], list[Any]]) -> list[Any]:
    with _uploads(question["upload"]):
        outcomes = call(_options(question), question["calls"])
    return [_as_json(outcome) for outcome in outcomes]


def _options(question: dict[str, Any]) -> dict[str, Any]:
    """What the client is made with; what is not given is left to the SDK."""
    options = {name: question[name] for name in ("base_url", "token", "timeout")}
    return {name: value for name, value in options.items() if value is not None}


def _call(options: dict[str, Any], calls: Calls) -> list[Any]:
    client = Client(**options)

    def called(method: str, arguments: dict[str, Any]) -> Any:
        return attrgetter(method)(client.v1)(**arguments)

    with ThreadPoolExecutor(len(calls)) as pool:
        futures = [pool.submit(called, *each) for each in calls]
    return [future.exception() or future.result() for future in futures]


def _call_async(options: dict[str, Any], calls: Calls) -> list[Any]:
    async def call() -> list[Any]:
        client = AsyncClient(**options)

        async def called(method: str, arguments: dict[str, Any]) -> Any:
            return await attrgetter(method)(client.v1)(**arguments)

        return await asyncio.gather(*(called(*each) for each in calls), return_exceptions=True)

    return asyncio.run(call())


@contextmanager
def _uploads(really: bool) -> Iterator[None]:
    if really:
        yield
        return
    stored = httpx.Response(200, request=httpx.Request("PUT", "http://nowhere"))
    with (
        patch.object(httpx.Client, "put", return_value=stored),
        patch.object(httpx.AsyncClient, "put", return_value=stored),
    ):
        yield


def _as_json(outcome: Any) -> dict[str, Any]:
    if isinstance(outcome, ApiError):
        headers = {name.lower(): value for name, value in outcome.response.headers.items()}
        return {"status": outcome.status_code, "body": outcome.body, "headers": headers}
    if isinstance(outcome, BaseException):
        return {"failure": repr(outcome), "type": type(outcome).__name__}
    return {"value": to_jsonable_python(outcome, by_alias=True)}


if __name__ == "__main__":
    main()
