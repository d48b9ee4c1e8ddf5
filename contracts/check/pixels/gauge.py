"""What measures the pictures of one check: their source, and a ruler for faces where any are asked about."""

from __future__ import annotations

import io
from collections.abc import Collection
from dataclasses import dataclass

from PIL import Image, ImageOps

from mock_server.rendering.pictures import PAPER
from mock_server.rendering.reference.weights import WeightsError

from . import CannotMeasure
from .edits import FACE, Question
from .faces import FaceRuler


@dataclass(frozen=True)
class Gauge:
    """What measures pictures.

    Attributes:
        source: the picture that is edited.
        ruler: measures faces; None where no question is about any.
    """

    source: Image.Image
    ruler: FaceRuler | None

    @classmethod
    def for_questions(cls, asked: Collection[Question], content: bytes) -> Gauge:
        """Return what measures the answers to questions about a picture.

        Raises:
            CannotMeasure: the models are not there, or there is no face in the picture to edit.
        """
        source = decoded(content)
        if not any(question.operation.project_type == FACE for question in asked):
            return cls(source, None)
        try:
            ruler = FaceRuler()
        except WeightsError as error:
            raise CannotMeasure(str(error)) from error
        if ruler.measured(source) is None:
            raise CannotMeasure("no face is found in the picture; name one with a face by --picture")
        return cls(source, ruler)


def decoded(content: bytes) -> Image.Image:
    """Return a picture as people see it: upright, on paper where it is transparent, in RGB.

    Raises:
        OSError, ValueError, SyntaxError: it is no whole picture.
    """
    with Image.open(io.BytesIO(content)) as image:
        upright = ImageOps.exif_transpose(image)
    if upright.has_transparency_data:
        upright = upright.convert("RGBA")
        paper = Image.new("RGB", upright.size, PAPER)
        paper.paste(upright, mask=upright.getchannel("A"))
        return paper
    return upright.convert("RGB")
