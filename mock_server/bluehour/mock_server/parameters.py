"""Reading path, query, header and cookie parameters, by style, and judging them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from flask import Request

from bluehour.openapi import wording
from bluehour.openapi.model import Operation, Parameter
from bluehour.openapi.texts import from_text, json_or_text, listed_object, object_of

from .exchange import Refusal

_SEPARATORS = {"spaceDelimited": " ", "pipeDelimited": "|"}

# OpenAPI: header parameters of these names "shall be ignored"; other parts of an operation speak of them.
_NOT_PARAMETERS = ("accept", "content-type", "authorization")


def check_parameters(operation: Operation, request: Request, path: Mapping[str, str]) -> None:
    """Judge all parameters of a request.

    Raises:
        Refusal: naming every one that is missing or not legal.
    """
    faults = [fault for parameter in operation.parameters for fault in _faults_of(parameter, request, path)]
    if faults:
        raise Refusal("invalid_request", wording.joined(faults))


def parameter_values(operation: Operation, request: Request, path: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of all parameters by name, once they are known to be legal.

    What did not come has its schema's default, or None.
    """
    values = {each.name: _value_of(each, request, path) for each in operation.parameters}
    for each in operation.parameters:
        if values[each.name] is None:
            values[each.name] = each.schema.resolved.get("default")
    return values


def _faults_of(parameter: Parameter, request: Request, path: Mapping[str, str]) -> Iterator[str]:
    if parameter.location == "header" and parameter.name.lower() in _NOT_PARAMETERS:
        return
    if not (parameter.location == "path" and parameter.schema.node == {"type": "string"}):
        value = _value_of(parameter, request, path)
        if value is None:
            if parameter.required:
                name, expected = parameter.name, wording.expected_type(parameter.schema.resolved)
                yield f"Missing required {parameter.location} parameter: {name} (expected {expected})"
        elif not parameter.schema.accepts(value):
            yield wording.sentence(parameter.schema.faults(value), subject=parameter.name)


def _value_of(parameter: Parameter, request: Request, path: Mapping[str, str]) -> Any:
    """Return a parameter's value, None where it did not come."""
    if parameter.style == "deepObject":
        return _deep_object(parameter, request)
    if parameter.location == "query" and parameter.explode and "object" in parameter.schema.types:
        return _spread_object(parameter, request)
    texts = _texts_of(parameter, request, path)
    if not texts:
        return None
    if parameter.is_json:
        return json_or_text(texts[-1])
    if len(texts) == 1 and "object" in parameter.schema.types:
        return listed_object(parameter.schema, texts[0])
    return from_text(texts, parameter.schema)


def _texts_of(parameter: Parameter, request: Request, path: Mapping[str, str]) -> list[str]:
    name = parameter.name
    match parameter.location:
        case "path":
            texts = [path[name]] if name in path else []
        case "query":
            texts = request.args.getlist(name)
        case "header":
            texts = request.headers.getlist(name)
        case _:
            texts = request.cookies.getlist(name)
    is_list = "array" in parameter.schema.types and not parameter.is_json
    if len(texts) == 1 and is_list and (not parameter.explode or parameter.location in ("path", "header")):
        return texts[0].split(_SEPARATORS.get(parameter.style, ","))
    return texts


def _deep_object(parameter: Parameter, request: Request) -> dict[str, Any] | None:
    """`filter[a]=1&filter[b]=2`."""
    pattern = re.compile(re.escape(parameter.name) + r"\[([^\[\]]+)\]")
    named = ((pattern.fullmatch(key), texts) for key, texts in request.args.lists())
    return object_of(parameter.schema, [(match[1], texts) for match, texts in named if match])


def _spread_object(parameter: Parameter, request: Request) -> dict[str, Any] | None:
    """`a=1&b=2`, each field of the object a parameter."""
    properties = parameter.schema.resolved.get("properties", {})
    return object_of(
        parameter.schema, [(key, texts) for key, texts in request.args.lists() if key in properties]
    )
