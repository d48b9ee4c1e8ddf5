"""Which edits the pixel rules look at, and what they cost: an edit that serves several rules is made once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bluehour.openapi.contract import Contract
from bluehour.openapi.model import Operation
from bluehour.openapi.terms import usual_price

from ...bodies.places import Place, places
from ...rules import Rule

NEUTRAL, SLIDER, SCENE, TONE, SIZE = (
    f"pixels.{name}" for name in ("neutral", "slider", "scene", "tone", "size")
)
"""The rules' ids."""

FACE, PHOTO = "FACE_EDITOR", "PHOTO_EDITOR"
"""The x-project-type of the two editors."""

_SHARES: Final = (-0.6, -0.3, 0.3, 0.6)
"""How far sliders are moved beside 0, in shares of their maximum: ends are where faces fall apart."""

_DARK = "A dark photo of a person at night"
_BRIGHT = "A bright photo of a person in daylight"
_GREY = "A black-and-white photo of a person"

_LIKENESSES: Final = (0.5, 1, 2)
"""In shares of the published example's: no range is published."""


@dataclass(frozen=True, eq=False)
class Edit:
    """A picture that is asked for.

    Attributes:
        says: what it asks for, in words: `mouth_smile at -60`.
        style: of the request, whole.
        rest: the request's other required fields, with the example's asset.
        value: what is varied where several edits differ in one number.
    """

    operation: Operation
    says: str
    style: Mapping[str, Any]
    rest: Mapping[str, Any]
    value: float = 0

    @property
    def body(self) -> dict[str, Any]:
        """The request, with the example's asset."""
        return {**self.rest, "style": dict(self.style)}


@dataclass(frozen=True)
class Question:
    """One thing that a rule asks of pictures.

    Attributes:
        field: what it asks about, such as `style.mouth_smile`; nothing for the whole.
        edits: whose pictures it takes, in the order in which its rule looks at them: a slider's from its
            least value to its greatest, with 0 in the middle.
        words: the contract's own words on it.
    """

    rule_id: str
    operation: Operation
    edits: tuple[Edit, ...]
    field: str = ""
    words: str = ""


def questions(contract: Contract, rules: Collection[Rule]) -> list[Question]:
    """Return what these rules ask, the cheapest first; other rules than the pixel ones ask nothing."""
    wanted = {rule.id for rule in rules if rule.group == "pixels"}
    if not wanted:
        return []
    asked = [
        question
        for operation in contract.operations
        for question in _of(operation)
        if question.rule_id in wanted
    ]
    return sorted(asked, key=lambda question: len(question.edits) * usual_price(question.operation))


def edits_of(asked: Collection[Question]) -> list[Edit]:
    """Return the edits that questions need, each once."""
    return list(dict.fromkeys(edit for question in asked for edit in question.edits))


def price_of(edits: Collection[Edit]) -> int:
    """Return what edits cost, in credits."""
    return sum(usual_price(edit.operation) for edit in edits)


def sliders(operation: Operation) -> list[Place]:
    """Return the places of a face editor's sliders: the numbers of its style that go below 0 and above."""
    media = operation.json_body
    found = places(media.schema, {"style": {}}) if media else ()
    return [
        each
        for each in found
        if each.path[:1] == ("style",)
        and "number" in each.types
        and each.node.get("minimum", 0) < 0 < each.node.get("maximum", 0)
    ]


def _of(operation: Operation) -> Iterable[Question]:
    editors = {FACE: _of_face_editor, PHOTO: _of_photo_editor}
    asking = editors.get(operation.node.get("x-project-type", ""))
    return asking(operation) if asking else ()


def _of_face_editor(operation: Operation) -> Iterator[Question]:
    rest, neutral = _required(operation), _neutral(operation)
    still = Edit(operation, "every slider at 0", neutral, rest)
    yield Question(NEUTRAL, operation, (still,))
    yield Question(SIZE, operation, (still,))
    for slider in sliders(operation):
        name = str(slider.path[-1])
        moved = [
            Edit(operation, f"{name} at {value:g}", {name: value}, rest, value) for value in _values(slider)
        ]
        edits = tuple(sorted((*moved, still), key=lambda edit: edit.value))
        yield Question(SLIDER, operation, edits, slider.name, slider.words)


def _of_photo_editor(operation: Operation) -> Iterator[Question]:
    rest, example = _required(operation), _example(operation)["style"]
    usual = example["likeness_strength"]

    def edit(prompt: str, likeness: float, upscaling: int) -> Edit:
        style = example | {
            "prompt": prompt,
            "likeness_strength": likeness,
            "upscale_factor": upscaling,
        }
        return Edit(operation, f"{prompt}, likeness_strength {likeness:g}", style, rest, likeness)

    # Sizes are seen with and without upscaling; everything else without, which is the sooner made.
    bright, grey = edit(_BRIGHT, usual, 2), edit(_GREY, usual, 1)
    dark = [edit(_DARK, round(usual * share, 2), 1) for share in _LIKENESSES]
    yield Question(SIZE, operation, (bright,))
    yield Question(TONE, operation, (dark[1], bright, grey), "style.prompt")
    yield Question(SCENE, operation, tuple(dark), "style.likeness_strength")


def _required(operation: Operation) -> dict[str, Any]:
    """The example's required fields but its style; the smallest picture that every plan allows."""
    media = operation.json_body
    node = media.schema.resolved if media else {}
    rest = {name: _example(operation)[name] for name in node.get("required", ()) if name != "style"}
    smallest = {
        str(place.path[0]): place.node["minimum"]
        for place in (places(media.schema, rest) if media else ())
        if place.path[:1] == ("resolution",)
    }
    return rest | smallest


def _example(operation: Operation) -> dict[str, Any]:
    media = operation.json_body
    return dict(media.example) if media else {}


def _neutral(operation: Operation) -> dict[str, Any]:
    """The style with all that has a default at it: sliders at 0, switches off."""
    media = operation.json_body
    return dict(media.schema.filled({"style": {}})["style"]) if media else {}


def _values(slider: Place) -> Sequence[float]:
    most, step = slider.node["maximum"], slider.node.get("multipleOf", 1)
    return [round(share * most / step) * step for share in _SHARES]
