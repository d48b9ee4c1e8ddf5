"""The models that find faces, fetched once where they aren't in the cache yet; torch on one thread."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
from PIL import Image

from bluehour.mock_server.rendering.reference import weights

from .recorded.photos import portrait


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Keep tests that run side by side from taking all cores each."""
    if find_spec("torch"):
        import torch

        torch.set_num_threads(1)


@pytest.fixture(scope="session")
def models() -> Path:
    """The folder of the models; without a network and a filled cache, its tests are skipped."""
    try:
        return weights.fetch()
    except weights.WeightsError as error:
        pytest.skip(f"the models that find faces can't be had: {error}")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """The portrait as a file."""
    Image.fromarray(portrait()).save(tmp_path / "portrait.png")
    return tmp_path / "portrait.png"
