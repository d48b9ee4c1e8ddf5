"""`--operation`: whatever the contract can create is asked for, played to its end, and judged."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluehour.contracts.fuzz.clients import ClientError
from bluehour.contracts.fuzz.report import terminal
from bluehour.contracts.fuzz.script import Fault, Place, Script, Turn
from bluehour.contracts.fuzz.stage.media import GIVEN
from bluehour.contracts.fuzz.strategies import Profile, others, topics
from bluehour.contracts.fuzz.wanted import wanted_of
from bluehour.openapi import terms
from tests.profiles import examples, few

from . import careful
from .maker import CREATES, Maker
from .playing import CONTRACT, asked_for, broken, fuzzed, judged, play, theatre

PATHS = [each.path for each in CREATES]
VIDEO, SOUND, FACES, PICTURES = "text-to-video", "ai-voice-cloner", "face-detection", "ai-image-generator"
FOUR = {"image_count": 4}
LOST = Turn(fault=Fault.RESET_AFTER)
ASKED: Mapping[str, Mapping[str, Any]] = {VIDEO: {}, SOUND: {}, FACES: {}, PICTURES: FOUR}


def named(name: str) -> set[str]:
    """The names of the topics of an operation, in all profiles."""
    return {topic.name for topic in topics(CONTRACT, Profile.HOSTILE, wanted_of(CONTRACT, name))}


# What is asked for.


@pytest.mark.parametrize("name", ["textToVideo.createVideo", "/v1/text-to-video", "text-to-video"])
def test_an_operation_is_named_by_its_id_or_by_its_path(name: str) -> None:
    assert wanted_of(CONTRACT, name).operation.id == "textToVideo.createVideo"


def test_a_name_that_is_none_is_told_with_those_that_there_are() -> None:
    with pytest.raises(ValueError, match="there is no create 'text-to-smell'") as told:
        wanted_of(CONTRACT, "text-to-smell")
    assert all(path in str(told.value) for path in PATHS)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("name", ["image-projects/{id}", "account", "upload-urls", "swap"])
def test_only_what_creates_can_be_asked_for(name: str) -> None:
    with pytest.raises(ValueError, match="there is no create"):
        wanted_of(CONTRACT, name)


@pytest.mark.parametrize("path", PATHS)
def test_of_each_the_published_example_is_asked_with_files_of_this_machine_in_it(path: str) -> None:
    wanted = wanted_of(CONTRACT, path)
    request = wanted.request_with(GIVEN)
    assert "api-assets/id/" not in json.dumps(request)
    media = wanted.operation.json_body
    assert media is not None
    assert media.schema.accepts(request)
    if not wanted.uploads:
        assert request == media.example


def test_every_kind_of_file_is_given_where_the_request_names_one() -> None:
    request = wanted_of(CONTRACT, "face-swap").request_with(GIVEN)
    assert request["assets"]["image_file_path"] == str(GIVEN["image"])
    assert request["assets"]["video_file_path"] == str(GIVEN["video"])
    several = wanted_of(CONTRACT, "ai-image-editor").request_with(GIVEN)
    assert several["assets"]["image_file_paths"] == [str(GIVEN["image"])] * 2
    mapping = {"new_face": "api-assets/id/1.png", "original_face": "image/id/0-0.png"}
    changes = {"assets": {"face_swap_mode": "individual-faces", "face_mappings": [mapping]}}
    swapped = wanted_of(CONTRACT, "face-swap-photo", changes).request_with(GIVEN)
    (asked,) = swapped["assets"]["face_mappings"]
    assert asked == {"new_face": str(GIVEN["image"]), "original_face": "image/id/0-0.png"}


def test_what_is_asked_can_be_changed_and_left_out() -> None:
    changes = {"model": "kling-3.0", "resolution": "720p", "name": None, "style": {"prompt": "a cat"}}
    asked = wanted_of(CONTRACT, VIDEO, changes).request
    assert (asked["model"], asked["style"]) == ("kling-3.0", {"prompt": "a cat"})
    assert "name" not in asked
    assert asked["end_seconds"] == 5


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"end_seconds": "five"}, "Invalid type for end_seconds"),
        ({"style": None}, "Missing required field: style"),
        ({"model": "kling-2.6", "resolution": "480p"}, "resolution can't be 480p with model kling-2.6"),
    ],
)
def test_what_it_does_not_take_is_not_asked(changes: Mapping[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        wanted_of(CONTRACT, VIDEO, changes)


# What a client can be met with.


def test_only_what_a_kind_of_project_can_show_is_drawn() -> None:
    videos, faces = named(VIDEO), named(FACES)
    assert {"job canceled", "deleted by somebody", "job error no_source_face"} <= videos
    assert not {"job canceled", "deleted by somebody", "job error no_source_face"} & faces
    assert {"job queued, rendering, complete", "job error", "complete without files"} <= faces
    assert not any("draft" in name for name in faces)


def test_several_files_are_drawn_where_a_project_can_have_some() -> None:
    assert {"two files", "two files of one name"} <= named(PICTURES)
    assert not any({"two files", "two files of one name"} & named(name) for name in (VIDEO, SOUND))


def test_less_is_billed_only_where_it_is_settled() -> None:
    assert "less is made than was asked for" in named("face-swap")
    assert "less is made than was asked for" not in named(VIDEO)


def test_uploads_are_drawn_where_the_request_has_some() -> None:
    assert not any("upload" in name for name in named(VIDEO))
    assert any(name.startswith("upload reset") for name in named(SOUND))
    picture = {"references": [{"name": "hero", "file_path": "api-assets/id/1.png"}]}
    wanted = wanted_of(CONTRACT, VIDEO, picture | {"model": "kling-3.0", "resolution": "720p"})
    assert any("upload" in topic.name for topic in topics(CONTRACT, Profile.LEGAL, wanted))


# Played to its end.


@pytest.mark.parametrize("path", PATHS)
def test_all_goes_well_for_whatever_is_asked(path: str) -> None:
    asked = asked_for(path)
    assert asked.wanted is not None
    operation, request = asked.wanted.operation, asked.wanted.request
    played = play(Script(), Maker, asked)
    assert judged(played) == []
    assert (played.ending.outcome, played.ending.status) == ("done", "complete")
    meant = terms.meant(operation, request, "business")
    (charge,) = played.charges
    assert charge.credits == played.ending.credits == terms.price(operation, meant, "business")
    made = terms.output(operation, meant, "business")
    (create,) = played.at(Place.CREATE)
    assert create.target == path
    assert len(played.ending.files) == made.count
    assert {Path(name).suffix for name in played.ending.files} == {f".{made.format}".replace("same", "png")}
    assert [each.asset for each in played.at(Place.UPLOAD)] == [kind for _, kind in asked.wanted.uploads]


@pytest.mark.hypothesis
@pytest.mark.parametrize("path", PATHS)
def test_a_drawn_script_plays_to_its_end_with_a_careful_client_that_breaks_no_rule(path: str) -> None:
    asked = asked_for(path)
    every = topics(CONTRACT, Profile.HOSTILE, asked.wanted)
    numbers = st.integers(0, len(every) - 1)  # hypothesis would write all topics out
    with theatre(Maker, asked) as opened:

        @examples(2, database=None)
        @given(numbers.flatmap(lambda number: every[number].scripts(others(every))))
        def plays(script: Script) -> None:
            played = opened.play(script)
            assert judged(played) == []
            assert played.ending.outcome in ("done", "refused")

        plays()


@pytest.mark.parametrize(("name", "changes"), few(ASKED.items(), (FACES, ASKED[FACES])), ids=[*ASKED])
def test_a_careful_client_breaks_no_rule_in_any_topic(name: str, changes: Mapping[str, Any]) -> None:
    asked = asked_for(name, changes)
    with theatre(Maker, asked) as opened:
        for topic in topics(CONTRACT, Profile.HOSTILE, asked.wanted):
            played = opened.play(topic.about)
            assert judged(played) == [], topic.name
            assert played.ending.outcome in ("done", "refused"), topic.name
            assert played.is_legal or not topic.is_legal, topic.name


def test_as_many_files_come_as_were_asked_for() -> None:
    played = play(Script(), Maker, asked_for(PICTURES, FOUR))
    assert sorted(played.ending.files) == ["0.png", "1.png", "2.png", "3.png"]
    assert len(set(played.ending.files.values())) == 4


def test_a_gif_is_one_or_the_video_that_is_asked_for() -> None:
    for kind in ("gif", "webm", "mp4"):
        played = play(Script(), Maker, asked_for("ai-gif-generator", {"output_format": kind}))
        assert [*played.ending.files] == [f"0.{kind}"]


# Faulty clients.


class LeavesLaterFilesOut(Maker):
    def links(self, project: dict[str, Any]) -> list[str]:
        return super().links(project)[:1]


class ReadsFilesTooSoon(Maker):
    """It takes the links of the first answer, whatever its status is."""

    def wait_for(self, project: str) -> dict[str, Any]:
        told = self.read(project)
        (told.get("downloads") or told["faces"] or told["downloads"])[0]
        return super().wait_for(project)


class ReadsEverythingAsPictures(Maker):
    def read(self, project: str) -> dict[str, Any]:
        return self.api("GET", f"/v1/image-projects/{project}")


class ReadsEverythingAsVideos(Maker):
    def read(self, project: str) -> dict[str, Any]:
        return self.api("GET", f"/v1/video-projects/{project}")


class CreatesAgain(Maker):
    def make(self, request: Mapping[str, Any]) -> str:
        try:
            return super().make(request)
        except careful.Refused:
            return super().make(request)


class TellsTheEstimate(Maker):
    """It reports what the create said that it costs."""

    def make(self, request: Mapping[str, Any]) -> str:
        told = self.api("POST", self.task.path, request, again=(429,))
        self.estimate = told.get("credits_charged")
        return str(told.get("id"))

    def edit(self) -> dict[str, Any]:
        return {**super().edit(), "credits_charged": self.estimate}


class MixesItsFilesUp(Maker):
    def send(self, method: str, url: str, body: bytes, headers: dict[str, str]) -> careful.Answer:
        content = Path(self.task.photo).read_bytes() if method == "PUT" else body
        return super().send(method, url, content, headers)


class UploadsEverythingAsPictures(Maker):
    def upload_file(self, file: str, kind: str) -> str:
        return super().upload_file(self.task.photo, "image")


class AsksForWhatIsNotOffered(Maker):
    def make(self, request: Mapping[str, Any]) -> str:
        return super().make({**request, "model": "kling-2.6", "resolution": "480p"})


BUGS: list[tuple[str, type[Maker], str]] = [
    (VIDEO, ReadsEverythingAsPictures, "request.given"),
    (SOUND, ReadsEverythingAsPictures, "request.given"),
    (FACES, ReadsEverythingAsPictures, "request.given"),
    (PICTURES, ReadsEverythingAsVideos, "request.given"),
    (VIDEO, ReadsFilesTooSoon, "error.legal"),
    (SOUND, ReadsFilesTooSoon, "error.legal"),
    (FACES, ReadsFilesTooSoon, "error.legal"),
    (PICTURES, ReadsFilesTooSoon, "error.legal"),
    (PICTURES, LeavesLaterFilesOut, "result.true"),
    (VIDEO, CreatesAgain, "pay.once"),
    ("face-swap", TellsTheEstimate, "result.credits"),
    ("face-swap", MixesItsFilesUp, "upload.intact"),
    ("ai-talking-photo", UploadsEverythingAsPictures, "request.given"),
    (VIDEO, AsksForWhatIsNotOffered, "request.legal"),
]


@pytest.mark.parametrize(
    ("name", "client", "rule"), BUGS, ids=[f"{name} {client.__name__}" for name, client, _ in BUGS]
)
def test_a_faulty_client_is_caught(name: str, client: type[Maker], rule: str) -> None:
    result = fuzzed(
        client,
        examples=60,
        rules=frozenset({rule}),
        terms=asked_for(name, ASKED.get(name)),
        only_first=True,
    )
    assert {finding.violation.rule for finding in result.findings} == {rule}


def test_what_is_free_may_be_asked_again() -> None:
    lost = Script({Place.CREATE: (LOST,)})
    assert "pay.once" in broken(play(lost, CreatesAgain, asked_for(VIDEO)))
    assert "pay.once" not in broken(play(lost, CreatesAgain, asked_for(FACES)))


def test_what_a_faulty_client_is_told_names_what_it_should_have_done() -> None:
    def says(name: str, client: type[Maker]) -> str:
        return next(each.message for each in judged(play(Script(), client, asked_for(name))))

    assert "is of kind video, not image" in says(VIDEO, ReadsEverythingAsPictures)
    assert "is no audio" in says("ai-talking-photo", UploadsEverythingAsPictures)
    assert "resolution can't be 480p with model kling-2.6" in says(VIDEO, AsksForWhatIsNotOffered)
    assert "are not the video file's" in says("face-swap", MixesItsFilesUp)


# The client that does something else.


def test_a_client_that_does_something_else_is_not_fuzzed() -> None:
    with pytest.raises(ClientError, match="it called /v1/ai-face-editor, and not /v1/text-to-video"):
        fuzzed(careful.Client, terms=asked_for(VIDEO))


def test_nothing_is_missed_that_there_is_not() -> None:
    result = fuzzed(Maker, examples=2, terms=asked_for(FACES))
    assert (result.operation, result.ends) == ("POST /v1/face-detection", ("complete", "error"))
    shown = terminal(result, colour=False, width=100)
    assert "POST /v1/face-detection" in shown
    assert "canceled" not in shown
