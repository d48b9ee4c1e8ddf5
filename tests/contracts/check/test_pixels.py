"""`bluehour check --pixels`: a right editor passes for a known price, and each fault is named by its rule."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import cache, reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from click.testing import CliRunner, Result
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from bluehour.contracts.check.inprocess import AppWire
from bluehour.contracts.check.pixels.pictures import NoPicture, decoded
from bluehour.contracts.check.run import Options, check, whole_budget
from bluehour.contracts.portrait import PORTRAIT
from bluehour.contracts.results import Exit, Report, State
from bluehour.contracts.rules import ALL_RULES, PIXEL_RULES, RULES
from bluehour.contracts.selection import selected
from bluehour.mock_server.app import create_app
from bluehour.mock_server.cli import main
from bluehour.mock_server.core.clock import Clock
from bluehour.mock_server.core.installing import command_for
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.mock import Mock
from bluehour.mock_server.rendering import Job, JobFailed
from bluehour.mock_server.rendering.pictures import open_picture
from bluehour.mock_server.rendering.reference import weights
from bluehour.mock_server.rendering.simulated import SimulatedRenderer, output_size
from bluehour.openapi.contract import Contract, load
from tests.profiles import few

if TYPE_CHECKING:
    from torch import Tensor

TARGET = "http://127.0.0.1:4010"
NOBODY = "http://127.0.0.1:9"
FACE, PHOTO = "POST /v1/ai-face-editor", "POST /v1/ai-photo-editor"
PRICE = 107
"""57 face edits of 1 credit, and 5 photo edits of 10."""

Style: TypeAlias = dict[str, Any]

needs_models = pytest.mark.usefixtures("models")


@pytest.fixture(scope="module")
def models() -> Iterator[Path]:
    """The models that find faces, and a ruler that measures equal pictures once for all tests.

    Without a network and a filled cache, their tests are skipped.
    """
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    try:
        folder = weights.fetch()
    except weights.WeightsError as error:
        pytest.skip(f"the models that find faces can't be had: {error}")
    from bluehour.contracts.check.pixels.faces import FaceRuler, Measured

    known: dict[bytes, Measured | None] = {}
    measured = FaceRuler.measured

    def remembered(ruler: FaceRuler, picture: Image.Image) -> Measured | None:
        key = hashlib.blake2b(picture.tobytes(), salt=str(picture.width).encode()).digest()
        if key not in known:
            known[key] = measured(ruler, picture)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FaceRuler, "measured", remembered)
        yield folder


# A right editor, and what can be wrong with one.


class Editor:
    """Edits as the reference stage does, each edit once for all tests; its pictures are JPEGs of quality 85.

    Args:
        face: changes the style of a face edit before it is read.
        photo: changes the style of a photo edit before it is read.
        made: changes the picture that was made.
    """

    def __init__(
        self,
        face: Callable[[Style], Style] = dict,
        photo: Callable[[Style], Style] = dict,
        made: Callable[[Image.Image, Job], Image.Image] | None = None,
    ) -> None:
        self._styles = {"FACE_EDITOR": face, "PHOTO_EDITOR": photo}
        self._made = made

    def render(self, job: Job) -> bytes:
        style = self._styles[job.project_type](dict(job.request["style"]))
        request = {"resolution": job.request.get("resolution"), "style": style}
        if job.source is None:
            raise JobFailed("invalid_file_format")
        asked = (
            job.project_type,
            json.dumps(request, sort_keys=True),
            job.source.read_bytes(),
            job.longest_edge,
        )
        return jpeg_of(self._made(edited(*asked), job)) if self._made else jpeg_edited(*asked)


@cache
def jpeg_edited(project_type: str, request: str, content: bytes, longest_edge: int) -> bytes:
    return jpeg_of(edited(project_type, request, content, longest_edge))


def jpeg_of(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=85)
    return file.getvalue()


@cache
def edited(project_type: str, request: str, content: bytes, longest_edge: int) -> Image.Image:
    from bluehour.mock_server.rendering.reference.face.editor import edit_faces
    from bluehour.mock_server.rendering.reference.photo.analytic import AnalyticEditor
    from bluehour.mock_server.rendering.reference.photo.editing import edit_photos

    asked = json.loads(request)
    if project_type == "PHOTO_EDITOR":
        image = tensor_of(content, None)
        height, width = image.shape[:2]
        width, height = output_size((width, height), asked, longest_edge)
        return picture_of(edit_photos(AnalyticEditor(), [image], [asked], [(height, width)])[0])
    image = tensor_of(content, longest_edge)
    return picture_of(edit_faces([image], [face_in(content, longest_edge)], [asked["style"]])[0])


@cache
def tensor_of(content: bytes, longest_edge: int | None) -> Tensor:
    import numpy as np
    import torch

    picture = Image.open(io.BytesIO(content)).convert("RGB")
    if longest_edge is not None:
        picture = picture.resize(output_size(picture.size, {}, longest_edge), Image.Resampling.BICUBIC)
    return torch.from_numpy(np.array(picture))


@cache
def face_in(content: bytes, longest_edge: int) -> Any:
    from bluehour.mock_server.rendering.reference.face.faces import find_faces

    return find_faces([tensor_of(content, longest_edge)])[0][0]


def picture_of(image: Tensor) -> Image.Image:
    return Image.fromarray(image.numpy())


def where_nothing_is_asked(
    change: Callable[[Image.Image], Image.Image],
) -> Callable[[Image.Image, Job], Image.Image]:
    def made(picture: Image.Image, job: Job) -> Image.Image:
        moved = any(isinstance(value, int | float) and value for value in job.request["style"].values())
        return picture if moved else change(picture)

    return made


def brightened(picture: Image.Image) -> Image.Image:
    return ImageEnhance.Brightness(picture).enhance(1.03)


def sharpened(picture: Image.Image) -> Image.Image:
    return picture.filter(ImageFilter.UnsharpMask(2, 80, 2))


def marked(picture: Image.Image) -> Image.Image:
    """A small watermark in a corner."""
    picture = picture.copy()
    ImageDraw.Draw(picture).rectangle((4, 4, 36, 20), fill=(255, 188, 92))
    return picture


def turned(name: str) -> Callable[[Style], Style]:
    return lambda style: style | {name: -style.get(name, 0)}


def ignored(name: str) -> Callable[[Style], Style]:
    return lambda style: style | {name: 0}


def one_sided(name: str) -> Callable[[Style], Style]:
    return lambda style: style | {name: max(0, style.get(name, 0))}


def limp(name: str) -> Callable[[Style], Style]:
    """Beyond 50 it goes back to 0."""
    return lambda style: style | {name: style.get(name, 0) if abs(style.get(name, 0)) <= 50 else 0}


def one_after_the_other(*changes: Callable[[Style], Style]) -> Callable[[Style], Style]:
    return lambda style: reduce(lambda changed, change: change(changed), changes, style)


def faceless(name: str) -> Callable[[Image.Image, Job], Image.Image]:
    """A slider's far end loses the face."""
    return lambda picture, job: (
        Image.new("RGB", picture.size, (120, 130, 140)) if job.request["style"].get(name) == 60 else picture
    )


