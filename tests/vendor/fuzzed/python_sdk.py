"""The vendor's Python SDK as a client for `bluehour fuzz`: its `generate`, used as its README shows.

It runs where the SDK is installed, `bluehour fuzz --interpreter PYTHON -- python_sdk.py:face`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

# Of these mypy knows nothing: they are installed only where this runs.
import httpx  # type: ignore[import-not-found]
from magic_hour import ApiError, AsyncClient, Client  # type: ignore[import-not-found]

REFUSES = (ApiError, httpx.HTTPError)
"""What the SDK documents: the one for the API's answers, the other for uploads and the network."""

# The SDK makes an HTTP client for every upload and download, and each one reads all of the machine's
# certificates, for 25 ms and more. Where nothing is encrypted a folder without any does as well.
os.environ.pop("SSL_CERT_FILE", None)
os.environ["SSL_CERT_DIR"] = str(Path(__file__).parent / "no-certificates")

# How it polls and logs is its own affair, also where the suite is in a hurry.
os.environ.pop("MAGIC_HOUR_POLL_INTERVAL", None)
os.environ.pop("MAGIC_HOUR_LOG_LEVEL", None)


def face(task: Any) -> Any:
    """Have the face editor make a smile."""
    return _client(Client, task).v1.ai_face_editor.generate(
        **_inputs(task), style={"mouth_smile": 60}, **_outputs(task)
    )


async def face_async(task: Any) -> Any:
    """Have the face editor make a smile, by the asynchronous client."""
    return await _client(AsyncClient, task).v1.ai_face_editor.generate(
        **_inputs(task), style={"mouth_smile": 60}, **_outputs(task)
    )


def photo(task: Any) -> Any:
    """Have the photo editor add a hat; SDKs later than 0.50.1 do not have that editor."""
    style = {
        "image_description": "A photo of a person",
        "prompt": "A photo portrait of a person wearing a hat",
        "likeness_strength": 5.2,
        "prompt_strength": 3.75,
    }
    return _client(Client, task).v1.ai_photo_editor.generate(
        **_inputs(task), resolution=768, style=style, **_outputs(task)
    )


def asked(task: Any) -> Any:
    """Have done what `--operation` asks for: the SDK's resource is named as the path, `ai_face_editor`."""
    resource = task.path.rpartition("/")[2].replace("-", "_")
    return getattr(_client(Client, task).v1, resource).generate(**task.request, **_outputs(task))


def _client(kind: Any, task: Any) -> Any:
    return kind(token=task.token, base_url=task.url, timeout=task.patience)


def _inputs(task: Any) -> dict[str, Any]:
    return {"assets": {"image_file_path": task.photo}}


def _outputs(task: Any) -> dict[str, Any]:
    return {"wait_for_completion": True, "download_outputs": True, "download_directory": task.out}
