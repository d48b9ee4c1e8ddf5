"""Why requests break the contract, shown as a diff between what was sent and what the contract wants.

Pure functions of a journal's entries and a contract; the pytest plugin prints what they return.
"""

from __future__ import annotations

import copy
import difflib
import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from bluehour.openapi import wording

if TYPE_CHECKING:
    from bluehour.mock_server.control.client import Entry
    from bluehour.openapi.contract import Contract
    from bluehour.openapi.schema import Fault, Schema
    from bluehour.openapi.validators import Path

_MOST_REQUESTS = 5
_MOST_LINES = 60
"""Lines of one body that are shown; the marked ones and those around them come first."""

_CONTEXT = 3
_SHORTEST_GAP = 3
"""So many lines are left out at least; of fewer the dots would say less than they do."""

_LONGEST_TEXT = 100
_INDENT = "  "


def report(entries: Sequence[Entry], contract: Contract) -> str:
    """Return what is wrong with the faulty ones of some requests, for a person; empty if all are legal."""
    faulty = [entry for entry in entries if entry.faults]
    if not faulty:
        return ""
    shown = [_request(entry, contract) for entry in faulty[:_MOST_REQUESTS]]
    if len(faulty) > len(shown):
        shown.append(f"… and {_count(len(faulty) - len(shown), 'more request')}")
    return "\n\n".join([_headline(faulty), *shown])


def diff(body: Any, schema: Schema) -> str:
    """Return a JSON body line by line, `-` at what breaks a schema and `+` at what it wants there.

    Lines that are far from both are left out. Empty if there is nothing to mark.
    """
    marks = _marks(body, schema)
    if not marks:
        return ""
    lines = list(_lines(body, (), marks))
    return "\n".join(_near_marks(lines))


def correction(body: Any, fault: Fault, schema: Schema) -> Any:
    """Return a legal value for where a fault is, as near to the one sent as can be told; None for none.

    Legal means that a body with this value in that place has no fault there any more.
    """
    if fault.keyword == "required" or not fault.path:
        return None
    for candidate in _candidates(fault):
        corrected = _with_value(body, fault.path, candidate)
        if not any(_is_within(other.path, fault.path) for other in schema.faults(corrected)):
            return candidate
    return None


def _headline(faulty: Sequence[Entry]) -> str:
    """One line for those who read no more: pytest's summary shows it alone."""
    first = _shortened(faulty[0].faults[0].message)
    if len(faulty) == 1:
        return f"A request breaks the contract: {first}"
    return f"{len(faulty):,} requests break the contract, the first one: {first}"


def _request(entry: Entry, contract: Contract) -> str:
    request = entry.request
    query = f"?{request.query}" if request.query else ""
    head = f"{request.method} {request.path}{query}, answered {entry.response.status}"
    faults = [f"  {message}" for message in dict.fromkeys(fault.message for fault in entry.faults)]
    return "\n".join([head, *faults, *_body(entry, contract)])


def _body(entry: Entry, contract: Contract) -> list[str]:
    """The body that was sent, with marks where the contract speaks of its fields."""
    schema = _schema(entry, contract)
    if schema is None:
        return []
    try:
        text = diff(entry.request.json, schema)
    except (ValueError, RecursionError):  # no JSON, or JSON deeper than anyone reads
        return [] if not entry.request.body else ["", f"  - {_shortened(entry.request.body)}"]
    return ["", *(f"  {line}" for line in text.splitlines())] if text else []


def _schema(entry: Entry, contract: Contract) -> Schema | None:
    operation = next((known for known in contract.operations if known.id == entry.operation), None)
    if operation is None or operation.body is None:
        return None
    media = operation.body.media_type(entry.request.header("Content-Type") or "application/json")
    return media.schema if media and media.is_json else None


# What to mark.


@dataclass(slots=True)
class _Mark:
    """What is to be seen at one place of a body: that it is wrong, and lines of what is wanted."""

    wrong: bool = False
    wanted: list[str] = field(default_factory=list)


def _marks(body: Any, schema: Schema) -> dict[Path, _Mark]:
    marks: dict[Path, _Mark] = {}
    by_path: dict[Path, list[Fault]] = {}
    for fault in schema.faults(body):
        by_path.setdefault(fault.path, []).append(fault)
    for path, faults in by_path.items():
        unknown = [name for fault in faults for name in _unknown_fields(fault)]
        for name in unknown:
            marks[(*path, name)] = _Mark(wrong=True)
        if unknown:
            continue
        missing = all(fault.keyword == "required" for fault in faults)
        marks[path] = _Mark(not missing, [_wanted(body, faults, schema)])
    return marks


