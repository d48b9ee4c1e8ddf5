"""Scripts as data: kept as JSON and read again, refused in a line where they are none, told in words."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bluehour.contracts.fuzz.script import (
    AS_ASKED,
    FORMAT,
    IN_WORDS,
    RIGHT,
    Case,
    Event,
    Fault,
    Framing,
    Place,
    Script,
    ScriptError,
    Turn,
    Writing,
    dumped,
    loaded,
    story,
)
from tests.profiles import examples

from .playing import at

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
HEADER = st.text(st.characters(min_codepoint=32, max_codepoint=126))
TURNS = st.builds(
    Turn,
    status=st.sampled_from((0, 200, 201, 204, 302, 402, 429, 500, 520)),
    code=st.text(),
    page=st.booleans(),
    retry_after=HEADER,
    fault=st.none() | st.sampled_from(Fault),
    booked=st.booleans(),
    delay=st.floats(0, 60),
    fields=st.dictionaries(st.text(), JSON, max_size=3),
    without=st.lists(st.text(), max_size=3).map(tuple),
    framing=st.sampled_from(get_args(Framing)),
    case=st.sampled_from(get_args(Case)),
    writing=st.sampled_from(get_args(Writing)),
    content_type=HEADER,
    headers=st.dictionaries(HEADER, HEADER, max_size=3),
)
SCRIPTS = st.builds(
    Script,
    answers=st.dictionaries(
        st.sampled_from(Place), st.lists(TURNS, min_size=1, max_size=3).map(tuple), max_size=3
    ),
    job=st.lists(HEADER, min_size=1, max_size=4).map(tuple),
    job_error=st.text(),
    pictures=st.sampled_from([AS_ASKED, *range(17)]),
    shorter=st.booleans(),
    same_name=st.booleans(),
    deleted=st.booleans(),
    gone=st.sampled_from(("", "start", *Place)),
)


@examples(40)
@given(SCRIPTS)
def test_whatever_is_kept_is_read_again(script: Script) -> None:
    assert loaded(dumped(script)) == script
    assert loaded(dumped(script, {"breaks": "pay.once"})) == script


def test_a_script_with_nothing_in_it_is_kept_as_nothing() -> None:
    assert json.loads(dumped(Script())) == {"format": FORMAT, "story": [], "script": {}}
    assert json.loads(dumped(Script({Place.CREATE: ()})))["script"] == {}


def test_only_what_is_not_as_usual_is_kept_and_facts_about_it_stand_before_it() -> None:
    script = at(Place.CREATE, RIGHT, Turn(status=402, code="a"), pictures=2)
    text = dumped(script, {"breaks": "pay.once"})
    assert list(json.loads(text)) == ["format", "breaks", "story", "script"]
    assert json.loads(text)["script"] == {
        "pictures": 2,
        "answers": {"create": [{}, {"status": 402, "code": "a"}]},
    }


def test_the_fewer_there_is_to_read_the_smaller_is_a_script() -> None:
    small, more = at(Place.CREATE, Turn(fault=Fault.EMPTY)), at(Place.CREATE, RIGHT, Turn(fault=Fault.EMPTY))
    assert Script().size < small.size < more.size


# What is none.


def of(script: Any) -> str:
    return json.dumps({"format": FORMAT, "script": script})


def of_turn(turn: Any) -> str:
    return of({"answers": {"create": [turn]}})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "it is no JSON"),
        ("{", "it is no JSON"),
        ("<html>\n</html>", "it is no JSON"),
        ("9" * 5000, "it is no JSON"),
        ("null", '"format"'),
        ("[]", '"format"'),
        ("{}", '"format"'),
        ('{"format": "bluehour fuzz script 2", "script": {}}', '"format"'),
        (f'{{"format": "{FORMAT}"}}', '"script"'),
        (of([]), '"script"'),
        (of({"answers": []}), '"answers"'),
        (of({"answers": None}), '"answers"'),
        (of({"anwsers": {}}), "there is no 'anwsers'"),
        (of({"answers": {"nowhere": []}}), "'nowhere'"),
        (of({"answers": {"two\nlines": []}}), "two"),
        (of({"answers": {"create": 5}}), ""),
        (of({"answers": {"create": "text"}}), "the answers of create are no list"),
        (of({"answers": {"create": {"status": 500}}}), "the answers of create are no list"),
        (of({"job": "complete"}), "job can't be 'complete'"),
        (of({"job": [1]}), "job can't be"),
        (of({"pictures": "1"}), "pictures can't be '1'"),
        (of({"pictures": -1}), "pictures can't be -1"),
        (of({"pictures": True}), "pictures can't be True"),
        (of({"same_name": 1}), "same_name can't be 1"),
        (of({"gone": None}), "gone can't be None"),
        (of_turn(None), "None is no object"),
        (of_turn([]), "is no object"),
        (of_turn({"statsu": 500}), "there is no 'statsu'; there are status, code, page"),
        (of_turn({"status": "500"}), "status can't be '500'"),
        (of_turn({"status": None}), "status can't be None"),
        (of_turn({"fault": "explodes"}), "'explodes'"),
        (of_turn({"fault": 5}), "fault can't be 5"),
        (of_turn({"delay": -1}), "delay can't be -1"),
        (of_turn({"fields": []}), "fields can't be []"),
        (of_turn({"without": "id"}), "without can't be 'id'"),
        (of_turn({"without": [None]}), "without can't be"),
        (of_turn({"headers": ["X"]}), "headers can't be"),
        (of_turn({"code": "a", "retry_after": 7}), "retry_after can't be 7"),
        (of_turn({"events": ["gone"]}), "events are some of started, ended, forged, unsigned"),
        (of_turn({"events": ["ended"] * 11}), "events are at most 10"),
    ],
)
def test_what_is_no_script_is_refused_in_a_line_that_says_why(text: str, says: str) -> None:
    with pytest.raises(ScriptError) as refused:
        loaded(text)
    assert says in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        of({"job": []}),
        of({"pictures": 1.5}),
        of({"pictures": 17}),
        of({"shorter": 1}),
        of({"gone": "nowhere"}),
        of_turn({"status": 200.5}),
        of_turn({"status": 99}),
        of_turn({"status": 600}),
        of_turn({"status": 10**30}),
        of_turn({"delay": float("inf")}),
        of_turn({"framing": "pigeon"}),
        of_turn({"case": "camel"}),
        of_turn({"writing": "latin"}),
        of_turn({"fault": ""}),
        of_turn({"headers": {"X": 5}}),
    ],
    ids=lambda text: text.partition('"script": ')[2][:60] or "deep",
)
def test_what_can_not_be_played_is_no_script(text: str) -> None:
    with pytest.raises(ScriptError) as refused:
        loaded(text)
    assert len(str(refused.value).splitlines()) == 1


@example(of({"answers": {"create": ["\x85"]}}))
@examples(80)
@given(
    st.one_of(
        st.text(),
        JSON.map(of),
        JSON.map(of_turn),
        st.dictionaries(st.sampled_from(tuple(Script.__dataclass_fields__)), JSON, max_size=3).map(of),
        st.dictionaries(st.sampled_from(tuple(Turn.__dataclass_fields__)), JSON, max_size=3).map(of_turn),
        st.dictionaries(st.sampled_from(Place), JSON, max_size=2).map(lambda each: of({"answers": each})),
    )
)
def test_whatever_a_file_has_it_is_a_script_or_a_line_says_why_not(text: str) -> None:
    told = outcome(text)
    if isinstance(told, Script):
        assert dumped(loaded(dumped(told))) == dumped(told)
    else:
        assert len(told.splitlines()) == 1


def outcome(text: str) -> Script | str:
    """The script, or why it is none."""
    try:
        return loaded(text)
    except ScriptError as error:
        return str(error)


# In words.

SUCCESS = "create answered with success"


@pytest.mark.parametrize(
    ("turn", "told"),
    [
        (Turn(fault=Fault.NO_TYPE), f"{SUCCESS}, without Content-Type"),
        (Turn(fault=Fault.EMPTY), f"{SUCCESS}, the body is empty"),
        (Turn(fault=Fault.CUT, framing="chunked"), f"{SUCCESS}, the body is cut off in its middle, chunked"),
        (
            Turn(fault=Fault.RESET_AFTER),
            "create: it is done, and the connection is reset in place of an answer",
        ),
        (Turn(fault=Fault.RESET), "create: the connection is reset, and nothing was done"),
        (Turn(fault=Fault.SILENCE), "create: no answer, and nothing was done"),
        (Turn(fault=Fault.SILENCE_AFTER), "create: it is done, and no answer comes"),
        (Turn(fault=Fault.REDIRECT, status=307), "create answered 307, redirected to another host"),
        (
            Turn(status=402, code="plan_upgrade_required"),
            "create answered 402 plan_upgrade_required",
        ),
        (Turn(status=502, page=True), "create answered 502 and an HTML page"),
        (Turn(status=429, retry_after="date+7"), "create answered 429, Retry-After: date+7"),
        (Turn(status=500, booked=True), "create answered 500, though it was carried out"),
        (Turn(delay=0.5), f"{SUCCESS}, after 0.5 s"),
        (Turn(fields={"id": "a/b", "n": None}), f'{SUCCESS}, id is "a/b", n is null'),
        (Turn(fields={"id": "x" * 99}), f'{SUCCESS}, id is "{"x" * 59}…'),
        (Turn(without=("id", "n")), f"{SUCCESS}, without id, without n"),
        (
            Turn(events=(Event.ENDED, Event.FORGED)),
            f"{SUCCESS}, before it comes the event of its end and an event with a wrong signature",
        ),
        (Turn(framing="close"), f"{SUCCESS}, the body's end told by the connection's"),
        (Turn(case="upper"), f"{SUCCESS}, names of headers in upper case"),
        (Turn(writing="ascii"), f"{SUCCESS}, JSON with \\u escapes"),
        (Turn(writing="spaced"), f"{SUCCESS}, JSON over several lines"),
        (Turn(content_type="Application/JSON"), f"{SUCCESS}, Content-Type: Application/JSON"),
        (Turn(headers={"Vary": "a", "Via": "b"}), f"{SUCCESS}, with Vary, Via"),
    ],
)
def test_an_answer_is_told_in_words(turn: Turn, told: str) -> None:
    assert list(story(at(Place.CREATE, turn))) == [told]


@pytest.mark.parametrize(
    ("script", "told"),
    [
        (Script(), []),
        (Script(gone="start"), ["nothing can connect to the API"]),
        (Script(gone="create"), ["after create nothing can connect to the API any more"]),
        (Script(job=("queued", "complete")), ["the project is queued, then complete"]),
        (
            Script(job=("queued",) * 20 + ("canceled",)),
            ["the project is queued, 20 times, then canceled"],
        ),
        (
            Script(job=("error",), job_error="no_source_face"),
            ["the project is in error", "its error is no_source_face"],
        ),
        (Script(job_error="no_source_face"), []),
        (Script(pictures=0), ["it has no files"]),
        (Script(pictures=2, same_name=True), ["it has 2 files", "its files have one name"]),
        (Script(shorter=True), ["it is shorter than was asked for"]),
        (Script(deleted=True), ["somebody has deleted it"]),
        (
            at(Place.UPLOAD, RIGHT, Turn(fault=Fault.REFUSED)),
            ["upload 2: the link's host refuses connections"],
        ),
        (
            Script({Place.POLL: (Turn(status=500),), Place.UPLOAD_URLS: (Turn(status=404),)}),
            ["upload-urls answered 404", "poll answered 500"],
        ),
    ],
)
def test_a_script_is_told_in_the_order_in_which_a_client_meets_it(script: Script, told: list[str]) -> None:
    assert list(story(script)) == told


def test_every_fault_has_words() -> None:
    assert set(IN_WORDS) == set(Fault)
    assert len(set(IN_WORDS.values())) == len(Fault)


def test_the_place_where_nothing_is_said_is_answered_right() -> None:
    script = at(Place.POLL, Turn(status=500))
    assert script.turn(Place.POLL, 0).status == 500
    assert script.turn(Place.POLL, 1) is script.turn(Place.CREATE, 0) is RIGHT


@pytest.mark.parametrize("fault", Fault)
def test_whoever_may_wait_for_ever_is_told_to_be_patient_for_less_long(fault: Fault) -> None:
    assert at(Place.CREATE, RIGHT, Turn(fault=fault)).has_silence == ("silence" in fault)
