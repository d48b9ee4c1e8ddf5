"""OpenAPI's runtime expressions: `$request.body#/url` stands for a value of a request or of its response."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .messages import Request, Response

_EXPRESSION = re.compile(r"\{(\$[^{}]+)\}")


def filled(
    template: str, request: Request, body: Any, path: Mapping[str, str], response: Response
) -> str | None:
    """Return a text with the expressions in it replaced by what they stand for.

    Args:
        template: such as `{$request.body#/url}?event=done`; one expression may stand alone, without braces.
        request: what came.
        body: its body as data.
        path: the values of its path's parameters.
        response: what was answered.

    Returns:
        None where one stands for nothing.
    """
    if template.startswith("$"):
        template = f"{{{template}}}"
    values = {each: _value(each, request, body, path, response) for each in _EXPRESSION.findall(template)}
    if any(value is None or isinstance(value, dict | list) for value in values.values()):
        return None
    return _EXPRESSION.sub(lambda found: f"{values[found[1]]}", template)


def _value(expression: str, request: Request, body: Any, path: Mapping[str, str], response: Response) -> Any:
    if expression == "$url":
        return request.url
    if expression == "$method":
        return request.method
    if expression == "$statusCode":
        return response.status
    source, _, name = expression.partition("#" if ".body" in expression else ".")
    if source == "$request.body":
        return _at(body, name)
    if source == "$response.body":
        return _at(response.json, name)
    kind, _, name = name.partition(".")
    if source == "$response":
        return response.headers.get(name) if kind == "header" else None
    match kind:
        case "header":
            return request.headers.get(name)
        case "query":
            return next(iter(request.arguments.get(name, ())), None)
        case "path":
            return path.get(name)
    return None


def _at(value: Any, pointer: str) -> Any:
    """Return what a JSON pointer leads to; None where it leads nowhere."""
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list) and key.isdecimal() and len(key) < 9 and int(key) < len(value):
            value = value[int(key)]
        else:
            return None
    return value