def _unknown_fields(fault: Fault) -> list[str]:
    """The fields that an object must not have; unless patterns say which, then it can't be told here."""
    patterned = fault.keyword != "additionalProperties" or "patternProperties" in fault.schema
    if patterned or not isinstance(fault.value, dict):
        return []
    return [name for name in fault.value if name not in fault.schema.get("properties", {})]


def _wanted(body: Any, faults: list[Fault], schema: Schema) -> str:
    """One line: the field's name, a value or a placeholder, and in words what the contract wants."""
    fault = faults[0]
    value = correction(body, fault, schema)
    shown = _placeholder(fault) if value is None else json.dumps(value, ensure_ascii=False)
    name = fault.path[-1] if fault.path else None
    key = f"{json.dumps(name, ensure_ascii=False)}: " if isinstance(name, str) else ""
    return f"{key}{_shortened(shown)}  ({_rule(faults)})"


def _rule(faults: list[Fault]) -> str:
    fault = faults[0]
    phrases = [text for keywords, words in _PHRASES if (text := words(fault.schema, keywords))]
    if fault.keyword == "required":
        return ", ".join(["required", *phrases])
    named = {keyword for keywords, _ in _PHRASES for keyword in keywords}
    if fault.keyword in named and phrases:
        return ", ".join(phrases)
    if fault.keyword == "type":
        return ", ".join([_article(wording.expected_type({"type": fault.limit})), *phrases])
    return wording.describe(fault)


def _article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _placeholder(fault: Fault) -> str:
    match wording.expected_type(fault.schema):
        case "object":
            return "{…}"
        case "array":
            return "[…]"
        case expected:
            return f"<{expected}>"


# What the contract wants, in words: keywords, and what to say of them.

_Words = Callable[[dict[str, Any], Sequence[str]], str]


def _range(unit: str) -> _Words:
    def words(schema: dict[str, Any], keywords: Sequence[str]) -> str:
        low, high = (schema.get(keyword) for keyword in keywords)
        if low is not None and high is not None:
            return f"from {_number(low)} to {_number(high)}{_units(unit, high)}"
        if low is not None:
            return f"at least {_number(low)}{_units(unit, low)}"
        return "" if high is None else f"at most {_number(high)}{_units(unit, high)}"

    return words


def _limit(phrase: str) -> _Words:
    def words(schema: dict[str, Any], keywords: Sequence[str]) -> str:
        return f"{phrase} {_number(schema[keywords[0]])}" if keywords[0] in schema else ""

    return words


def _choices(schema: dict[str, Any], _keywords: Sequence[str]) -> str:
    choices = schema.get("enum", [schema["const"]] if "const" in schema else [])
    shown = ", ".join(json.dumps(choice, ensure_ascii=False) for choice in choices)
    return f"one of {shown}" if len(choices) > 1 else shown and f"only {shown}"


def _format(schema: dict[str, Any], _keywords: Sequence[str]) -> str:
    # Of numbers a format says how they are stored, which no caller can break.
    spoken = "format" in schema and schema.get("type", "string") == "string"
    return f"in the format {schema['format']}" if spoken else ""


def _no_twins(schema: dict[str, Any], _keywords: Sequence[str]) -> str:
    return "no item twice" if schema.get("uniqueItems") else ""


_PHRASES: tuple[tuple[Sequence[str], _Words], ...] = (
    (("multipleOf",), _limit("a multiple of")),
    (("minimum", "maximum"), _range("")),
    (("exclusiveMinimum",), _limit("greater than")),
    (("exclusiveMaximum",), _limit("less than")),
    (("enum", "const"), _choices),
    (("minLength", "maxLength"), _range("character")),
    (("minItems", "maxItems"), _range("item")),
    (("minProperties", "maxProperties"), _range("field")),
    (("pattern",), _limit("matching")),
    (("format",), _format),
    (("uniqueItems",), _no_twins),
)


def _number(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _units(unit: str, amount: Any) -> str:
    return unit and f" {unit}{'' if amount == 1 else 's'}"


# A value in place of a wrong one.


def _candidates(fault: Fault) -> Iterator[Any]:
    """Values that may be legal, the nearest to the one that was sent first."""
    schema, value = fault.schema, fault.value
    if "const" in schema:
        yield schema["const"]
    yield from _near_choices(value, schema.get("enum", []))
    number = _as_number(value)
    if number is not None:
        yield from _nearest_numbers(number, schema)
    if isinstance(value, str):
        yield from {"true": [True], "false": [False]}.get(value.lower(), [])
    if isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)
    if isinstance(value, list) and schema.get("uniqueItems"):
        yield [item for index, item in enumerate(value) if item not in value[:index]]
    yield from schema.get("examples", [])[:1]
    yield from schema.get("enum", [])[:1]


