"""What a user of the vendor's SDKs gets of a mock that really edits: a face that smiles."""

from __future__ import annotations

import re
import signal
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402

from bluehour.mock_server.rendering.reference import weights  # noqa: E402
from bluehour.mock_server.rendering.reference.face.faces import find_faces  # noqa: E402
from bluehour.mock_server.rendering.reference.face.measures import measure  # noqa: E402

from .sdks import NODE_43, PY_90, Client, Kind, Sdk, only  # noqa: E402
from .test_editors import edit_face  # noqa: E402

LATEST = (Kind(PY_90), Kind(NODE_43))


@pytest.fixture(scope="module")
def editing() -> Iterator[str]:
    """The base URL of a mock that really edits."""
    try:
        weights.fetch()
    except weights.WeightsError as error:
        pytest.skip(f"the models that find faces can't be had: {error}")
    bluehour = Path(sysconfig.get_path("scripts"), "bluehour")
    command = [str(bluehour), "serve", "--renderer", "reference", "--device", "cpu", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        address = re.search(r"http://\S+", server.stdout.readline())
        assert address
        yield address[0]
        server.send_signal(signal.SIGINT)


def measures(path: str | Path) -> dict[str, float]:
    with Image.open(path) as picture:
        pixels = torch.from_numpy(np.array(picture.convert("RGB")))
    (faces,) = find_faces([pixels])
    return measure(faces[0])


@only(LATEST)
def test_the_downloaded_face_smiles(sdk: Sdk, editing: str, portrait: Path, tmp_path: Path) -> None:
    client: Client = sdk.client(editing, "any-token")
    smile = edit_face(client, portrait, tmp_path / "smile", {"mouth_smile": 60})
    frown = edit_face(client, portrait, tmp_path / "frown", {"mouth_smile": -60})
    assert (smile["status"], smile["credits_charged"]) == ("complete", 1)
    before = measures(portrait)["mouth_smile"]
    assert measures(frown["downloaded_paths"][0])["mouth_smile"] < before
    assert measures(smile["downloaded_paths"][0])["mouth_smile"] > before


@only(LATEST)
def test_a_photo_without_a_face_ends_in_the_vendor_s_error(sdk: Sdk, editing: str, tmp_path: Path) -> None:
    empty = tmp_path / "empty.png"
    Image.linear_gradient("L").save(empty)
    client: Client = sdk.client(editing, "mhk_test_creator_5")
    ended = edit_face(client, empty, tmp_path / "none", {"mouth_smile": 60})
    assert (ended["status"], ended["error"]["code"]) == ("error", "no_source_face")
    assert ended["credits_charged"] == 0
