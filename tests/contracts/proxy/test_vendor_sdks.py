"""The vendor's SDKs do their work through the proxy as without it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.vendor.conftest import skip_without_npm
from tests.vendor.sdks import NODE_43, PY_50, ApiError, Kind

from .running import proxied
from .test_judging import mocked

__all__ = ["mocked"]

SMILE: dict[str, Any] = {
    "assets": {"image_file_path": "api-assets/id/1234.png"},
    "style": {"mouth_smile": 60},
}


def test_an_edit_is_generated_through_the_proxy(mocked: str, tmp_path: Path) -> None:
    portrait = tmp_path / "portrait.png"
    Image.new("RGB", (64, 64), "red").save(portrait)
    with proxied(mocked) as proxy, Kind(PY_50).started() as sdk:
        made = sdk.client(proxy.url, "any-token").call(
            "ai_face_editor.generate",
            assets={"image_file_path": str(portrait)},
            style=SMILE["style"],
            download_directory=str(tmp_path),
        )
        assert made["status"] == "complete"
        with Image.open(made["downloaded_paths"][0]) as picture:
            assert picture.size == (64, 64)
        entries = proxy.entries(3)  # the upload and the download lead past it
    assert [entry["request"]["path"] for entry in entries[:2]] == [
        "/v1/files/upload-urls",
        "/v1/ai-face-editor",
    ]
    assert all(entry["faults"] == entry["broken"] == [] for entry in entries)


@pytest.mark.parametrize("package", [PY_50, NODE_43], ids=lambda package: package.name)
def test_a_refusal_reaches_the_sdk_as_it_is(mocked: str, package: Any) -> None:
    skip_without_npm(package)
    with proxied(mocked) as proxy, Kind(package).started() as sdk:
        client = sdk.client(proxy.url, "any-token")
        assert client.call("ai_face_editor.create", **SMILE)["credits_charged"] == 1
        with pytest.raises(ApiError) as refusal:
            client.call("ai_face_editor.create", **{**SMILE, "style": {"mouth_smile": 61}})
        assert refusal.value.status == 400
        assert refusal.value.body["code"] == "invalid_request"
        assert [fault.where for fault in proxy.verdict(2).faults] == ["style.mouth_smile"]
