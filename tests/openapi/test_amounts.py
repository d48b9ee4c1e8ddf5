"""Amounts: what each form is, and that none fails, whatever a request has where it looks."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluehour.openapi import terms
from bluehour.openapi.amounts import fields_in, key_of, value_of
from bluehour.openapi.model import JSON, MediaType, Operation, RequestBody
from bluehour.openapi.outputs import MAX_EDGE, MOST_FILES, size_of
from bluehour.openapi.own_keys import leave_out_wrong
from bluehour.openapi.schema import Schema
from tests.profiles import examples

PLANS = {"free": {"longest-edge": 576}, "pro": {"longest-edge": 1472}}
REQUEST = {"model": "b", "size": 2.0, "sound": True, "style": {"prompt": "Schöne Grüße 👋"}, "none": None}
BY_MODEL = {"by": "model", "of": {"a": 1, "b": {"by": "sound", "of": {"true": 7}}}, "else": 3}


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        (5, 5),
        ("png", "png"),
        (True, True),
        ({"field": "size"}, 2),
        ({"field": "style.prompt"}, "Schöne Grüße 👋"),
        ({"field": "style.nothing"}, None),
        ({"field": "model.nothing"}, None),
        ({"field": "none"}, None),
        ({"field": "$plan"}, "pro"),
        (BY_MODEL, 7),
        ({**BY_MODEL, "by": "nothing"}, 3),
        ({"by": "size", "of": {"2": "two"}}, "two"),
        ({"by": "size", "of": {"3": "three"}}, None),
        ({"by": "$plan", "of": {"free": 1}, "else": 2}, 2),
        ({"product": [{"field": "size"}, BY_MODEL, 0.5]}, 7),
        ({"product": [{"field": "model"}, 2]}, None),
        ({"difference": [{"field": "size"}, 5]}, -3),
        ({"difference": [{"field": "nothing"}, 5]}, None),
        ({"smallest": [{"field": "size"}, 24, {"field": "nothing"}]}, 2),
        ({"smallest": [{"field": "nothing"}]}, None),
        ({"characters": "style.prompt"}, 14),
        ({"characters": "size"}, None),
    ],
)
def test_an_amount_is_worked_out(amount: Any, expected: Any) -> None:
    assert value_of(amount, REQUEST, "pro") == expected


def test_the_fields_that_an_amount_depends_on() -> None:
    assert list(fields_in({"product": [BY_MODEL, {"characters": "style.prompt"}]})) == [
        "model",
        "sound",
        "style.prompt",
    ]


@pytest.mark.parametrize(
    ("value", "key"), [(True, "true"), (False, "false"), (2, "2"), (2.0, "2"), (0.5, "0.5"), (None, "None")]
)
def test_a_value_is_listed_as_a_text(value: Any, key: str) -> None:
    assert key_of(value) == key


_FIELDS = st.sampled_from(["a", "b", "b.a", "b.b.a", "$plan"])
_SCALARS = (
    st.booleans()
    | st.integers()
    | st.sampled_from([10**400, -(10**400), 1e308, -1e308, 5e-324, 0.0, -0.0])
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["png", "same", "16:9", "0:1", "9999:1", "free", "pro", "1..9", "9" * 5000 + "..9", ""])
)
_VALUES = st.recursive(
    st.none() | _SCALARS | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=6,
)
_REQUESTS = st.dictionaries(st.sampled_from("abc"), _VALUES, max_size=3)
_KEYS = st.dictionaries(st.sampled_from(["true", "2", "a", "free", "None"]), _SCALARS, max_size=2)


def _chosen(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    table = st.dictionaries(st.sampled_from(["true", "2", "a", "free", "None", "[]"]), inner, max_size=3)
    return st.fixed_dictionaries({"by": _FIELDS, "of": table}, optional={"else": inner})


_AMOUNTS = st.recursive(
    _SCALARS | st.fixed_dictionaries({"field": _FIELDS}) | st.fixed_dictionaries({"characters": _FIELDS}),
    lambda inner: (
        _chosen(inner)
        | st.fixed_dictionaries({"product": st.lists(inner, min_size=1, max_size=3)})
        | st.fixed_dictionaries({"smallest": st.lists(inner, min_size=1, max_size=3)})
        | st.fixed_dictionaries({"difference": st.lists(inner, min_size=2, max_size=2)})
    ),
    max_leaves=6,
)
_CHOICES = st.recursive(st.lists(_SCALARS, max_size=3), _chosen, max_leaves=3)
_CREDITS = st.integers(0, 10**400) | st.fixed_dictionaries(
    {"per": st.sampled_from(["image", "second", "frame"]), "rate": _AMOUNTS},
    optional={"of": _AMOUNTS, "minimum": st.integers(0, 9), "settles": st.booleans()},
)
_MADE = """
format name count seconds fps most-seconds longest-edge shortest-edge scale aspect transparent content audio
"""
_OUTPUT = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(_MADE.split(), _AMOUNTS),
)
_RULES = st.fixed_dictionaries(
    {},
    optional={
        "x-default": _AMOUNTS,
        "x-means": st.dictionaries(st.sampled_from(["png", "a", ""]), _AMOUNTS, max_size=2),
        "x-allowed": _CHOICES,
        "x-plan-needed": st.recursive(st.sampled_from([*PLANS]), _chosen, max_leaves=3),
        "x-required-if": st.dictionaries(st.sampled_from(["a", "b.a"]), _SCALARS | st.lists(_SCALARS)),
        "x-most-items": _AMOUNTS,
        "x-plan-limit": st.just("longest-edge"),
    },
)


@examples(200)
@given(amount=_AMOUNTS, request=_REQUESTS, plan=st.sampled_from(["", *PLANS]))
def test_every_amount_is_something_for_every_request(amount: Any, request: Any, plan: str) -> None:
    key_of(value_of(amount, request, plan))


@examples(60)
@given(
    credits=_CREDITS,
    output=_OUTPUT,
    rules=st.tuples(_RULES, _RULES),
    request=_REQUESTS,
    plan=st.sampled_from(["", *PLANS]),
)
def test_all_that_can_be_said_of_an_operation_can_be_worked_out_for_every_request(
    credits: Any, output: Any, rules: Any, request: Any, plan: str
) -> None:
    inner = {"type": "object", "properties": {"a": rules[1], "b": {"properties": {"a": {}}}}}
    schema = Schema({}, {"properties": {"a": rules[0], "b": inner}})
    body = RequestBody(False, {JSON: MediaType(JSON, schema, ())})
    node = {"x-behaviour": "create-project", "x-credits": credits, "x-output": output}
    operation = Operation("o", "POST", "/o", (), body, {}, (), node)
    assert list(leave_out_wrong([operation], [*PLANS], [])) == []

    meant = terms.meant(operation, request, plan)
    assert all(each.message for each in terms.objections(operation, meant, plan, PLANS))
    price, made = terms.price(operation, meant, plan), terms.output(operation, meant, plan)
    assert price is None or price >= 0
    assert 1 <= made.count <= MOST_FILES
    assert len(made.names("png")) == made.count
    assert all(1 <= edge <= MAX_EDGE for edge in size_of(made, (640, 480), 576))
    really = terms.really_made(made, 2.0, 24.0)
    settled = terms.settled_price(operation, meant, plan, really)
    assert settled is None or price is None or settled < price
