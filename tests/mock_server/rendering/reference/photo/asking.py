"""What a test asks of the photo editor."""

from __future__ import annotations

from typing import Any

from bluehour.mock_server.rendering.reference.photo.parameters import Parameters, parameters_of


def request(prompt: str = "", /, resolution: int = 512, **style: Any) -> dict[str, Any]:
    """A PhotoEditorRequest with the published strengths, where no others are given."""
    strengths = {"likeness_strength": 5.2, "prompt_strength": 3.75, "steps": 4}
    texts = {"prompt": prompt, "image_description": "A photo of a person"}
    return {
        "resolution": resolution,
        "style": strengths | texts | style,
        "assets": {"image_file_path": "a.png"},
    }


def asked(prompt: str = "", /, **style: Any) -> Parameters:
    return parameters_of(request(prompt, **style))
