"""Errors, as the vendor's SDKs raise them."""

from __future__ import annotations

from typing import Any

import pytest

from .sdks import ApiError, Client, Sdk

EXAMPLE = {"image_file_path": "api-assets/id/1234.png"}


def refusal_of(client: Client, method: str, **arguments: Any) -> tuple[int, dict[str, Any]]:
    with pytest.raises(ApiError) as refused:
        client.call(method, **arguments)
    return refused.value.status, refused.value.body


@pytest.mark.parametrize("token", ["mhk_test_invalid", None])
def test_without_a_valid_token_there_is_only_401(sdk: Sdk, served: str, token: str | None) -> None:
    client = sdk.client(served, token)
    unauthorized = (401, {"code": "unauthorized", "message": "Unauthorized"})

    assert refusal_of(client, "image_projects.get", id="cuid-example") == unauthorized
    assert refusal_of(client, "ai_face_editor.create", assets=EXAMPLE, style={}) == unauthorized
    assert refusal_of(client, "files.upload_urls.create", items=[]) == unauthorized


def test_a_slider_between_its_steps_is_named(client: Client) -> None:
    assert refusal_of(client, "ai_face_editor.create", assets=EXAMPLE, style={"mouth_smile": 0.2}) == (
        400,
        {"code": "invalid_request", "message": "style.mouth_smile must be a multiple of 5"},
    )


@pytest.mark.parametrize("method", ["image_projects.get", "image_projects.delete"])
def test_an_id_that_no_create_gave_is_not_found(client: Client, method: str) -> None:
    assert refusal_of(client, method, id="nobody-made-this") == (
        404,
        {"code": "not_found", "message": "Not Found"},
    )


def test_the_project_of_another_account_is_not_found(sdk: Sdk, served: str, client: Client) -> None:
    project = client.call("ai_face_editor.create", assets=EXAMPLE, style={})

    assert refusal_of(sdk.client(served, "someone-else"), "image_projects.get", id=project["id"])[0] == 404


def test_an_asset_that_was_never_issued_can_not_be_edited(client: Client) -> None:
    status, body = refusal_of(
        client, "ai_face_editor.create", assets={"image_file_path": "api-assets/no/such.png"}, style={}
    )

    assert (status, body["code"]) == (422, "unprocessable_entity")
    assert body["message"].startswith("assets.image_file_path: The asset was never issued")
