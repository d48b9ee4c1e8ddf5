"""What measures the pictures of one check: their source, and a ruler for faces where any are asked about."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from PIL import Image

from bluehour.mock_server.rendering.reference.weights import WeightsError

from . import CannotMeasure
from .edits import FACE, Question
from .faces import FaceRuler
from .pictures import NoPicture, decoded


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
            CannotMeasure: the picture can't be decoded, the models are not there, or there is no face to
                edit.
        """
        try:
            source = decoded(content)
        except NoPicture as error:
            raise CannotMeasure(f"the picture can't be decoded: {error}") from error
        if not any(question.operation.project_type == FACE for question in asked):
            return cls(source, None)
        try:
            ruler = FaceRuler()
        except WeightsError as error:
            raise CannotMeasure(str(error)) from error
        if ruler.measured(source) is None:
            raise CannotMeasure("no face is found in the picture; name one with a face by --picture")
        return cls(source, ruler)
