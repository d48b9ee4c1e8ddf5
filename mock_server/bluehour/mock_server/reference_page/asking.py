"""`POST /docs/cost`: what a request would cost, for whoever reads the page."""

from __future__ import annotations

from typing import Any

import orjson

from bluehour.openapi.contract import Contract
from bluehour.openapi.data import DataError, from_json
from bluehour.openapi.messages import Headers, Request
from bluehour.openapi.model import JSON, Operation
from bluehour.openapi.reading import read_body
from bluehour.openapi.wording import cut, quoted

from .prices import Plans, cost

LARGEST_QUESTION = 2**20
"""Bytes."""


def answer_to(contract: Contract, question: bytes) -> tuple[int, dict[str, Any]]:
    """Return the status and the body of an answer: the credits, or what of the request is not offered.

    Args:
        contract: which has the prices.
        question: `{"operation": id, "body": the request, "plan": name}` as JSON; no plan is the lowest one.
    """
    plans: Plans = contract.extension("x-plans", {})
    try:
        operation, body, plan = _read(contract, question, plans)
    except _Unclear as error:
        return error.status, {"message": f"{error}"}
    if objections := _faults(operation, body):
        return 200, {"objections": objections}
    found = cost(operation, body, plan, plans)
    return 200, {"objections": found.objections} if found.credits is None else {"credits": found.credits}


class _Unclear(Exception):
    """The question can't be answered; it says why."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def _read(contract: Contract, question: bytes, plans: Plans) -> tuple[Operation, dict[str, Any], str]:
    if len(question) > LARGEST_QUESTION:
        raise _Unclear(f"The question is larger than {LARGEST_QUESTION // 2**20} MiB", 413)
    try:
        asked = from_json(question)
    except (DataError, orjson.JSONDecodeError) as error:
        raise _Unclear(f"The question is not JSON that can be read: {error}") from error
    if not isinstance(asked, dict) or not isinstance(asked.get("body"), dict):
        raise _Unclear("Ask with an object that has operation, body (an object) and, if you like, plan")
    return _operation(contract, asked.get("operation")), asked["body"], _plan(asked.get("plan"), plans)


def _operation(contract: Contract, name: Any) -> Operation:
    for operation in contract.operations:
        if operation.id == name:
            return operation
    raise _Unclear(f"There is no operation {quoted(name)}")


def _plan(name: Any, plans: Plans) -> str:
    if name is None:
        return next(iter(plans), "")
    if not isinstance(name, str) or name not in plans:
        raise _Unclear(f"There is no plan {quoted(name)}; there are {cut(', '.join(plans))}")
    return name


def _faults(operation: Operation, body: dict[str, Any]) -> list[str]:
    """Return what of a request is not legal, as the mock would say it."""
    if operation.body is None:
        return []
    sent = Request(
        operation.method, operation.path, Headers([("Content-Type", JSON)]), orjson.dumps(body), ""
    )
    _, faults = read_body(operation.body, sent)
    return [fault.message for fault in faults]
