from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from skimage import data
from torch import Tensor


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """The tests run side by side: each in one thread, which is also what the timings are told for."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def portrait() -> Tensor:
    """The astronaut, 512 x 512."""
    return torch.from_numpy(data.astronaut())  # type: ignore[no-untyped-call]  # scikit-image leaves it unannotated
