"""Runs the graph of a `.tflite` file in torch: any batch, any device, float32 or float16.

Pictures stay channels first inside, as torch has them; what a graph gives out lies as the file says.
What each operator does is TensorFlow Lite's `tensorflow/lite/kernels/internal/reference`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .reader import Graph, ModelError, Operator

_Run: TypeAlias = Callable[..., Tensor]

# ActivationFunctionType of the schema: what may follow an operator inside it, on the operator's own result.
_ACTIVATIONS: Final[Mapping[int, Callable[[Tensor], Tensor]]] = {0: lambda x: x, 1: torch.relu_}
_SAME: Final = 0  # Padding of the schema; 1 is VALID


class Network:
    """A model that is ready to run; its weights are converted and moved once.

    Attributes:
        device: where its weights are and its inputs must be.
        dtype: what it computes in.
    """

    def __init__(
        self, graph: Graph, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32
    ) -> None:
        """Take in a graph of one input.

        Raises:
            ModelError: it can't be run here.
        """
        if len(graph.inputs) != 1:
            raise ModelError(f"a model of {len(graph.inputs)} inputs; only one can be fed")
        self.device = torch.device(device)
        self.dtype = dtype
        self._input = graph.inputs[0]
        self._outputs = graph.outputs
        self._steps = _steps(graph, self.device, dtype)

    @torch.no_grad()
    def __call__(self, pictures: Tensor) -> list[Tensor]:
        """Return the outputs for pictures [N, channels, height, width], each with N first, in float32.

        An output of four dimensions is [N, height, width, channels], as the model's file has it.
        """
        # Pixel by pixel in memory: mobile networks run twice as fast so on a CPU.
        laid = pictures.to(self.device, self.dtype, memory_format=torch.channels_last)
        values = {self._input: laid}
        for step in self._steps:
            values[step.output] = step.run(*(values[number] for number in step.inputs))
            for number in step.done:
                del values[number]
        return [_channels_last(values[number]).float() for number in self._outputs]


@dataclass(frozen=True, slots=True)
class _Step:
    """An operator that holds its constants.

    Attributes:
        inputs: numbers of the tensors that were computed before.
        done: those of them that no later step needs.
    """

    run: _Run
    inputs: tuple[int, ...]
    output: int
    done: tuple[int, ...]


def _steps(graph: Graph, device: torch.device, dtype: torch.dtype) -> tuple[_Step, ...]:
    constants = {
        number: torch.from_numpy(np.array(tensor.data))
        for number, tensor in enumerate(graph.tensors)
        if tensor.data is not None
    }
    last = {number: place for place, one in enumerate(graph.operators) for number in one.inputs}
    made = {one.outputs[0] for one in graph.operators if one.kind in _MAKES} - set(graph.outputs)
    plans: list[tuple[_Run, tuple[int, ...], int]] = []
    for place, operator in enumerate(graph.operators):
        (output,) = operator.outputs
        if min(operator.inputs) < 0:
            raise ModelError(f"a {operator.kind} without all of its inputs can't be run here")
        if operator.kind == "DEQUANTIZE" and operator.inputs[0] in constants:
            constants[output] = constants[operator.inputs[0]]
            continue
        inputs = tuple(number for number in operator.inputs if number not in constants)
        fixed = [constants[number] for number in operator.inputs if number in constants]
        spent = [number in made and last[number] == place for number in inputs]
        run = _PREPARE[operator.kind](_Operands(graph, operator, fixed, spent, device, dtype))
        plans.append((run, inputs, output))
    last = {number: place for place, (_, inputs, _) in enumerate(plans) for number in inputs}
    done: list[list[int]] = [[] for _ in plans]
    for number, place in last.items():
        if number not in graph.outputs:
            done[place].append(number)
    return tuple(_Step(*plan, tuple(over)) for plan, over in zip(plans, done, strict=True))


@dataclass(frozen=True, slots=True)
class _Operands:
    """What an operator is prepared from: its options, its constants and the shapes around it.

    Attributes:
        spent: which of its inputs, of those that aren't constants, no one needs after it: it may overwrite
            them, as memory that is new to a processor's cache is what small networks wait for.
    """

    graph: Graph
    operator: Operator
    constants: Sequence[Tensor]
    spent: Sequence[bool]
    device: torch.device
    dtype: torch.dtype

    def option(self, name: str) -> int:
        return self.operator.options[name]

    def weights(self, place: int) -> Tensor:
        return self.constants[place].to(self.device, self.dtype)

    @property
    def activation(self) -> Callable[[Tensor], Tensor]:
        number = self.option("fused_activation_function")
        if number not in _ACTIVATIONS:
            raise ModelError(f"the activation {number} of the schema can't be run here")
        return _ACTIVATIONS[number]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the first input, batch first and channels last."""
        return self.graph.tensors[self.operator.inputs[0]].shape

    @property
    def result(self) -> tuple[int, ...]:
        return self.graph.tensors[self.operator.outputs[0]].shape


def _convolution(operands: _Operands) -> _Run:
    kernel = operands.weights(0)
    return _convolved(operands, kernel.permute(0, 3, 1, 2), groups=1)


