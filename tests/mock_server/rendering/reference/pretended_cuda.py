"""A CUDA device that isn't there: its tensors are computed on the CPU, and don't mix with the CPU's own.

No machine that runs these tests need have a GPU. What most often breaks where code first meets one, a tensor
that was left behind on the other device, shows here; how fast a GPU is, and how it rounds, doesn't.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import pytest
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map

_CUDA: Final = torch.device("cuda")
_CPU: Final = torch.device("cpu")
_MIXING: Final = frozenset({"aten::copy_", "aten::_to_copy"})
"""What takes tensors of both devices."""


class MixedDevices(RuntimeError):
    """An operation was given tensors of both devices, as CUDA refuses it."""


class OnCuda(Tensor):
    """A tensor that says it is on the GPU.

    Attributes:
        behind: what it is, on the CPU.
    """

    behind: Tensor

    @staticmethod
    def __new__(cls, real: Tensor) -> OnCuda:
        """Return a tensor without storage; `meta` stands in for the device that this torch may lack."""
        made: OnCuda = torch.Tensor._make_wrapper_subclass(
            cls, real.size(), strides=real.stride(), dtype=real.dtype, device=torch.device("meta")
        )
        made.behind = real
        return made

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]  # torch's stub has it as no class method
        cls, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Compute it on the CPU, if all of it is on the GPU; a single number may come from anywhere."""
        given = {"device": None, **(kwargs or {})}
        stays = given["device"] is None or _is_cuda(given["device"])
        given = {name: value for name, value in given.items() if name != "device"}
        tensors = [each for each in tree_leaves((args, given)) if isinstance(each, Tensor)]
        if func._schema.name not in _MIXING:
            _check_alike(func._schema.name, tensors)
        result = func(*tree_map(_behind, args), **tree_map(_behind, given))
        known = {id(each.behind): each for each in tensors if isinstance(each, OnCuda)}  # changed in place
        return tree_map(lambda each: known.get(id(each), _on_cuda(each)), result) if stays else result


def _check_alike(name: str, tensors: Sequence[Tensor]) -> None:
    strangers = [each for each in tensors if not isinstance(each, OnCuda) and each.dim()]
    if strangers and len(strangers) < len(tensors):
        raise MixedDevices(f"{name} of tensors on both devices")


def _behind(value: Any) -> Any:
    return value.behind if isinstance(value, OnCuda) else value


def _on_cuda(value: Any) -> Any:
    return OnCuda(value) if isinstance(value, Tensor) and not isinstance(value, OnCuda) else value


def _is_cuda(value: Any) -> bool:
    return isinstance(value, torch.device | str) and str(value).startswith("cuda")


def _moved(func: Callable[..., Any], tensor: Tensor, *args: Any, **kwargs: Any) -> Any:
    """`Tensor.to`, of which device and dtype matter."""
    wanted = [*args, kwargs.get("device"), kwargs.get("dtype")]
    here = _CUDA if isinstance(tensor, OnCuda) else _CPU
    device = next((each for each in wanted if isinstance(each, torch.device | str)), here)
    dtype = next((each for each in wanted if isinstance(each, torch.dtype)), tensor.dtype)
    moved = func(_behind(tensor), dtype)
    if not _is_cuda(device):
        return moved
    return tensor if isinstance(tensor, OnCuda) and moved is tensor.behind else _on_cuda(moved)


def _indexed(func: Callable[..., Any], tensor: Tensor, *args: Any) -> Any:
    """`Tensor.__getitem__` and `__setitem__`; a tensor on the GPU takes indices of both devices."""
    if not isinstance(tensor, OnCuda):
        raise MixedDevices("indices on the GPU for a tensor on the CPU")
    return _on_cuda(func(tensor.behind, *tree_map(_behind, args)))


def _with_numbers(func: Callable[..., Any], *args: Any) -> Any:
    """Functions that make a tensor of a number themselves, on a device that torch must have for that."""
    _check_alike(func.__name__, [each for each in args if isinstance(each, Tensor)])
    return _on_cuda(func(*map(_behind, args)))


_INSTEAD: Final[Mapping[str, Callable[..., Any]]] = {
    "to": _moved,
    "cpu": lambda func, tensor: _behind(tensor),
    "pin_memory": lambda func, tensor: tensor,
    "__getitem__": _indexed,
    "__setitem__": _indexed,
    **dict.fromkeys(("where", "floor_divide", "__floordiv__", "remainder", "__mod__"), _with_numbers),
    **dict.fromkeys(("tolist", "item", "numpy"), lambda func, tensor: func(_behind(tensor))),
}
"""What torch answers, or asks the device's driver for, before it computes anything."""


class _Pretence(TorchFunctionMode):
    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        given = dict(kwargs or {})
        name = getattr(func, "__name__", "")
        concerned = any(isinstance(each, OnCuda) or _is_cuda(each) for each in tree_leaves((args, given)))
        if concerned and func == torch.Tensor.device.__get__:
            return _CUDA
        if name in _INSTEAD and (concerned or name == "pin_memory"):
            return _INSTEAD[name](func, *args, **given)
        if _is_cuda(given.get("device")) and not any(isinstance(each, OnCuda) for each in tree_leaves(args)):
            return tree_map(_on_cuda, func(*args, **{**given, "device": _CPU}))  # something new
        return func(*args, **given)


@contextmanager
def cuda() -> Iterator[None]:
    """Have a CUDA device."""
    with pytest.MonkeyPatch.context() as patch, _Pretence():
        patch.setattr(torch.cuda, "is_available", lambda: True)
        yield
