"""Topics: all that the contract and the network allow is met, and only what is legal where that is said."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluehour.contracts.fuzz.cli import fuzz as command
from bluehour.contracts.fuzz.playing import Theatre
from bluehour.contracts.fuzz.scene import scene_of
from bluehour.contracts.fuzz.script import Fault, Place, Script, Turn, dumped, loaded, story
from bluehour.contracts.fuzz.stage.bodies import PLACES
from bluehour.contracts.fuzz.strategies import Profile, Topic, others, topics
from bluehour.contracts.fuzz.wanted import wanted_of
from bluehour.contracts.statuses import OVER
from bluehour.openapi.contract import load
from tests.profiles import examples

from .playing import CONTRACT, broken, judged, theatre

LEGAL, REALISTIC, HOSTILE = (topics(CONTRACT, profile) for profile in Profile)
OF_API = (Place.UPLOAD_URLS, Place.CREATE, Place.POLL)


def turns(of: list[Topic], place: Place) -> Iterator[Turn]:
    return (turn for topic in of for turn in topic.about.answers.get(place, ()))


def names(of: list[Topic]) -> list[str]:
    return [topic.name for topic in of]


def test_every_topic_has_a_name_of_its_own() -> None:
    assert [name for name, times in Counter(names(HOSTILE)).items() if times > 1] == []
    assert all(name == " ".join(name.split()) and name for name in names(HOSTILE))


def test_no_two_topics_are_about_the_same() -> None:
    scripts = Counter(dumped(topic.about) for topic in HOSTILE)
    assert [script for script, times in scripts.items() if times > 1] == []


def test_each_profile_has_what_is_in_those_before_it() -> None:
    assert HOSTILE[: len(REALISTIC)] == REALISTIC
    assert REALISTIC[: len(LEGAL)] == LEGAL
    assert 0 < len(LEGAL) < len(REALISTIC) < len(HOSTILE)


def test_the_scripts_that_are_drawn_by_default_are_enough_to_meet_every_realistic_topic() -> None:
    by_default = next(each.default for each in command.params if each.name == "examples")
    assert isinstance(by_default, int)
    assert len(REALISTIC) <= by_default


def test_only_what_is_in_the_legal_profile_is_legal() -> None:
    assert all(topic.is_legal for topic in LEGAL)
    assert not any(topic.is_legal for topic in REALISTIC[len(LEGAL) :])
    assert all(topic.is_usual for topic in REALISTIC)


def test_what_no_server_of_the_contract_sends_is_hostile_to_go_by_its_examples() -> None:
    """Examples have `cuid-example`, `api-assets/id/1234.png`, `2024-10-19T05:16:19.027Z`."""
    ids = [name for name in names(HOSTILE) if name.startswith(("an id", "a file_path"))]
    assert [name for name in ids if name in names(REALISTIC)] == [
        "an id with a hundred characters",
        "an id with digits alone",
    ]
    assert "an id with a slash" in ids
    times = [name for name in names(HOSTILE) if name.startswith("poll times")]
    assert [name for name in times if name not in names(REALISTIC)] == [
        "poll times 2024-10-19T07:16:19+02:00"
    ]


@pytest.mark.parametrize(
    ("id_schema", "realistic", "legal"),
    [
        ({"examples": ["team/clx7uu86w"]}, {"a slash", "a hundred characters", "digits alone"}, True),
        ({"pattern": "^[0-9]+$", "examples": ["17"]}, {"digits alone"}, False),
    ],
)
def test_which_ids_are_realistic_the_contract_says(
    tmp_path: Path, id_schema: dict[str, object], realistic: set[str], legal: bool
) -> None:
    overlay = tmp_path / "ids.json"
    target = "$.components.schemas.CreatedImageProject.properties.id"
    info = {"title": "Ids", "version": "1"}
    actions = [{"target": target, "update": id_schema}]
    overlay.write_text(json.dumps({"overlay": "1.0.0", "info": info, "actions": actions}))
    contract = load(overlays=(overlay,))
    assert {f"an id with {each}" for each in realistic} == {
        name for name in names(topics(contract, Profile.REALISTIC)) if name.startswith("an id")
    }
    (slash,) = [each for each in topics(contract, Profile.HOSTILE) if each.name == "an id with a slash"]
    assert slash.is_legal is legal


@pytest.mark.parametrize("name", ["ai-photo-editor", "face-swap", "ai-voice-cloner", "face-detection"])
def test_every_status_that_an_operation_declares_is_met_with_every_code(name: str) -> None:
    wanted = wanted_of(CONTRACT, name)
    legal = topics(CONTRACT, Profile.LEGAL, wanted)
    for place, operation in scene_of(CONTRACT, wanted).operations.items():
        met = {(turn.status, turn.code) for turn in turns(legal, place)}
        for status in map(int, operation.responses):
            if status < 400:
                continue
            response = CONTRACT.declared(operation, status)
            assert response is not None
            assert response.json is not None
            codes = response.json.schema.resolved["properties"]["code"].get("enum", [""])
            assert {(status, code) for code in codes} <= met
        assert any(status == 429 for status, _ in met)


def test_every_way_to_ask_for_a_wait_is_met() -> None:
    for place in OF_API:
        asked = {turn.retry_after for turn in turns(LEGAL, place) if turn.status == 429}
        assert "" in asked
        assert any(wait.isdecimal() for wait in asked)
        assert any(wait.startswith("date+") for wait in asked)


def test_every_end_of_a_job_is_met_and_every_reason() -> None:
    ends = {(topic.about.job[-1], topic.about.job_error) for topic in LEGAL}
    for code in CONTRACT.extension("x-job-errors", {}):
        assert ("error", code) in ends
    assert any(end == "error" and code not in CONTRACT.extension("x-job-errors", {}) for end, code in ends)
    assert {end for end, _ in ends} == set(OVER)


def test_every_status_of_a_project_is_met_and_no_other_by_what_is_legal() -> None:
    operation = next(each for each in CONTRACT.operations if PLACES.get(each.behaviour or "") is Place.POLL)
    media = operation.success[1].json
    assert media is not None
    statuses = set(media.schema.resolved["properties"]["status"]["enum"])
    assert {state for topic in LEGAL for state in topic.about.job} == statuses
    assert {state for topic in REALISTIC for state in topic.about.job} > statuses


def test_every_fault_is_met_by_what_is_realistic_and_only_expired_links_by_what_is_legal() -> None:
    met = {turn.fault for place in Place for turn in turns(REALISTIC, place)} - {None}
    assert met == set(Fault)
    assert {turn.fault for place in Place for turn in turns(LEGAL, place)} == {None, Fault.EXPIRED}


def test_a_fault_is_where_it_can_be() -> None:
    for place in Place:
        faults = {turn.fault for turn in turns(HOSTILE, place)} - {None}
        links_only = {Fault.REFUSED, Fault.EXPIRED}
        assert not (place.is_of_api and faults & links_only), place
        assert place in (Place.DELETE, Place.CALL) or faults, place


def test_every_way_of_writing_is_met_by_what_is_legal() -> None:
    met = [turn for place in Place for turn in turns(LEGAL, place)]
    assert {turn.framing for turn in met} == {"length", "chunked", "close"}
    assert {turn.case for turn in met} == {"usual", "lower", "upper", "mixed"}
    assert {turn.writing for turn in met} == {"usual", "ascii", "spaced"}
    assert any(turn.content_type for turn in met)
    assert any(turn.headers for turn in met)
    assert any(turn.delay for turn in met)


def test_a_code_that_is_new_is_met_where_the_list_of_codes_is_closed_and_where_it_is_open() -> None:
    assert "a_new_code" in {turn.code for turn in turns(REALISTIC, Place.CREATE)}
    assert "a_new_code" in {topic.about.job_error for topic in LEGAL}


def test_a_rate_limit_is_met_after_answers_that_were_right() -> None:
    begun = [topic.about.answers.get(Place.POLL, ())[:2] for topic in REALISTIC]
    assert any(turns and turns[0].succeeds and turns[-1].status == 429 for turns in begun)


def test_a_gateway_books_what_it_has_given_up_and_only_a_hostile_server_what_it_refuses_itself() -> None:
    booked = {turn.status for turn in turns(REALISTIC, Place.CREATE) if turn.booked}
    assert booked == {504, 524}
    assert {turn.status for turn in turns(HOSTILE, Place.CREATE) if turn.booked} > booked


def test_upload_links_are_signed_for_a_type_where_there_are_uploads() -> None:
    assert any(topic.about.typed for topic in REALISTIC)
    assert not any(topic.about.typed for topic in LEGAL)
    without = topics(CONTRACT, Profile.HOSTILE, wanted_of(CONTRACT, "ai-image-generator"))
    assert not any(topic.about.typed for topic in without)


def test_only_a_hostile_server_leaves_out_what_it_owes() -> None:
    for place in Place:
        assert not any(turn.without for turn in turns(REALISTIC, place))
    left_out = {path for turn in turns(HOSTILE, Place.POLL) for path in turn.without}
    operation = next(each for each in CONTRACT.operations if PLACES.get(each.behaviour or "") is Place.POLL)
    media = operation.success[1].json
    assert media is not None
    assert left_out == set(media.schema.resolved["required"])


@pytest.mark.parametrize("gone", ["start", *OF_API])
def test_the_api_is_gone_from_each_step_on(gone: str) -> None:
    assert any(topic.about.gone == gone for topic in REALISTIC)
    assert not any(topic.about.gone for topic in LEGAL)


def test_every_topic_can_be_saved_and_told() -> None:
    for topic in HOSTILE:
        assert loaded(dumped(topic.about)) == topic.about
        assert topic.about == Script() or list(story(topic.about)), topic.name


# Played.


@pytest.fixture(scope="module")
def opened() -> Iterator[Theatre]:
    with theatre() as opened:
        yield opened


def test_a_careful_client_breaks_no_rule_in_any_topic_and_meets_only_legal_answers_in_the_legal_ones(
    opened: Theatre,
) -> None:
    """The one client that must never be blamed."""
    for topic in HOSTILE:
        played = opened.play(topic.about)
        assert judged(played) == [], topic.name
        assert played.ending.outcome in ("done", "refused"), topic.name
        assert played.is_legal or not topic.is_legal, topic.name


def test_a_script_with_nothing_in_it_is_one_edit_from_its_upload_to_its_download(opened: Theatre) -> None:
    usual = [(each.place, each.status) for each in opened.play(Script()).asked]
    assert [place for place, _ in usual] == [
        Place.UPLOAD_URLS, Place.UPLOAD, Place.CREATE, Place.POLL, Place.DOWNLOAD,
    ]  # fmt: skip
    assert broken(opened.play(Script())) == set()


# Drawn.


def test_the_simplest_script_of_a_topic_is_nothing_but_it() -> None:
    from hypothesis import find
    from hypothesis.database import InMemoryExampleDatabase

    besides = others(LEGAL)
    for topic in LEGAL[::25]:
        settled = examples(20, database=InMemoryExampleDatabase())
        assert find(topic.scripts(besides), lambda _: True, settings=settled) == topic.about


@examples(30, database=None)
@given(st.data())
def test_whatever_else_happens_the_topic_comes_first(data: st.DataObject) -> None:
    topic = data.draw(st.sampled_from(HOSTILE))
    script = data.draw(topic.scripts(others(HOSTILE)))
    usual = Script()
    for place, answers in topic.about.answers.items():
        assert script.answers[place][: len(answers)] == answers
    for name in ("job", "job_error", "pictures", "same_name", "deleted", "gone"):
        wanted = getattr(topic.about, name)
        assert wanted == getattr(usual, name) or getattr(script, name) == wanted
    assert loaded(dumped(script)) == script


@examples(30, database=None)
@given(st.data())
def test_of_legal_topics_legal_scripts_are_drawn(data: st.DataObject) -> None:
    topic = data.draw(st.sampled_from(LEGAL))
    script = data.draw(topic.scripts(others(LEGAL)))
    for answers in script.answers.values():
        for turn in answers:
            assert turn.fault in (None, Fault.EXPIRED)
            assert (turn.page, turn.booked, turn.without) == (False, False, ())
    assert not script.gone