def _depthwise(operands: _Operands) -> _Run:
    kernel = operands.weights(0).permute(3, 0, 1, 2)
    return _convolved(operands, kernel, groups=operands.shape[3])


def _convolved(operands: _Operands, kernel: Tensor, groups: int) -> _Run:
    kernel = kernel.contiguous(memory_format=torch.channels_last)
    bias, activation = operands.weights(1), operands.activation
    stride = operands.option("stride_h"), operands.option("stride_w")
    dilation = operands.option("dilation_h_factor"), operands.option("dilation_w_factor")
    window = kernel.shape[2], kernel.shape[3]
    around, inside = _padding(operands, window, stride, dilation)

    def run(x: Tensor) -> Tensor:
        if around:
            x = functional.pad(x, around)
        return activation(functional.conv2d(x, kernel, bias, stride, inside, dilation, groups))

    return run


def _max_pool(operands: _Operands) -> _Run:
    activation = operands.activation
    stride = operands.option("stride_h"), operands.option("stride_w")
    window = operands.option("filter_height"), operands.option("filter_width")
    around, inside = _padding(operands, window, stride, (1, 1))

    def run(x: Tensor) -> Tensor:
        if around:
            x = functional.pad(x, around, value=-math.inf)
        return activation(functional.max_pool2d(x, window, stride, inside))

    return run


_Pair: TypeAlias = tuple[int, int]


def _padding(
    operands: _Operands, window: _Pair, stride: _Pair, dilation: _Pair
) -> tuple[list[int], tuple[int, int]]:
    """Return what is padded before an operator (left, right, top, bottom; empty for nothing) and inside it.

    SAME gives ceil(size / stride) results, and the odd pixel of padding goes after:
    `ComputePaddingWithOffset` in `tensorflow/lite/kernels/padding.h`.
    """
    if operands.option("padding") != _SAME:
        return [], (0, 0)
    sides = []
    for axis in (0, 1):
        size = operands.shape[1 + axis]
        results = -(-size // stride[axis])
        reach = (window[axis] - 1) * dilation[axis] + 1
        total = max(0, (results - 1) * stride[axis] + reach - size)
        sides.append((total // 2, total - total // 2))
    (top, bottom), (left, right) = sides
    if (top, left) == (bottom, right):
        return [], (top, left)
    return [left, right, top, bottom], (0, 0)


def _prelu(operands: _Operands) -> _Run:
    slopes = operands.weights(0)
    if slopes.numel() != slopes.shape[-1]:
        raise ModelError("a PRELU whose slopes differ from place to place can't be run here")
    slopes = slopes.flatten()
    return lambda x: functional.prelu(x, slopes)


def _add(operands: _Operands) -> _Run:
    if operands.constants:
        raise ModelError("an ADD of a constant can't be run here")
    activation = operands.activation
    first, second = (
        spent and operands.graph.tensors[number].shape == operands.result
        for spent, number in zip(operands.spent, operands.operator.inputs, strict=True)
    )
    if first:
        return lambda x, y: activation(x.add_(y))
    if second:
        return lambda x, y: activation(y.add_(x))
    return lambda x, y: activation(x + y)


def _relu(operands: _Operands) -> _Run:
    return torch.relu_ if operands.spent[0] else torch.relu


def _pad(operands: _Operands) -> _Run:
    pairs = operands.constants[0].tolist()
    if len(pairs) != 4:
        raise ModelError(f"a PAD of {len(pairs)} dimensions can't be run here")
    around = [side for axis in (2, 1, 3, 0) for side in pairs[axis]]  # torch's: the last of NCHW first
    return lambda x: functional.pad(x, around)


def _reshape(operands: _Operands) -> _Run:
    batch, *shape = operands.result
    if batch != 1 or len(shape) > 2:
        raise ModelError(f"a RESHAPE to {operands.result} can't be run here")
    return lambda x: _channels_last(x).reshape(x.shape[0], *shape)


def _concatenation(operands: _Operands) -> _Run:
    if operands.constants:
        raise ModelError("a CONCATENATION with a constant can't be run here")
    axis, activation = operands.option("axis"), operands.activation
    if len(operands.result) == 4:
        axis = (0, 2, 3, 1)[axis]
    return lambda *parts: activation(torch.cat(parts, axis))


def _dequantize(operands: _Operands) -> _Run:
    raise ModelError("only constants can be dequantized here")


def _channels_last(x: Tensor) -> Tensor:
    return x.permute(0, 2, 3, 1) if x.dim() == 4 else x


# What gives out memory of its own, that is not its input's nor the caller's.
_MAKES: Final = {"ADD", "CONV_2D", "DEPTHWISE_CONV_2D", "MAX_POOL_2D", "PAD", "PRELU", "RELU"}

_PREPARE: Final[Mapping[str, Callable[[_Operands], _Run]]] = {
    "ADD": _add,
    "CONCATENATION": _concatenation,
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "DEQUANTIZE": _dequantize,
    "LOGISTIC": lambda operands: torch.sigmoid,
    "MAX_POOL_2D": _max_pool,
    "PAD": _pad,
    "PRELU": _prelu,
    "RELU": _relu,
    "RESHAPE": _reshape,
}
