"""What pictures show: each rule's question, answered by measures of the pictures that it takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Final

from PIL import Image

from bluehour.openapi.errors import BluehourError

from . import compare
from .edits import NEUTRAL, SCENE, SLIDER, TONE, Edit, Question
from .faces import Measured
from .gauge import Gauge
from .pictures import decoded

_LEAST_PSNR: Final = 28.0
"""Decibels. JPEG at quality 50 leaves photos 30 and more; with a bad resampling to a plan's cap, 29."""

_MOST_IN_A_BLOCK: Final = 10.0
"""Of 255. JPEG and WebP at quality 50 move a block's mean by up to 5, a bad resampling by up to 8."""

_MOST_IN_ALL: Final = 2.0
"""Of 255. No compression moves the mean of a whole picture by as much as 1."""

_MOST_SHARPNESS: Final = 1.25
"""JPEG at quality 50 reaches 1.05, of a few dark photos 1.16; sharpening that can be seen 1.4 and more."""

_BACK: Final = 0.1
"""How far a slider may seem to go back, in shares of its whole way: a mesh is only as sure as that."""

_LEAST_GROWTH, _MOST_LOSS = 0.05, 0.02
"""Of SSIM, over all values of likeness_strength, and between two of them: chance differs by edit."""

_UNTOUCHED: Final = 0.95
"""SSIM at which an edit has kept everything, so that there is nothing to keep more of."""

_LEAST_DARKER: Final = 10.0
"""Of 255, between the mean greys of a dark and a bright photo."""

_MOST_COLOUR: Final = 0.5
"""How colourful a black-and-white photo may be, in shares of the bright one's colours."""

_COLOURLESS: Final = 5.0
"""Of 255: a source without colours has none to lose."""


class Undecided(BluehourError):
    """The pictures don't show it; the message says why."""


class Pictures:
    """The pictures that came, and what was measured on their faces, each once.

    Args:
        gauge: what measures them.
        contents: the files, by their edits.
    """

    def __init__(self, gauge: Gauge, contents: Mapping[Edit, bytes]) -> None:
        self.gauge = gauge
        self._contents = contents
        self._faces: dict[Edit, Measured | None] = {}

    def image(self, edit: Edit) -> Image.Image:
        """Return a picture, decoded anew: all of them at once could fill the memory."""
        return decoded(self._contents[edit])

    def face(self, edit: Edit) -> Measured | None:
        """Return what its largest face measures; None where it has none."""
        if edit not in self._faces:
            ruler = self.gauge.ruler
            self._faces[edit] = ruler.measured(self.image(edit)) if ruler else None
        return self._faces[edit]


def fault_in(question: Question, pictures: Pictures) -> str:
    """Return how pictures break the rule that asks a question; nothing where they keep it.

    Raises:
        Undecided: they don't show it.
    """
    return _JUDGES[question.rule_id](question, pictures)


def _neutral(question: Question, pictures: Pictures) -> str:
    (still,) = question.edits
    found = compare.difference(pictures.gauge.source, pictures.image(still))
    kept = (
        found.psnr >= _LEAST_PSNR
        and found.block <= _MOST_IN_A_BLOCK
        and found.whole <= _MOST_IN_ALL
        and found.sharpness <= _MOST_SHARPNESS
    )
    if kept:
        return ""
    return (
        f"Nothing was asked for, and the picture has changed by more than its compression: it is "
        f"{found.psnr:.1f} dB from its source (at least {_LEAST_PSNR:g}), the mean colour of all of it "
        f"differs by {found.whole:.1f} of 255 (at most {_MOST_IN_ALL:g}), that of a block of 16 x 16 px by "
        f"{found.block:.1f} (at most {_MOST_IN_A_BLOCK:g}), and it is {found.sharpness:.2f} times as sharp "
        f"(at most {_MOST_SHARPNESS:g})"
    )


def _slider(question: Question, pictures: Pictures) -> str:
    name = question.field.rpartition(".")[2]
    at = [f"{edit.value:g}" for edit in question.edits]
    faces = [pictures.face(edit) for edit in question.edits]
    found = [face for face in faces if face is not None]
    if any(name not in face.values for face in found):
        raise Undecided(f"nothing is known to measure {name} by")
    shown = ", ".join("no face" if face is None else f"{face.values[name]:.3f}" for face in faces)
    message = f"{name} at {', '.join(at)} measures {shown}"
    if len(found) < len(faces):
        return f"{message}: the face is lost"
    still = found[len(found) // 2]
    fault = _fault_of_way([face.values[name] for face in found], at, still.error[name])
    return fault and f"{message}: {fault}"


def _fault_of_way(values: Sequence[float], at: Sequence[str], error: float) -> str:
    """Say what is wrong with a slider's way, from its least value to its greatest; nothing where it grows."""
    middle, way = len(values) // 2, max(values) - min(values)
    lower, upper = values[middle] - values[0], values[-1] - values[middle]
    if way <= error:
        return f"it moves nothing (the measure is sure to {error:.3f})"
    if lower < -error and upper < -error:
        return "it moves the other way round"
    back = next(
        (place for place, (one, next_) in enumerate(pairwise(values)) if next_ < one - _BACK * way), None
    )
    if back is not None:
        return f"it goes back between {at[back]} and {at[back + 1]}"
    still = [side for side, moved in (("below 0", lower), ("above 0", upper)) if moved <= error]
    return f"it moves nothing {' and '.join(still)} (the measure is sure to {error:.3f})" if still else ""


def _scene(question: Question, pictures: Pictures) -> str:
    source = pictures.gauge.source
    found = [compare.similarity(source, pictures.image(edit)) for edit in question.edits]
    at = ", ".join(f"{edit.value:g}" for edit in question.edits)
    message = (
        f"likeness_strength {at} gives pictures of similarity {', '.join(f'{each:.3f}' for each in found)}"
    )
    if min(found) >= _UNTOUCHED:
        raise Undecided(f"{message}: the prompt changes next to nothing, whatever the likeness")
    grown = found[-1] - found[0] >= _LEAST_GROWTH
    if grown and all(later >= earlier - _MOST_LOSS for earlier, later in pairwise(found)):
        return ""
    return f"{message} (SSIM) to the source: it must grow, by {_LEAST_GROWTH:g} in all"


def _tone(question: Question, pictures: Pictures) -> str:
    dark, bright, grey = (pictures.image(edit) for edit in question.edits)
    dark_at, bright_at = compare.lightness(dark), compare.lightness(bright)
    colours, left = compare.colourfulness(bright), compare.colourfulness(grey)
    faults = []
    if bright_at - dark_at < _LEAST_DARKER:
        faults.append(
            f"the dark photo has a mean grey of {dark_at:.0f} of 255 and the bright one of {bright_at:.0f}, "
            f"at least {_LEAST_DARKER:g} more are wanted"
        )
    if compare.colourfulness(pictures.gauge.source) >= _COLOURLESS and left > _MOST_COLOUR * colours:
        faults.append(
            f"the black-and-white photo is {left:.0f} of 255 from grey, and the bright one {colours:.0f}"
        )
    return f"The prompt's tone is not to be seen: {'; '.join(faults)}" if faults else ""


_JUDGES: Final[Mapping[str, Callable[[Question, Pictures], str]]] = {
    NEUTRAL: _neutral,
    SLIDER: _slider,
    SCENE: _scene,
    TONE: _tone,
}
