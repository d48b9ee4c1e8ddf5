"""What each field of a photo edit request does: the one table that both photo editors read.

| field of the request      | here              | how                                                       |
| ------------------------- | ----------------- | --------------------------------------------------------- |
| resolution                | edge              | the longer side in px while it is edited                  |
| style.likeness_strength   | strength          | any number; from 0.96 (a new picture) down to 0.02 (the   |
|                           |                   | same one); 0.86 at 0, 0.49 at the published 5.2           |
| style.prompt_strength     | guidance          | any number; from 1 up to 6.5; 3.75 at the published 3.75, |
|                           |                   | around which it grows as the field does                   |
|                           | pull              | the same from 0 to 1; 0.30 at 0, 0.87 at 3.75             |
| style.prompt              | prompt            | as written                                                |
| style.image_description   | description       | as written: what is there already, and shall stay         |
| style.negative_prompt     | negative_prompt   | as written                                                |
| style.steps, else steps   | steps             | rounds that are really run                                |
| style.upscale_fidelity    | upscale_crispness | the same: 0 resamples only, 1 adds the most details       |
| the three texts           | seed              | equal texts meet equal chance, whatever else is asked     |

`style.upscale_factor` is none of them: whoever asks for an edit says the result's whole size. Any JSON number
is taken: what the contract bounds is clipped to its bounds (`steps`, whose deprecated twin has none, to those
of `style.steps`), what it does not bound goes through a smooth curve that has no end.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from openapi.contract import load

_DEFAULT_STEPS = 4  # as in the published example; the contract has no default

# The published example: what it sends is the middle of each curve.
_LIKENESS, _LIKENESS_WIDTH = 5.2, 4.0
_PROMPT, _PROMPT_WIDTH = 3.75, 3.0

_STRENGTHS = (0.02, 0.96)
_GUIDANCES = (1.0, 6.5)

_LONGEST_SCHEDULE = 50
"""Steps. A distilled model's scheduler (LCM) knows no more, so no schedule is made longer than it."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a request asks of a photo editor; the module's table says where each comes from.

    Attributes:
        strength: how far the result may go from the input, 0 to 1, as image-to-image diffusion has it.
        guidance: how strongly the prompt is followed: the scale of classifier-free guidance.
        pull: the same for an editor without a model: how much of the prompt's change is aimed at.
        upscale_crispness: how many details the upscaling makes up, 0 to 1.
        seed: of all that is random, 0 to 2^63 - 1.
    """

    prompt: str
    negative_prompt: str
    description: str
    strength: float
    guidance: float
    pull: float
    steps: int
    edge: int
    upscale_crispness: float
    seed: int

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Return the height and width that a picture is edited in: the longer is `edge`, none below 1."""
        longer = max(height, width)
        return max(1, round(height * self.edge / longer)), max(1, round(width * self.edge / longer))


def parameters_of(request: Mapping[str, Any]) -> Parameters:
    """Return what a PhotoEditorRequest asks for; a field that is missing or of a wrong type is as unsent."""
    sent = request.get("style")
    style: Mapping[str, Any] = sent if isinstance(sent, Mapping) else {}
    likeness = _share(_number(style.get("likeness_strength"), _LIKENESS), _LIKENESS, _LIKENESS_WIDTH)
    following = _share(_number(style.get("prompt_strength"), _PROMPT), _PROMPT, _PROMPT_WIDTH)
    steps = _number(style.get("steps"), _number(request.get("steps"), _DEFAULT_STEPS))
    prompt, negative, description = (
        _text(style.get(name)) for name in ("prompt", "negative_prompt", "image_description")
    )
    return Parameters(
        prompt=prompt,
        negative_prompt=negative,
        description=description,
        strength=_between(_STRENGTHS, 1 - likeness),
        guidance=_between(_GUIDANCES, following),
        pull=1 - (1 - following) ** 3,
        steps=round(_bounded(steps, "style", "steps")),
        edge=round(_bounded(request.get("resolution"), "resolution")),
        upscale_crispness=_bounded(style.get("upscale_fidelity"), "style", "upscale_fidelity"),
        seed=seed_of(prompt, negative, description),
    )


def schedule_of(steps: int, strength: float) -> tuple[int, float]:
    """Return the schedule's length and the strength at which image-to-image runs exactly `steps` of it.

    Diffusers' pipelines run the last `length * strength` steps of a schedule, some rounding that down and
    some rounding the rest up: so the strength is the one, nearest to what was asked, at which the product
    is whole and neither rounds. It is below 1, at which the photo would be ignored.
    """
    aimed = max(steps + 1, min(_LONGEST_SCHEDULE, round(steps / max(strength, 1e-3))))
    length = next(length for length in range(aimed, steps, -1) if length * (steps / length) == steps)
    return length, steps / length


def seed_of(*texts: str) -> int:
    """Return the seed of a request: of its texts, so that another strength meets the same chance."""
    return int.from_bytes(hashlib.sha256(json.dumps(texts).encode()).digest()[:8]) >> 1


def _share(value: float, middle: float, width: float) -> float:
    """Map a number to 0 to 1, rising, 1/2 at the middle: an algebraic sigmoid, which saturates late."""
    away = (value - middle) / width
    return 0.5 + 0.5 * away / math.hypot(1, away)


def _between(ends: tuple[float, float], share: float) -> float:
    return ends[0] + (ends[1] - ends[0]) * share


def _bounded(value: object, *path: str) -> float:
    """Clip a field to the contract's bounds; where it isn't sent, its default, or the most without one."""
    schema = _schema(path)
    lowest, highest = float(schema["minimum"]), float(schema["maximum"])
    return min(highest, max(lowest, _number(value, float(schema.get("default", highest)))))


@cache
def _schema(path: tuple[str, ...]) -> Mapping[str, Any]:
    """Return what the contract says of a field of a PhotoEditorRequest."""
    node: Mapping[str, Any] = load().document["components"]["schemas"]["PhotoEditorRequest"]
    for name in path:
        node = node["properties"][name]
    return node


def _number(value: object, otherwise: float) -> float:
    """Return a JSON number as a float far from overflow, and what stands in for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:  # NaN
        return otherwise
    return float(min(max(value, -1e300), 1e300))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
