"""What is seen in a mouth that a photo shows closed: made up, dark and soft, since the photo can't say.

Below the upper lip a band of teeth in its shadow, where the photo shows closed lips; where it shows teeth,
those stay at the upper lip, and the dark begins below them. Then the dark of the mouth, and towards the
lower lip the dull red of a tongue. All is as bright as the face's own skin allows.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

_DARK: Final = (0.17, 0.055, 0.06)  # of the brightness of skin that is fully lit
_TONGUE: Final = (0.50, 0.22, 0.21)
_TEETH: Final = (0.80, 0.73, 0.64)
_TEETH_HEIGHT: Final = 0.10  # units, and no more than a third of the opening


def inside_of_mouth(mouth: Tensor, brightness: Tensor, closed: Tensor) -> Tensor:
    """Return colours [B, 3, H, W], 0 to 1.

    Args:
        mouth: [B, 3, H, W]: how far a pixel is below the upper edge and above the lower one, units, and how
            far along the mouth, from -1 to 1.
        brightness: [B]: of the face's skin, 0 to 1.
        closed: [B]: 1 where the lips are closed in the photo, 0 where the teeth are seen.
    """
    dark, tongue, teeth = (
        torch.tensor(colour, device=mouth.device)[None, :, None, None] for colour in (_DARK, _TONGUE, _TEETH)
    )
    under, over, along = mouth[:, :, None].unbind(1)
    gap = (under + over).clamp(min=1e-3)
    colour = dark + (tongue - dark) * _rise(under / gap, 0.5, 1.1) * (1 - along**2).clamp(min=0)
    height = torch.minimum(gap / 3, torch.full_like(gap, _TEETH_HEIGHT)) * (1 - along**2).clamp(min=0).sqrt()
    share = 1 - _rise(under, height - 0.02, height + 0.005)
    lit = (0.35 + 0.65 * _rise(under, 0, 0.06)) * (1 - 0.75 * along**2)
    colour = colour + (teeth * lit - colour) * share * closed[:, None, None, None] * _rise(gap, 0.04, 0.16)
    return colour * (0.25 + 1.1 * brightness).clamp(max=1)[:, None, None, None]


def _rise(x: Tensor, start: Tensor | float, end: Tensor | float) -> Tensor:
    x = ((x - start) / (end - start)).clamp(0, 1)
    return x * x * (3 - 2 * x)
