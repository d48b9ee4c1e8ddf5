"""What each field of a photo edit request does: the one table of both photo editors.

| field             | `Parameters`      | the analytic editor              | a diffusion pipeline          |
| ----------------- | ----------------- | -------------------------------- | ----------------------------- |
| resolution        | edge              | the longer side in px while it is edited                         |
| likeness_strength | strength          | the noise that the rounds        | the schedule's share that is  |
|                   |                   | begin with: from 0.96 down to    | run: steps / n, as near as n, |
|                   |                   | 0.02; 0.86 at 0, 0.49 at 5.2     | whole and up to 50, comes     |
| prompt_strength   | pull              | how much of the prompt's change  | -                             |
|                   |                   | is aimed at: from 0 up to 1;     |                               |
|                   |                   | 0.37 at 0, 0.94 at 3.75          |                               |
|                   | guidance          | -                                | the guidance scale: from 1 to |
|                   |                   |                                  | 6.5; 1.6 at 0, 3.75 at 3.75   |
| prompt            | prompt            | the words that it knows          | as written                    |
| negative_prompt   | negative_prompt   | their opposites, a little        | as written                    |
| image_description | description       | what it says asks for no change; | is the prompt where that is   |
|                   |                   | the things it names keep more    | empty; else unread: there is  |
|                   |                   | of their colour                  | the picture itself            |
| steps             | steps             | rounds that are run; the deprecated ones where it isn't sent     |
| upscale_fidelity  | upscale_crispness | the same: 0 resamples only, 1 adds the most details              |
| the three texts   | seed              | equal texts meet equal chance, whatever else is asked            |

`upscale_factor` is none of them: whoever asks for an edit says the result's whole size. Any JSON number is
taken: what the contract bounds is clipped to its bounds (`steps`, whose deprecated twin has none, to those
of `style.steps`), what it does not bound goes through a smooth curve that has no end, whose middle is the
contract's example.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from bluehour.openapi.contract import load

_LIKENESS_WIDTH = 4.0  # of the curve, in units of the field
_PROMPT_WIDTH = 3.0

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
    likeness = _share(style, "likeness_strength", _LIKENESS_WIDTH)
    following = _share(style, "prompt_strength", _PROMPT_WIDTH)
    steps = _number(style.get("steps"), _number(request.get("steps"), _published("style", "steps")))
    prompt, negative, description = (
        _text(style.get(name)) for name in ("prompt", "negative_prompt", "image_description")
    )
    return Parameters(
        prompt=prompt,
        negative_prompt=negative,
        description=description,
        strength=_between(_STRENGTHS, 1 - likeness),
        guidance=_between(_GUIDANCES, following),
        pull=1 - (1 - following) ** 4,
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


def _share(style: Mapping[str, Any], name: str, width: float) -> float:
    """Map a field without bounds to 0 to 1, rising, 1/2 at its published example and where it isn't sent.

    An algebraic sigmoid: it saturates late.
    """
    middle = _published("style", name)
    away = (_number(style.get(name), middle) - middle) / width
    return 0.5 + 0.5 * away / math.hypot(1, away)


def _between(ends: tuple[float, float], share: float) -> float:
    return ends[0] + (ends[1] - ends[0]) * share


def _bounded(value: object, *path: str) -> float:
    """Clip a field to the contract's bounds; where it isn't sent, its default, or the most without one."""
    schema = _schema(path)
    lowest, highest = float(schema["minimum"]), float(schema["maximum"])
    return min(highest, max(lowest, _number(value, float(schema.get("default", highest)))))


def _published(*path: str) -> float:
    """Return a field's example, which stands in where the contract has neither default nor bounds."""
    return float(_schema(path)["examples"][0])


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
