"""Which requests break the contract, and which deserve a warning."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bluehour.mock_server.app import create_app
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.journal.judging import faults_of, warnings_of
from bluehour.mock_server.mock import Mock
from bluehour.openapi.contract import load
from bluehour.openapi.model import JSON

from ..conftest import FACE, PHOTO, UPLOADS, Caller, face, photo
from .test_recording import entries, last


def faults(mock: Mock) -> list[tuple[str, str]]:
    return [(fault["where"], fault["message"]) for fault in last(mock)["faults"]]


def test_every_fault_is_named_with_its_place(caller: Caller, mock: Mock) -> None:
    caller.post(PHOTO, photo(resolution=100, style={"prompt": 5}))
    assert set(faults(mock)) == {
        ("resolution", "resolution must be at least 512"),
        ("style.prompt", "Invalid type for style.prompt: expected string, got integer"),
        ("style.image_description", "Missing required field: style.image_description (expected string)"),
        ("style.likeness_strength", "Missing required field: style.likeness_strength (expected number)"),
        ("style.prompt_strength", "Missing required field: style.prompt_strength (expected number)"),
    }


@pytest.mark.parametrize(
    ("sent", "where", "message"),
    [
        ({"data": b"{", "content_type": JSON}, "body", "Malformed JSON"),
        ({"data": b"", "content_type": JSON}, "body", "Missing request body"),
        ({"data": b"{}", "content_type": "text/plain"}, "body", "Invalid Content-Type"),
        ({"data": b"[]", "content_type": JSON}, "body", "expected object, got array"),
        (
            {"data": b'{"name": "\\u0000"}', "content_type": JSON},
            "name",
            "the character NUL",
        ),
    ],
)
def test_a_body_that_can_not_be_read_is_a_fault(
    caller: Caller, mock: Mock, sent: dict[str, Any], where: str, message: str
) -> None:
    caller.client.post(FACE, headers=caller.headers, **sent)
    places = dict(faults(mock))
    assert message in places[where]


def test_what_no_operation_is_there_for_is_a_fault(caller: Caller, mock: Mock) -> None:
    caller.client.get("/v2/ai-face-editor")
    assert faults(mock) == [("path", "The contract has no operation GET /v2/ai-face-editor")]
    caller.client.patch(FACE)
    assert faults(mock) == [("method", "The contract has no operation PATCH /v1/ai-face-editor")]


def test_a_fault_repeats_no_more_than_a_line_of_what_was_sent(caller: Caller, mock: Mock) -> None:
    caller.client.open("/v1/" + "x" * 10_000, method="M" * 10_000)
    caller.post(FACE, {**face(), "x" * 10_000: 1, "name": 5})
    for entry in entries(mock):
        said = [*(fault["message"] for fault in entry["faults"]), *entry["warnings"]]
        assert said
        assert all(len(each) < 300 for each in said)


@pytest.mark.parametrize("header", [None, "mhk_test_creator_5", "Basic abc", "Bearer", "Bearer a b"])
def test_credentials_that_are_missing_or_malformed_are_a_fault(
    caller: Caller, mock: Mock, header: str | None
) -> None:
    caller.client.post(FACE, json=face(), headers={"Authorization": header} if header else {})
    assert [where for where, _ in faults(mock)] == ["Authorization"]


def test_what_depends_on_the_state_is_no_fault(caller: Caller, mock: Mock) -> None:
    answers = [
        Caller(caller.client, "mhk_test_invalid").post(FACE, face()),
        Caller(caller.client, "mhk_test_creator_0").post(FACE, face()),
        caller.client.get("/v1/image-projects/unknown", headers=caller.headers),
        caller.post(FACE, face("api-assets/never/issued.png")),
    ]
    assert [answer.status_code for answer in answers] == [401, 402, 404, 422]
    assert all(each["faults"] == [] for each in entries(mock))


def test_a_forced_answer_hides_no_fault(caller: Caller, mock: Mock) -> None:
    mock.scenarios.add({"answer": {"status": 503}})
    caller.post(FACE, face(mouth_smile=7))
    assert faults(mock) == [("style.mouth_smile", "style.mouth_smile must be a multiple of 5")]


_JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-200, 200) | st.floats(-200, 200) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_SLIDERS = sorted(load().operation("aiFaceEditor.editImage").with_defaults(face())["style"])
_STYLES = st.dictionaries(st.sampled_from(_SLIDERS), _JSON_VALUES, max_size=4)
_BODIES = st.builds(lambda style: {**face(), "style": style}, _STYLES) | _JSON_VALUES


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=_BODIES)
def test_a_request_has_faults_if_and_only_if_it_is_answered_400(body: Any) -> None:
    mock = _SHARED
    answer = Caller(create_app(mock).test_client(), "any").post(FACE, None, json=body)
    assert mock.journal is not None
    assert bool(faults_of(mock.journal.all()[-1])) == (answer.status_code == 400)


_SHARED = Mock(settings=Settings(credits=10**9))


def test_unknown_keys_are_warned_of_with_what_was_likely_meant(caller: Caller, mock: Mock) -> None:
    caller.post(FACE, {**face(mouth_smyle=60), "quantum": {"a": 1}})
    assert last(mock)["response"]["status"] == 200
    assert sorted(last(mock)["warnings"]) == [
        "unknown key quantum: it is ignored",
        "unknown key style.mouth_smyle: it is ignored; did you mean mouth_smile?",
    ]


def test_keys_inside_a_list_are_looked_at(caller: Caller, mock: Mock) -> None:
    caller.post(UPLOADS, {"items": [{"type": "image", "extension": "png", "size": 3}]})
    assert last(mock)["warnings"] == ["unknown key items[0].size: it is ignored"]


def test_a_deprecated_field_is_warned_of_with_what_to_use(caller: Caller, mock: Mock) -> None:
    caller.post(PHOTO, photo(steps=123))
    assert last(mock)["warnings"] == [
        "steps is deprecated: Please use `.style.steps` instead, which wins where both are sent"
    ]


def test_of_the_published_examples_those_of_deprecated_fields_alone_deserve_a_warning() -> None:
    mock = Mock()
    caller = Caller(create_app(mock).test_client(), "any")
    for operation in load().operations:
        for name, example in operation.json_body.named.items() if operation.json_body else ():
            caller.post(operation.path, example)
            assert mock.journal is not None
            kept = mock.journal.all()[-1]
            assert faults_of(kept) == []
            assert bool(warnings_of(kept)) == name.startswith("deprecated"), (operation.id, name)
            mock.journal.clear()
    mock.close()
