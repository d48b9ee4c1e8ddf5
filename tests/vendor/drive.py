"""Runs where a Python SDK is installed: `drive.py Client` or `drive.py AsyncClient`; see `sdks.py`."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
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
    call = _call if sys.argv[1] == "Client" else _call_async
    for line in sys.stdin:
        question = json.loads(line)
        with _uploads(question["upload"]):
            outcomes = call(_options(question), question["calls"])
        print(json.dumps([_as_json(outcome) for outcome in outcomes]), flush=True)  # noqa: T201 - the answer


def _options(question: dict[str, Any]) -> dict[str, Any]:
    """What the client is made with; what is not given is left to the SDK."""
    options = {name: question[name] for name in ("base_url", "token", "timeout")}
    return {name: value for name, value in options.items() if value is not None}


def _call(options: dict[str, Any], calls: Calls) -> list[Any]:
    client = Client(**options)
    with ThreadPoolExecutor(len(calls)) as pool:
        futures = [pool.submit(attrgetter(method)(client.v1), **arguments) for method, arguments in calls]
    return [future.exception() or future.result() for future in futures]


def _call_async(options: dict[str, Any], calls: Calls) -> list[Any]:
    async def call() -> list[Any]:
        client = AsyncClient(**options)
        made = [attrgetter(method)(client.v1)(**arguments) for method, arguments in calls]
        return await asyncio.gather(*made, return_exceptions=True)

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
