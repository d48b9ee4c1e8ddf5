"""Reading path, query, header and cookie parameters, by style, and judging them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from . import wording
from .faults import Fault
from .messages import Request
from .model import Operation, Parameter
from .texts import from_text, json_or_text, keys_in, listed_object, nested_object, object_of

_SEPARATORS = {"spaceDelimited": " ", "pipeDelimited": "|"}

# OpenAPI: header parameters of these names "shall be ignored"; other parts of an operation speak of them.
_NOT_PARAMETERS = ("accept", "content-type", "authorization")


def read_parameters(
    operation: Operation, request: Request, path: Mapping[str, str]
) -> tuple[dict[str, Any], list[Fault]]:
    """Return the values of all parameters by name, and of each what is wrong with it.

    What did not come has its schema's default, or None.

    Args:
        operation: what is called.
        request: what came.
        path: the values of the path's parameters, percent signs undone.
    """
    values: dict[str, Any] = {}
    faults: list[Fault] = []
    for parameter in operation.parameters:
        value = _value_of(parameter, request, path)
        faults += _faults_of(parameter, value)
        values[parameter.name] = parameter.schema.resolved.get("default") if value is None else value
    return values, faults


def _faults_of(parameter: Parameter, value: Any) -> Iterator[Fault]:
    if parameter.location == "header" and parameter.name.lower() in _NOT_PARAMETERS:
        return
    if value is None:
        if parameter.required:
            name, expected = parameter.name, wording.expected_type(parameter.schema.resolved)
            yield Fault(
                name, f"Missing required {parameter.location} parameter: {name} (expected {expected})"
            )
    elif not parameter.schema.accepts(value):
        faults = parameter.schema.faults(value)
        yield Fault(parameter.name, wording.sentence(faults, subject=parameter.name))


def _value_of(parameter: Parameter, request: Request, path: Mapping[str, str]) -> Any:
    """Return a parameter's value, None where it did not come."""
    if parameter.style == "deepObject":
        return _deep_object(parameter, request)
    is_object = "object" in parameter.schema.types and not parameter.is_json
    if is_object and parameter.location == "query" and parameter.explode:
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
            texts = _of_path(parameter, path[name]) if name in path else []
        case "query":
            texts = request.arguments.get(name, [])
        case "header":
            texts = _listed(request.headers.get(name))
        case _:
            texts = request.cookies.get(name, [])
    is_list = "array" in parameter.schema.types and not parameter.is_json
    if len(texts) == 1 and is_list and (not parameter.explode or parameter.location in ("path", "header")):
        return texts[0].split(_SEPARATORS.get(parameter.style, ","))
    return texts


def _listed(text: str | None) -> list[str]:
    return [] if text is None else [text]


def _of_path(parameter: Parameter, text: str) -> list[str]:
    """Take off what the style puts before a value: `.5` as a label, `;id=5` as a matrix."""
    if parameter.style == "label":
        text = text.removeprefix(".")
        return text.split(".") if parameter.explode and "array" in parameter.schema.types else [text]
    if parameter.style == "matrix":
        return [part.removeprefix(f"{parameter.name}=") for part in text.removeprefix(";").split(";")]
    return [text]


def _deep_object(parameter: Parameter, request: Request) -> dict[str, Any] | None:
    """`filter[a]=1&filter[b][c]=2`."""
    named = [(keys_in(name), texts) for name, texts in request.arguments.items()]
    fields = [(keys[1:], texts) for keys, texts in named if keys[0] == parameter.name and len(keys) > 1]
    return nested_object(parameter.schema, fields) or None


def _spread_object(parameter: Parameter, request: Request) -> dict[str, Any] | None:
    """`a=1&b=2`, each field of the object a parameter."""
    properties = parameter.schema.resolved.get("properties", {})
    return object_of(
        parameter.schema, [(key, texts) for key, texts in request.arguments.items() if key in properties]
    )
