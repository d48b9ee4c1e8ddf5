"""Parameters of queries: illegal values are refused, and the legal edges accepted, one at a time."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from bluehour.openapi.model import JSON, MediaType, Operation, Parameter
from bluehour.openapi.parameters import read_parameters
from bluehour.openapi.schema import Schema
from bluehour.openapi.writing import pairs_of

from ...bodies import Illegal, illegal, legal
from ..checker import Check, answered, is_success
from ..jobs import Jobs
from ..sender import Call
from .refusals import judge_refusal

_NOT_ASKED = ("accept.deprecated", "accept.numbers")
"""Whether `5.0` is an integer is a question of JSON."""

_LONGEST_QUERY = 2_000
"""Characters; many servers and what stands before them take no URL that is much longer."""

_MOST_EDGES = 5
"""Legal values of a parameter that are tried."""


def try_parameters(check: Check, jobs: Jobs) -> None:
    """Try each value and list of each GET's query: what it reads is there, and nothing is changed by it."""
    for operation in check.contract.operations:
        for parameter in operation.parameters if operation.method == "GET" else ():
            if parameter.location == "query" and "object" not in parameter.schema.types:
                with check.within_budget(operation, "refuse.type", "accept.bounds"):
                    _try(check, operation, parameter)


def _try(check: Check, operation: Operation, parameter: Parameter) -> None:
    usual = check.prepared(operation, check.accounts.main)
    media = _as_a_body(parameter)
    base = {parameter.name: parameter.example}
    for variant in illegal(media, base, check.random):
        call = _with(usual, parameter, _value_in(variant), f"{variant.field}: {variant.says}")
        if call is not None and _is_refused(operation, parameter, call):
            judge_refusal(check, check.sender.send(call), variant)
    edges = (each for each in legal(media, base, check.random) if each.path[:1] == (parameter.name,))
    tried = 0
    for edge in edges:
        call = _with(usual, parameter, edge.body.get(parameter.name), f"{edge.field}: {edge.says}")
        if call is None or edge.rule in _NOT_ASKED or _is_refused(operation, parameter, call):
            continue
        exchange = check.sender.send(call)
        if is_success(exchange) or check.takes_for_illegal(operation, answered(exchange)):
            message = f"{edge.field}: {edge.says}; it is legal, and was answered by {answered(exchange)}"
            check.expect(edge.rule, exchange, is_success(exchange), message, edge.field, words=edge.words)
        if (tried := tried + 1) == _MOST_EDGES:
            break


def _as_a_body(parameter: Parameter) -> MediaType:
    """Return a body that has the parameter as its one field, as bodies are known how to be spoilt."""
    schema = {"type": "object", "properties": {parameter.name: parameter.schema.node}}
    return MediaType(JSON, Schema(parameter.schema.document, schema), ())


def _value_in(variant: Illegal) -> Any:
    body = json.loads(variant.content)
    return next(iter(body.values()), None) if isinstance(body, dict) else None


def _with(call: Call, parameter: Parameter, value: Any, purpose: str) -> Call | None:
    """Return a call with another value of a parameter; None for what no text stands for, and no URL holds."""
    values = value if isinstance(value, list) else [value]
    if not values or any(isinstance(each, bool | list | dict) or each is None for each in values):
        return None
    parts = urlsplit(call.request.url)
    others = [each for each in parse_qsl(parts.query, keep_blank_values=True) if each[0] != parameter.name]
    query = "&".join(filter(None, (urlencode(others), *pairs_of(parameter, value))))
    if len(query) > _LONGEST_QUERY:
        return None
    return replace(
        call, request=replace(call.request, url=urlunsplit(parts._replace(query=query))), purpose=purpose
    )


def _is_refused(operation: Operation, parameter: Parameter, call: Call) -> bool:
    """Tell whether a query's text is illegal: to a query, a number in quotes is a number."""
    _, faults = read_parameters(operation, call.request.message, {})
    return any(fault.where == parameter.name for fault in faults)