def likeness(of: Callable[[float], float]) -> Callable[[Style], Style]:
    return lambda style: style | {"likeness_strength": of(style["likeness_strength"])}


def unprompted(style: Style) -> Style:
    return style | {"prompt": "A photo of a person"}


def blind_to_light(style: Style) -> Style:
    return style if "black-and-white" in style["prompt"] else unprompted(style)


def colourful(style: Style) -> Style:
    return style | {"prompt": style["prompt"].replace("black-and-white ", "")}


def smaller(picture: Image.Image, job: Job) -> Image.Image:
    return picture.resize((picture.width * 3 // 4, picture.height * 3 // 4))


def stretched(picture: Image.Image, job: Job) -> Image.Image:
    return picture.resize((picture.width, picture.height - 8))


def not_upscaled(style: Style) -> Style:
    return style | {"upscale_factor": 1}


class Broken:
    def render(self, job: Job) -> bytes:
        return b"no picture at all"


# Checking.


class Written:
    """Writes what a renderer makes to a file."""

    def __init__(self, renderer: Any) -> None:
        self._renderer = renderer

    def render(self, job: Job, target: Path) -> None:
        target.write_bytes(self._renderer.render(job))


def checked(
    renderer: Any,
    *only: str,
    token: str = "any-token",
    happening: Mapping[str, Any] | None = None,
    time_scale: float = 0.1,
    concurrency: bool = False,
    contract: Contract | None = None,
    **options: Any,
) -> Report:
    """Check a mock that renders so; `happening` is a rule of a scenario."""
    clock = Clock()
    rules = selected(ALL_RULES, only or ("pixels",), (), "bluehour check")
    settings = Settings(time_scale=time_scale, journal=0, concurrency=concurrency)
    with closing(Mock(settings=settings, clock=clock)) as mock:
        mock.rendering.outputs.simulated = Written(renderer)
        if happening:
            mock.scenarios.add(happening)
        wire = AppWire(create_app(mock))
        given = Options(TARGET, token, rules=rules, **options)
        return check(given, contract=contract, wire=wire, sleep=clock.advance, now=clock.now)


def told(report: Report) -> list[str]:
    return [f"{each.rule.id} at {each.operation}, {each.field}: {each.message}" for each in report.findings]


def broken(report: Report) -> set[tuple[str, str]]:
    return {(each.rule.id, each.field) for each in report.findings}


def reasons(report: Report) -> dict[tuple[str, str], str]:
    return {(each.rule.id, each.operation): each.reason for each in report.verdicts if each.reason}


@pytest.mark.thorough
@needs_models
def test_a_right_server_keeps_all_of_them_for_a_known_price() -> None:
    report = checked(Editor())
    assert told(report) == []
    assert reasons(report) == {}
    assert report.exit_code is Exit.CONFORMS
    assert report.spent == PRICE
    assert report.max_credits == whole_budget(load()) + PRICE
    assert {verdict.rule for verdict in report.verdicts if verdict.state is State.KEPT} == set(PIXEL_RULES)
    sliders = next(verdict for verdict in report.verdicts if verdict.rule.id == "pixels.slider")
    assert sliders.checks == 14


@needs_models
@pytest.mark.parametrize("plan", ["free", "creator"])
def test_where_the_token_tells_the_plan_its_cap_is_the_size(plan: str) -> None:
    token = f"mhk_test_{plan}_500"
    report = checked(Editor(), "pixels.size,pixels.neutral,pixels.tone", token=token)
    assert told(report) == []
    assert report.exit_code is Exit.CONFORMS
    assert report.spent == 1 + 30


NEUTRAL = ("pixels.neutral", "")
SIZES = {("pixels.size", ""), ("pixels.size", "resolution")}
TONE = ("pixels.tone", "style.prompt")
SCENE = ("pixels.scene", "style.likeness_strength")

FAULTS: dict[str, tuple[Any, str, set[tuple[str, str]]]] = {
    "what asks for nothing is brightened": (
        Editor(made=where_nothing_is_asked(brightened)),
        "neutral,size",
        {NEUTRAL},
    ),
    "what asks for nothing is sharpened": (
        Editor(made=where_nothing_is_asked(sharpened)),
        "neutral,size",
        {NEUTRAL},
    ),
    "a watermark": (Editor(made=where_nothing_is_asked(marked)), "neutral,size", {NEUTRAL}),
    "faces smile that were not asked to": (
        Editor(face=lambda style: style | {"mouth_smile": 50}),
        "neutral,size",
        {NEUTRAL},
    ),
    "pictures that only say what was asked": (SimulatedRenderer(), "neutral,size", {NEUTRAL}),
    "likeness is ignored": (Editor(photo=likeness(lambda _: 5.2)), "scene,tone,size", {SCENE}),
    "likeness is inverted": (
        Editor(photo=likeness(lambda value: 10.4 - value)),
        "scene,tone,size",
        {SCENE},
    ),
    "the prompt is ignored": (Editor(photo=unprompted), "scene,tone,size", {TONE}),
    "dark and bright are not known": (Editor(photo=blind_to_light), "scene,tone,size", {TONE}),
    "black-and-white is not known": (Editor(photo=colourful), "scene,tone,size", {TONE}),
    "pictures are too small": (Editor(made=smaller), "neutral,size,scene,tone", SIZES),
    "pictures are out of shape": (Editor(made=stretched), "neutral,size,scene,tone", SIZES),
    "nothing is upscaled": (
        Editor(photo=not_upscaled),
        "scene,tone,size",
        {("pixels.size", "resolution")},
    ),
}


@needs_models
@pytest.mark.parametrize(
    "fault",
    few(
        FAULTS,
        "what asks for nothing is brightened",
        "a watermark",
        "likeness is inverted",
        "the prompt is ignored",
        "pictures are too small",
        "nothing is upscaled",
    ),
)
def test_a_fault_breaks_the_rule_that_names_it_and_no_other(fault: str) -> None:
    renderer, rules, expected = FAULTS[fault]
    only = [f"pixels.{name}" for name in rules.split(",")]
    report = checked(renderer, *only, token="mhk_test_creator_500")
    assert broken(report) == expected, told(report)
    assert report.exit_code is Exit.FINDINGS


SLIDER_FAULTS: dict[str, tuple[Any, str]] = {
    "mouth_smile": (turned, "it moves the other way round"),
    "mouth_grim": (ignored, "it moves nothing (the measure is sure to "),
    "eye_open_ratio": (one_sided, "it moves nothing below 0 (the measure is sure to "),
    "mouth_pout": (limp, "it goes back between -60 and -30"),
    "head_roll": (None, ", no face: the face is lost"),
}


@pytest.fixture(scope="module")
def wrong_sliders(models: Path) -> Report:
    """The report on an editor that has one fault in each of five sliders, and nine that are right."""
    changes = [change(name) for name, (change, _) in SLIDER_FAULTS.items() if change is not None]
    editor = Editor(face=one_after_the_other(*changes), made=faceless("head_roll"))
    return checked(editor, "pixels.neutral,pixels.slider,pixels.size", token="mhk_test_creator_500")


def test_a_wrong_slider_is_named_and_no_other(wrong_sliders: Report) -> None:
    expected = {("pixels.slider", f"style.{name}") for name in SLIDER_FAULTS}
    assert broken(wrong_sliders) == expected, told(wrong_sliders)
    assert wrong_sliders.exit_code is Exit.FINDINGS


@pytest.mark.parametrize("name", SLIDER_FAULTS)
def test_a_finding_tells_what_is_wrong_with_the_slider(name: str, wrong_sliders: Report) -> None:
    (message,) = (each.message for each in wrong_sliders.findings if each.field == f"style.{name}")
    assert message.startswith(f"{name} at -60, -30, 0, 30, 60 measures ")
    assert SLIDER_FAULTS[name][1] in message


def test_a_finding_leads_to_its_requests_and_to_the_contract(wrong_sliders: Report) -> None:
    finding = next(each for each in wrong_sliders.findings if each.field == "style.mouth_smile")
    assert finding.operation == FACE
    numbers = [int(number) for number in finding.message.rpartition("; requests ")[2].split(", ")]
    asked = [json.loads(wrong_sliders.exchanges[number - 1].request.body)["style"] for number in numbers]
    assert [style.get("mouth_smile") for style in asked] == [-60, -30, 0, 30, 60]
    assert finding.exchange is wrong_sliders.exchanges[numbers[-1] - 1]
    assert finding.related == (wrong_sliders.exchanges[numbers[0] - 1],)
    assert "minimum: -100" in finding.words


# What keeps pictures from being judged.


@needs_models
def test_a_budget_that_is_too_small_is_told_of_and_kept() -> None:
    report = checked(Editor(), max_credits=12)
    assert told(report) == []
    assert report.exit_code is Exit.UNJUDGED
    assert report.spent == 1 + 2 * 4
    assert reasons(report) == {
        ("pixels.slider", FACE): "budget: 4 credits may be needed, and 3 are left of 12",
        ("pixels.scene", PHOTO): "budget: 30 credits may be needed, and 3 are left of 12",
        ("pixels.tone", PHOTO): "budget: 30 credits may be needed, and 3 are left of 12",
        ("pixels.size", PHOTO): "budget: 10 credits may be needed, and 3 are left of 12",
    }
    (note,) = (each for each in report.notes if "pixels" in each)
    assert note.startswith("pixels.slider leaves out style.eye_gaze_vertical, style.eye_open_ratio, ")
    assert note.endswith(": budget: 4 credits may be needed, and 3 are left of 12")
    assert note.count("style.") == 12


@needs_models
def test_without_a_budget_each_rule_says_what_it_costs() -> None:
    report = checked(Editor(), max_credits=0)
    assert report.exit_code is Exit.UNJUDGED
    costs = {rule: reason.split()[1] for (rule, at), reason in reasons(report).items() if at == FACE}
    assert costs == {"pixels.neutral": "1", "pixels.size": "1", "pixels.slider": "5"}
    assert [note for note in report.notes if "pixels" in note] == []


@needs_models
def test_nothing_is_begun_that_the_budget_can_not_end() -> None:
    report = checked(Editor(), "pixels.tone", max_credits=29)
    assert report.spent == 0
    (verdict,) = report.verdicts
    assert (verdict.operation, verdict.state) == (PHOTO, State.UNJUDGED)
    assert verdict.reason == "budget: 30 credits may be needed, and 29 are left of 29"


@needs_models
def test_an_account_that_runs_out_of_credits_is_told_of_and_asked_no_more() -> None:
    report = checked(Editor(), "pixels.slider", token="mhk_test_creator_9")
    assert told(report) == []
    assert report.exit_code is Exit.UNJUDGED
    (verdict,) = report.verdicts
    assert verdict.reason == "eye_gaze_vertical at -60 was answered by 402 insufficient_credits"
    assert verdict.checks == 2
    assert report.spent == 9
    assert sum(exchange.label == FACE for exchange in report.exchanges) == 10


@needs_models
def test_a_slider_that_is_refused_keeps_none_of_the_others_from_being_judged() -> None:
    refused = {
        "match": {"operation": FACE, "body": {"style.eyebrow_direction": -60}},
        "answer": {"status": 422},
    }
    report = checked(Editor(), "pixels.slider", happening=refused, max_credits=9)
    assert told(report) == []
    assert report.exit_code is Exit.UNJUDGED
    (verdict,) = report.verdicts
    assert verdict.reason.startswith("eyebrow_direction at -60 was answered by 422")
    assert verdict.checks == 1
    assert any(note.startswith("pixels.slider leaves out style.eyebrow_direction: ") for note in report.notes)


@needs_models
def test_files_that_are_no_pictures_are_not_praised() -> None:
    report = checked(Broken())
    assert told(report) == []
    assert report.exit_code is Exit.UNJUDGED
    assert all(verdict.state is State.UNJUDGED for verdict in report.verdicts)
    for reason in reasons(report).values():
        assert reason.startswith("the picture of ")
        assert reason.endswith(" can't be decoded: its 17 bytes are of no known format")


@needs_models
@pytest.mark.parametrize(
    ("happening", "reason"),
    [
        ({"job": "content_policy_violation"}, " ended in error, content_policy_violation"),
        ({"job": "stuck"}, " after 4 s"),
        ({"match": {"operation": "download"}, "answer": {"status": 403}}, " was answered by 403"),
        ({"match": {"operation": PHOTO}, "answer": {"status": 500}}, " was answered by 500 "),
        (
            {"match": {"operation": PHOTO}, "answer": {"status": 200, "body": {}}},
            " was accepted without an id",
        ),
    ],
    ids=["an error", "stuck", "no download", "no create", "no id"],
)
def test_what_becomes_of_an_edit_without_a_picture_is_told(happening: dict[str, Any], reason: str) -> None:
    report = checked(Editor(), "pixels.tone", happening=happening, patience=4)
    assert told(report) == []
    assert report.exit_code is Exit.UNJUDGED
    (verdict,) = report.verdicts
    assert verdict.state is State.UNJUDGED
    assert verdict.reason.startswith(("A dark photo", "the picture of A dark photo"))
    assert reason in verdict.reason


@needs_models
def test_jobs_that_wait_for_each_other_are_waited_for_as_long_as_some_end() -> None:
    report = checked(
        Editor(), "pixels.tone", token="mhk_test_free_500", time_scale=1, concurrency=True, patience=10
    )
    assert told(report) == []
    assert report.exit_code is Exit.CONFORMS
    assert report.exchanges[-1].at - report.exchanges[0].at > 2 * 10


@needs_models
def test_a_deployment_that_takes_no_more_jobs_is_asked_again_once_some_have_ended() -> None:
    full = {"match": {"operation": PHOTO, "nth": 2}, "answer": {"status": 429, "retry_after": 3600}}
    report = checked(Editor(), "pixels.tone", happening=full)
    assert told(report) == []
    assert report.exit_code is Exit.CONFORMS
    assert report.spent == 30


def test_where_the_contract_has_no_such_editor_its_rules_are_not_judged() -> None:
    document = load().document
    paths = {path: item for path, item in document["paths"].items() if path not in PHOTO}
    report = checked(Broken(), "pixels.tone", contract=Contract({**document, "paths": paths}))
    assert told(report) == []
    assert report.exit_code is Exit.UNJUDGED
    assert [verdict.reason for verdict in report.verdicts] == ["the contract has no such editor"]


# The command.


def run(*args: str | Path) -> Result:
    return CliRunner().invoke(main, ["check", *map(str, args)])


def test_without_pixels_they_are_not_known() -> None:
    assert not {rule.id for rule in PIXEL_RULES} & {rule.id for rule in RULES}
    assert not any(rule.group == "pixels" for rule in Options(TARGET, "any").asked)
    assert Options(TARGET, "any").budget == whole_budget(load())
    assert "pixels." not in run("--rules").output


@pytest.mark.parametrize("only", ["pixels.slider", "pixels", "credits,pixels.tone"])
def test_a_pixel_rule_without_the_option_is_2_and_one_line_says_what_to_add(only: str) -> None:
    result = run(NOBODY, "--only", only)
    assert result.exit_code == 2
    assert "needs --pixels" in result.output
    assert result.output.count("\n") == 1


def test_the_price_is_told_before_anything_is_sent() -> None:
    listed = run("--rules", "--pixels", "--only", "pixels").output
    for credits in (1, 57, 30, 30, 11):
        assert f"costs: {credits} credit" in listed
    assert f"The pixel rules cost {PRICE} credits together" in listed
    assert f"for {PRICE} credits" in " ".join(run("--help").output.split())
    for target, budget in ((TARGET, whole_budget(load()) + PRICE), ("https://api.example.com", 0)):
        assert Options(target, "any", rules=ALL_RULES).budget == budget


def test_the_plan_counts_them_without_any_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    result = run(NOBODY, "--plan", "--pixels", "--only", "pixels")
    assert result.exit_code == 0, result.output
    line = next(line for line in result.output.splitlines() if line.startswith("what the editors do"))
    assert line.split()[-2:] == [str(PRICE), str(PRICE)]
    assert (
        "pixels.neutral 1 credit, pixels.size 11 credits, pixels.slider 57 credits, pixels.tone 30 credits, "
        "pixels.scene 30 credits."
    ) in result.output


def test_the_plan_tells_where_the_budget_does_not_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    result = run(NOBODY, "--plan", "--pixels", "--only", "pixels", "--max-credits", "12")
    assert result.exit_code == 0, result.output
    assert f"The budget does not do for all of: {FACE}, {PHOTO}." in result.output


def test_without_the_extra_it_is_2_and_one_line_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    result = run(NOBODY, "--pixels", "--only", "pixels")
    assert result.exit_code == 2, result.output
    assert result.output == (
        f"Error: bluehour check --pixels needs more than the mock does: {command_for('inference')}\n"
    )


def test_without_the_models_it_is_2_and_one_line_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("torch")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    result = run(NOBODY, "--pixels", "--only", "pixels.slider")
    assert result.exit_code == 2, result.output
    assert "bluehour weights" in result.output
    assert result.output.count("\n") == 1


@needs_models
def test_a_picture_without_a_face_is_2_before_anything_is_sent(tmp_path: Path) -> None:
    picture = tmp_path / "wall.png"
    Image.new("RGB", (300, 300), (120, 130, 140)).save(picture)
    result = run(NOBODY, "--pixels", "--only", "pixels.slider", "--picture", picture)
    assert result.exit_code == 2, result.output
    assert "no face is found in the picture" in result.output
    assert result.output.count("\n") == 1


def test_a_picture_that_is_cut_off_is_2_before_anything_is_sent(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    picture = tmp_path / "half.jpg"
    content = PORTRAIT.read_bytes()
    picture.write_bytes(content[: len(content) // 2])
    result = run(NOBODY, "--pixels", "--only", "pixels.tone", "--picture", picture)
    assert result.exit_code == 2, result.output
    assert "the picture can't be decoded" in result.output
    assert result.output.count("\n") == 1


def test_a_check_without_pixels_imports_no_torch() -> None:
    code = (
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from bluehour.mock_server.cli import main\n"
        f"result = CliRunner().invoke(main, ['check', '{NOBODY}', '--plan', '--only', 'path'])\n"
        "assert result.exit_code == 0, result.output\n"
        "assert 'torch' not in sys.modules and 'numpy' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# The measures themselves.


def portrait() -> Image.Image:
    return open_picture(PORTRAIT).image


@pytest.mark.parametrize(("file_format", "quality"), [("JPEG", 50), ("JPEG", 75), ("WEBP", 50)])
@pytest.mark.parametrize("edge", [None, 576])
def test_compression_and_a_plan_s_cap_are_no_change(file_format: str, quality: int, edge: int | None) -> None:
    pytest.importorskip("numpy")
    from bluehour.contracts.check.pixels import judging
    from bluehour.contracts.check.pixels.compare import difference

    picture = portrait()
    if edge is not None:
        picture = picture.resize(output_size(picture.size, {}, edge), Image.Resampling.BILINEAR)
    file = io.BytesIO()
    picture.save(file, file_format, quality=quality)
    found = difference(portrait(), Image.open(file).convert("RGB"))
    assert found.psnr > judging._LEAST_PSNR + 4
    assert found.block < judging._MOST_IN_A_BLOCK - 3
    assert found.whole < judging._MOST_IN_ALL - 1
    assert found.sharpness < judging._MOST_SHARPNESS - 0.1


def test_what_a_deployment_sends_is_no_program() -> None:
    with pytest.raises(NoPicture, match="of no known format"):
        decoded(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n")


def test_similarity_is_that_of_scikit_image() -> None:
    np = pytest.importorskip("numpy")
    metrics = pytest.importorskip("skimage.metrics")
    from bluehour.contracts.check.pixels.compare import similarity

    one = portrait().resize((240, 300))
    other = ImageEnhance.Brightness(one.rotate(3)).enhance(0.8)
    planes = [np.asarray(each.convert("L"), float) for each in (one, other)]
    _, full = metrics.structural_similarity(
        *planes, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255, full=True
    )
    assert similarity(one, other) == pytest.approx(full[5:-5, 5:-5].mean(), abs=1e-3)
    assert similarity(one, one) == pytest.approx(1)


def test_every_slider_of_the_contract_is_asked_about() -> None:
    from bluehour.contracts.check.pixels.edits import SLIDER, questions

    asked = [each for each in questions(load(), PIXEL_RULES) if each.rule_id == SLIDER]
    assert len({each.field for each in asked}) == len(asked) == 14
    assert {tuple(edit.value for edit in each.edits) for each in asked} == {(-60, -30, 0, 30, 60)}
