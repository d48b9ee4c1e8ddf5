"""The calls that the tests make of the vendor's SDKs: one or more for each operation of the contract.

A resource of an SDK has the name of the operation's path and takes the fields of its body. So a call is one
of the contract's examples, and an operation that is added to the contract is called without a line here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bluehour.contracts.bodies.places import places, with_value
from bluehour.openapi import contract, terms
from bluehour.openapi.model import MediaType, Operation

from .sdks import PY_90, Sdk

AS_PUBLISHED = "reference-page"
"""The name of the example that every operation has."""

PLAN = "creator"
"""Of an account that nothing else is said of."""

NOT_UPLOADED: dict[str, set[str]] = {
    "python": {"original_face", "file_path", "end_image_file_path", "background_image_file_path"},
    "node": {"original_face"},
}
"""Assets that `generate` does not upload, by their fields: no local file can be given there.

An `original_face` is none of the user's files, but one that was detected; the others seem to be forgotten.
"""

ASKED_BY_OLDER_CLIENTS: dict[str, dict[str, Any]] = {
    "ai_clothes_changer": {"assets": {"garment_type": "upper_body"}},
    "ai_image_editor": {
        "assets": {"image_file_path": "api-assets/id/1234.png"},
        "style": {"model": "Seedream"},
    },
    "ai_image_generator": {
        "orientation": "square",
        "model": "default",
        "resolution": "auto",
        "style": {"quality_mode": "pro"},
    },
    "ai_image_upscaler": {"style": {"enhancement": "Balanced", "prompt": "fine hair"}},
    "ai_meme_generator": {"style": {"search_web": False}},
    "ai_photo_editor": {"steps": 123},
    "ai_talking_photo": {
        "max_resolution": 1024,
        "style": {"generation_mode": "pro", "intensity": 123.45, "prompt": "a friendly smile"},
    },
    "animation": {"assets": {"youtube_url": "http://www.example.com"}},
    "auto_subtitle_generator": {
        "style": {
            "template": "karaoke",
            "custom_config": {
                "font_size": 32.0,
                "font_style": "italic",
                "highlighted_text_color": "#FF0000",
                "stroke_color": "#FFFFFF",
                "stroke_width": 2.0,
            },
        }
    },
    "face_swap": {"assets": {"youtube_url": "http://www.example.com"}, "height": 720, "width": 1280},
    "image_to_video": {
        "model": "default",
        "resolution": "720p",
        "height": 720,
        "width": 1280,
        "style": {"prompt": "waves", "high_quality": True, "quality_mode": "quick"},
    },
    "lip_sync": {
        "assets": {"youtube_url": "http://www.example.com"},
        "height": 720,
        "width": 1280,
        "style": {"generation_mode": "lite"},
    },
    "text_to_video": {
        "model": "default",
        "resolution": "720p",
        "orientation": "portrait",
        "style": {"quality_mode": "quick"},
    },
    "video_to_video": {"assets": {"youtube_url": "http://www.example.com"}, "height": 720, "width": 1280},
}
"""What SDKs before the newest need or send beside the published example, or in the place of its fields.

The vendor's own suites send all these fields: deprecated ones, and two where one would do.
"""


@dataclass(frozen=True, slots=True)
class Made:
    """An operation that makes something, as the SDKs see it."""

    operation: Operation
    media: MediaType

    @property
    def resource(self) -> str:
        return self.operation.path.removeprefix("/v1/").replace("-", "_")

    @property
    def reader(self) -> str:
        """The resource that shows what was made."""
        kind = self.operation.project_kind
        return "face_detection" if kind == "face-detection" else f"{kind}_projects"

    @property
    def answer(self) -> Any:
        """The published answer."""
        _, response = self.operation.success
        return response.json.example if response.json else None

    def names(self, body: Mapping[str, Any]) -> list[str]:
        """What the files are called that come of a body whose pictures are PNGs."""
        return terms.output(self.operation, terms.meant(self.operation, body, PLAN), PLAN).names("png")

    def asked_by(self, sdk: Sdk, example: str) -> dict[str, Any]:
        """One of the published examples, as this SDK can ask for it."""
        body = self.media.named[example]
        if sdk.kind.package != PY_90:
            body = _merged(body, ASKED_BY_OLDER_CLIENTS.get(self.resource, {}))
        known = sdk.generators[self.resource]
        return body if known is None else {name: value for name, value in body.items() if name in known}

    def with_files(self, sdk: Sdk, body: dict[str, Any], files: Mapping[str, Path]) -> dict[str, Any]:
        """Put local files, by the type of asset, in the place of a body's assets: `generate` uploads them."""
        for place in places(self.media.schema, body):
            types = place.schema.said("x-asset-type")
            if types and place.present and NOT_UPLOADED[sdk.kind.package.language].isdisjoint(place.path):
                type_ = types if isinstance(types, str) else types[0]
                body = with_value(body, place.path, str(files[type_]))
        return body


@cache
def all_made() -> dict[str, Made]:
    """Every operation that makes something, by the name of its resource."""
    found = [
        Made(operation, operation.json_body)
        for operation in contract.load().operations
        if operation.behaviour == "create-project" and operation.json_body
    ]
    return {made.resource: made for made in found}


def _merged(body: dict[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    inner = {
        name: _merged(body[name], value) if isinstance(value, dict) and name in body else value
        for name, value in change.items()
    }
    return {**body, **inner}
