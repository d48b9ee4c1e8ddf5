"""Records what mediapipe and LiteRT make of the photos, once; the tests need neither.

In an environment of its own, on Python 3.11, from the root of the repository:

    pip install mediapipe==0.10.21 ai-edge-litert==2.3.0 scikit-image
    python -m tests.mock_server.rendering.reference.recorded.record ~/.cache/bluehour/weights-*
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import mediapipe  # type: ignore[import-not-found]
import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter  # type: ignore[import-not-found]

from .photos import Photo, Pictures, photos, pictures

_HERE = Path(__file__).parent


def main(weights: Path) -> None:
    outputs: dict[str, Any] = {
        f"{name} {number}": output
        for name, shown in pictures().items()
        for number, output in enumerate(_run(weights / f"{name}.tflite", shown))
    }
    np.savez_compressed(_HERE / "networks.npz", **outputs)
    meshes: dict[str, Any] = {
        f"{name}, {kind}": _mesh(photo, kind == "refined")
        for name, photo in photos().items()
        for kind in ("plain", "refined")
    }
    np.savez_compressed(_HERE / "meshes.npz", **meshes)


def _run(model: Path, shown: Pictures) -> list[npt.NDArray[np.float32]]:
    network: Any = Interpreter(str(model))
    network.allocate_tensors()
    network.set_tensor(network.get_input_details()[0]["index"], shown)
    network.invoke()
    return [network.get_tensor(output["index"]) for output in network.get_output_details()]


def _mesh(photo: Photo, refined: bool) -> npt.NDArray[np.float32]:
    """Return the points of the only face, [468 or 478, 3] in px."""
    height, width = photo.shape[:2]
    options = {"static_image_mode": True, "refine_landmarks": refined, "max_num_faces": 1}
    with mediapipe.solutions.face_mesh.FaceMesh(**options) as model:
        (face,) = model.process(photo).multi_face_landmarks
    points = [(point.x * width, point.y * height, point.z * width) for point in face.landmark]
    return np.array(points, np.float32)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
