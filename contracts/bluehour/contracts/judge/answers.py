"""Each answer alone: its status, headers and body against what the contract declares. schemathesis judges."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

import requests
import schemathesis
from schemathesis.core.failures import Failure, FailureGroup, MalformedJson
from schemathesis.core.result import Ok
from schemathesis.core.transport import Response
from schemathesis.openapi.checks import (
    JsonSchemaError,
    MalformedMediaType,
    MissingContentType,
    MissingHeaders,
    UndefinedContentType,
    UndefinedStatusCode,
)
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from bluehour.openapi.contract import Contract
from bluehour.openapi.upgrade import METHODS
from bluehour.openapi.wording import cut, field_name

from ..exchange import Answer, Exchange, Request
from .rulings import Rulings
from .words import in_yaml, words_at

if TYPE_CHECKING:
    from schemathesis import Case
    from schemathesis.schemas import APIOperation

    from bluehour.openapi.model import Operation

_OUTSIDE = "/x-outside-of-any-operation"

_ANY_URL = "http://127.0.0.1/"
"""In place of the one that was called, which a test may have made odd on purpose."""

_OF_THE_BODY = ("answer.schema", "answer.envelope")

_CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


class Answers:
    """Judges answers one by one.

    Args:
        contract: what they have to keep.
    """

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._operations = _operations_of(contract)

    def judge(self, exchange: Exchange, rulings: Rulings) -> None:
        """Say what of an answer is as the contract declares it, and what is not."""
        answer = exchange.answer
        arrives = rulings.expect("answer.arrives", answer is not None, f"No answer came: {exchange.failure}")
        if not arrives or answer is None:
            return
        # 501 is for a method that nobody knows, and then it is no failure (RFC 9110, section 15.6.2).
        unknown = exchange.request.method.lower() not in METHODS and answer.status == 501
        sound = answer.status < 500 or unknown
        rulings.expect(
            "answer.server-error",
            sound,
            f"The server failed: it answered {answer.status}",
            f"{answer.status}",
        )
        if sound and not exchange.transfer and exchange.request.method not in ("HEAD", "OPTIONS"):
            self._judge_declared(exchange.operation, exchange.request, answer, rulings)

    def _judge_declared(
        self, operation: Operation | None, request: Request, answer: Answer, rulings: Rulings
    ) -> None:
        if operation is None and (answer.status < 400 or _may_be_a_gateways(request)):
            return  # nothing is declared; whoever asked knows what to expect
        called = self._operations[f"{operation.method} {operation.path}" if operation else f"GET {_OUTSIDE}"]
        broken: set[str] = set()
        found = [
            (_rule_of(each, answer.status), each)
            for each in _failures(_case(called), _as_response(request, answer))
        ]
        for rule_id, failure in sorted(
            found, key=lambda each: each[0] in _OF_THE_BODY
        ):  # they come in any order
            if not (broken & {"answer.status", "answer.content-type"} and rule_id in _OF_THE_BODY):
                broken.add(rule_id)
                self._tell(failure, rule_id, operation, answer, rulings)
        looked_at = ["answer.status", "answer.content-type", "answer.headers"]
        looked_at.append("answer.envelope" if answer.status >= 400 else "answer.schema")
        for rule_id in looked_at:
            if rule_id not in broken:
                rulings.keep(rule_id)

    def _tell(
        self, failure: Failure, rule_id: str, operation: Operation | None, answer: Answer, rulings: Rulings
    ) -> None:
        everywhere = [str(status) for status in self._contract.server_responses]
        declared = list(operation.responses) if operation else everywhere
        match failure:
            case UndefinedStatusCode():
                message = f"The status {answer.status} is not declared: {', '.join(declared)} are"
                rulings.breach(rule_id, message, f"{answer.status}", in_yaml({"responses": declared}))
            case UndefinedContentType() | MissingContentType() | MalformedMediaType():
                expected = " or ".join(_documented(failure))
                got = answer.header("Content-Type") or "none"
                message = f"Invalid Content-Type of a {answer.status}: expected {expected}, got {got}"
                rulings.breach(rule_id, message, "Content-Type", in_yaml({"content": [expected]}))
            case MissingHeaders():
                names = ", ".join(failure.missing_headers)
                rulings.breach(rule_id, f"A {answer.status} lacks its header {names}", names)
            case JsonSchemaError():
                field = field_name(tuple(failure.instance_path))
                message = f"{field or 'The body'} of a {answer.status} is not as declared: " + _line(
                    failure.validation_message
                )
                rulings.breach(rule_id, message, field, self._words(failure, operation, answer))
            case _:
                detail = _line(getattr(failure, "validation_message", "") or failure.message)
                rulings.breach(rule_id, f"The body of a {answer.status} can't be read: {detail}")

    def _words(self, failure: JsonSchemaError, operation: Operation | None, answer: Answer) -> str:
        declared = operation.response(answer.status) if operation else None
        declared = declared or self._contract.server_responses.get(answer.status)
        media = declared.json if declared else None
        return words_at(failure.schema_path, media.schema.node, media.schema.document) if media else ""


@cache
def _operations_of(contract: Contract) -> dict[str, APIOperation[Any, Any, Any, Any]]:
    """The contract's operations as schemathesis has them, by their labels."""
    schema = schemathesis.openapi.from_dict(_with_server_responses(contract))
    found = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
    return {each.label: each for each in found}