def _near_choices(value: Any, choices: list[Any]) -> list[str]:
    texts = {choice.lower(): choice for choice in choices if isinstance(choice, str)}
    wanted = value.lower() if isinstance(value, str) else ""
    return [texts[near] for near in difflib.get_close_matches(wanted, texts, n=1)]


def _as_number(value: Any) -> int | float | None:
    """A number, also where it is written as text."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            return None
        value = int(number) if number.is_integer() else number
    try:
        return value if isinstance(value, int | float) and math.isfinite(value) else None
    except OverflowError:  # a whole number beyond every float
        return None


def _nearest_numbers(number: int | float, schema: dict[str, Any]) -> Iterator[int | float]:
    """The number itself, within the bounds, and on the nearest step on either side of it."""
    low = max((schema[key] for key in ("minimum", "exclusiveMinimum") if key in schema), default=number)
    high = min((schema[key] for key in ("maximum", "exclusiveMaximum") if key in schema), default=number)
    bounded = min(max(number, low), high)
    step = schema.get("multipleOf", 1)
    yield bounded
    nearest = round(bounded / step)
    for steps in sorted((nearest - 1, nearest, nearest + 1), key=lambda steps: abs(steps * step - bounded)):
        on_step = steps * step
        yield int(on_step) if float(on_step).is_integer() else on_step


def _with_value(body: Any, path: Path, value: Any) -> Any:
    corrected = copy.deepcopy(body)
    parent = corrected
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] = value
    return corrected


def _is_within(path: Path, outer: Path) -> bool:
    return path[: len(outer)] == outer


# The lines.


@dataclass(frozen=True, slots=True)
class _Line:
    sign: str
    text: str


def _lines(value: Any, path: Path, marks: dict[Path, _Mark], tail: str = "") -> Iterator[_Line]:
    """A value, pretty-printed; what follows it on its last line is `tail`."""
    mark = marks.get(path, _Mark())
    sign = "-" if mark.wrong else " "
    margin = _INDENT * len(path)
    key = f"{json.dumps(path[-1], ensure_ascii=False)}: " if path and isinstance(path[-1], str) else ""
    children = _children(value)
    is_marked_within = any(len(at) > len(path) and _is_within(at, path) for at in marks)
    if not (is_marked_within or (children and not mark.wrong)):
        yield _Line(sign, f"{margin}{key}{_shortened(json.dumps(value, ensure_ascii=False))}{tail}")
    else:
        opening, closing = ("[", "]") if isinstance(value, list) else ("{", "}")
        yield _Line(sign, f"{margin}{key}{opening}")
        for index, (step, child) in enumerate(children):
            yield from _lines(child, (*path, step), marks, "," if index < len(children) - 1 else "")
        for missing in _missing_in(path, marks):
            yield from (_Line("+", f"{margin}{_INDENT}{wanted}") for wanted in marks[missing].wanted)
        yield _Line(sign, f"{margin}{closing}{tail}")
    if mark.wrong:
        yield from (_Line("+", f"{margin}{wanted}") for wanted in mark.wanted)


def _children(value: Any) -> list[tuple[str | int, Any]]:
    if isinstance(value, dict):
        return list(value.items())
    return list(enumerate(value)) if isinstance(value, list) else []


def _missing_in(path: Path, marks: dict[Path, _Mark]) -> list[Path]:
    return [at for at, mark in marks.items() if at and at[:-1] == path and not mark.wrong]


def _near_marks(lines: list[_Line]) -> Iterator[str]:
    """The marked lines with those around them, and a dash of dots for what lies between."""
    marked = [index for index, line in enumerate(lines) if line.sign != " "]
    near = {at for index in marked for at in range(index - _CONTEXT, index + _CONTEXT + 1)}
    ends = sorted({-1, *(at for at in near if 0 <= at < len(lines)), len(lines)})
    gaps = [range(end + 1, start) for end, start in pairwise(ends)]
    near.update(at for gap in gaps if len(gap) < _SHORTEST_GAP for at in gap)
    kept = [index for index in range(len(lines)) if index in near][:_MOST_LINES]
    before = -1
    for index in kept:
        if index > before + 1:
            yield "  …"
        yield f"{lines[index].sign} {lines[index].text}"
        before = index
    if before < len(lines) - 1:
        yield "  …"


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_TEXT else f"{line[:_LONGEST_TEXT]}…"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