def operation_in_schemathesis(contract: Contract, operation: Operation) -> APIOperation[Any, Any, Any, Any]:
    """Return what schemathesis makes of one of the contract's operations."""
    return _operations_of(contract)[f"{operation.method} {operation.path}"]


def _with_server_responses(contract: Contract) -> dict[str, Any]:
    """The contract with x-server-responses declared for every operation, and for one that stands for none."""
    document: dict[str, Any] = copy.deepcopy(dict(contract.document))
    everywhere = document.get("x-server-responses", {})
    for operation in contract.operations:
        responses = document["paths"][operation.path][operation.method.lower()]["responses"]
        for status, response in everywhere.items():
            responses.setdefault(status, response)
    document["paths"][_OUTSIDE] = {"get": {"responses": everywhere or {"default": {"description": "Any"}}}}
    document.pop("webhooks", None)
    return document


def _may_be_a_gateways(request: Request) -> bool:
    """Whether what stands before a server may well have answered in its place: for odd paths and methods."""
    method = request.method.lower()
    return "%" in request.url.partition("?")[0] or method not in METHODS or method == "trace"


def _case(called: APIOperation[Any, Any, Any, Any]) -> Case[Any]:
    """A call of an operation, whose parameters don't matter: its answer is judged."""
    return called.Case(path_parameters={each.name: "any" for each in called.path_parameters})


def _failures(case: Case[Any], response: Response) -> Iterator[Failure]:
    try:
        case.validate_response(response, checks=_CHECKS)
    except FailureGroup as group:
        yield from group.exceptions
    except Failure as failure:
        yield failure


def _documented(failure: UndefinedContentType | MissingContentType | MalformedMediaType) -> list[str]:
    if isinstance(failure, MalformedMediaType):
        return [failure.defined]
    if isinstance(failure, MissingContentType):
        return failure.media_types
    return failure.defined_content_types


def _rule_of(failure: Failure, status: int) -> str:
    match failure:
        case UndefinedStatusCode():
            return "answer.status"
        case UndefinedContentType() | MissingContentType() | MalformedMediaType():
            return "answer.content-type"
        case MissingHeaders():
            return "answer.headers"
        case JsonSchemaError() if "header" in failure.title:
            return "answer.headers"
        case JsonSchemaError() | MalformedJson() if status < 400:
            return "answer.schema"
        case _:
            return "answer.envelope" if status >= 400 else "answer.schema"


def _as_response(request: Request, answer: Answer) -> Response:
    headers: dict[str, list[str]] = {}
    for name, value in answer.headers:
        headers.setdefault(name.lower(), []).append(value)
    prepared = requests.Request(request.method, _ANY_URL).prepare()
    return Response(answer.status, headers, answer.body, prepared, answer.seconds, verify=False)


def _line(text: str) -> str:
    """A library's words in one line that a person reads to its end."""
    return cut(" ".join(text.split()), 200)
