"""Reads a `.tflite` file into a graph of plain values: what it needs of the format and no more.

The tables, the order of their fields and the numbers of their enums are those of TensorFlow's
`tensorflow/compiler/mlir/lite/schema/schema.fbs`; how a table is laid out in bytes is that of
FlatBuffers' `docs/source/internals.md`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from bluehour.openapi.errors import BluehourError


class ModelError(BluehourError, ValueError):
    """A file that isn't a model, or uses what isn't read here."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """A value of the graph: fed in, computed, or constant.

    Attributes:
        name: as the model's author named it.
        shape: as written in the file, batch first, channels last.
        data: what a constant holds, in `shape`; None for the others.
    """

    name: str
    shape: tuple[int, ...]
    data: npt.NDArray[np.generic] | None


@dataclass(frozen=True, slots=True)
class Operator:
    """A step of the graph.

    Attributes:
        kind: the name in the schema's BuiltinOperator, such as `CONV_2D`.
        inputs: numbers of tensors; -1 for an optional one that isn't given.
        outputs: numbers of tensors.
        options: the schema's fields of that operator, by name.
    """

    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Graph:
    """The only subgraph of a model: its operators stand in an order in which they can be run."""

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def read(path: Path) -> Graph:
    """Return the graph of a model file.

    Raises:
        ModelError: the file isn't a TensorFlow Lite model, is cut short, or uses what isn't read here.
        OSError: the file can't be read.
    """
    return parse(path.read_bytes())


def parse(data: bytes) -> Graph:
    """Return the graph in the bytes of a model file; see `read`."""
    if data[4:8] != b"TFL3":
        raise ModelError("not a TensorFlow Lite model: the identifier TFL3 is missing")
    try:
        return _graph(_Table.root(data))
    except ModelError:
        raise
    except (struct.error, IndexError, ValueError) as error:
        raise ModelError(f"not a whole TensorFlow Lite model: {error}") from error


# BuiltinOperator: those that the executor knows.
_KINDS: Final = {
    0: "ADD",
    2: "CONCATENATION",
    3: "CONV_2D",
    4: "DEPTHWISE_CONV_2D",
    6: "DEQUANTIZE",
    14: "LOGISTIC",
    17: "MAX_POOL_2D",
    19: "RELU",
    22: "RESHAPE",
    34: "PAD",
    54: "PRELU",
}

# The fields of each operator's options: place in the table, format and default.
_BYTE, _INT = "<b", "<i"
_OPTIONS: Final[Mapping[str, Mapping[str, tuple[int, str, int]]]] = {
    "ADD": {"fused_activation_function": (0, _BYTE, 0)},
    "CONCATENATION": {"axis": (0, _INT, 0), "fused_activation_function": (1, _BYTE, 0)},
    "CONV_2D": {
        "padding": (0, _BYTE, 0),
        "stride_w": (1, _INT, 0),
        "stride_h": (2, _INT, 0),
        "fused_activation_function": (3, _BYTE, 0),
        "dilation_w_factor": (4, _INT, 1),
        "dilation_h_factor": (5, _INT, 1),
    },
    "DEPTHWISE_CONV_2D": {
        "padding": (0, _BYTE, 0),
        "stride_w": (1, _INT, 0),
        "stride_h": (2, _INT, 0),
        "depth_multiplier": (3, _INT, 0),
        "fused_activation_function": (4, _BYTE, 0),
        "dilation_w_factor": (5, _INT, 1),
        "dilation_h_factor": (6, _INT, 1),
    },
    "MAX_POOL_2D": {
        "padding": (0, _BYTE, 0),
        "stride_w": (1, _INT, 0),
        "stride_h": (2, _INT, 0),
        "filter_width": (3, _INT, 0),
        "filter_height": (4, _INT, 0),
        "fused_activation_function": (5, _BYTE, 0),
    },
}

# TensorType: those that a constant can have here.
_TYPES: Final[Mapping[int, str]] = {0: "<f4", 1: "<f2", 2: "<i4", 3: "<u1", 4: "<i8"}


def _graph(model: _Table) -> Graph:
    subgraphs = list(model.tables(2))
    if len(subgraphs) != 1:
        raise ModelError(f"a model of {len(subgraphs)} subgraphs; only one can be run")
    (subgraph,) = subgraphs
    codes = [_code(table) for table in model.tables(1)]
    buffers = list(model.tables(4))
    return Graph(
        tuple(_tensor(table, buffers) for table in subgraph.tables(0)),
        tuple(_operator(table, codes) for table in subgraph.tables(3)),
        subgraph.ints(1),
        subgraph.ints(2),
    )


def _code(table: _Table) -> int:
    """Return an OperatorCode's number: older files have it in a byte, newer ones in a field of its own."""
    return max(table.number(0, "<b"), table.number(3, "<i"))


def _operator(table: _Table, codes: list[int]) -> Operator:
    code = codes[table.number(0, "<I")]
    kind = _KINDS.get(code)
    if kind is None:
        raise ModelError(f"the model uses the operator {code} of the schema, which can't be run here")
    fields = _OPTIONS.get(kind, {})
    options = table.table(4)
    values = {
        name: default if options is None else options.number(place, form, default)
        for name, (place, form, default) in fields.items()
    }
    return Operator(kind, table.ints(1), table.ints(2), values)


def _tensor(table: _Table, buffers: list[_Table]) -> Tensor:
    name, shape = table.text(3), table.ints(0)
    data = buffers[table.number(2, "<I")].bytes(0)
    if not data:
        return Tensor(name, shape, None)
    kind = _TYPES.get(table.number(1, "<b"))
    if kind is None or table.table(6) is not None:
        raise ModelError(f"the constant {name} has a type that isn't read here, or is sparse")
    values = np.frombuffer(data, kind)
    if values.size != np.prod(shape, dtype=int):
        raise ModelError(f"the constant {name} has {values.size} values for the shape {shape}")
    return Tensor(name, shape, values.reshape(shape))


@dataclass(frozen=True, slots=True)
class _Table:
    """A FlatBuffers table: fields found by their place in the schema through the table's own index."""

    data: bytes
    at: int

    @classmethod
    def root(cls, data: bytes) -> _Table:
        return cls(data, _unpack("<I", data, 0))

    def number(self, place: int, form: str, default: int = 0) -> int:
        at = self._field(place)
        return default if at is None else _unpack(form, self.data, at)

    def table(self, place: int) -> _Table | None:
        at = self._field(place)
        return None if at is None else _Table(self.data, _pointed(self.data, at))

    def tables(self, place: int) -> Iterator[_Table]:
        start, count = self._vector(place)
        for at in range(start, start + 4 * count, 4):
            yield _Table(self.data, _pointed(self.data, at))

    def ints(self, place: int) -> tuple[int, ...]:
        start, count = self._vector(place)
        return struct.unpack_from(f"<{count}i", self.data, start)

    def bytes(self, place: int) -> memoryview:
        start, count = self._vector(place)
        if start + count > len(self.data):
            raise IndexError(f"{count} bytes at {start} of {len(self.data)}")
        return memoryview(self.data)[start : start + count]

    def text(self, place: int) -> str:
        return str(self.bytes(place), "utf-8")

    def _field(self, place: int) -> int | None:
        index = self.at - _unpack("<i", self.data, self.at)
        entry = 4 + 2 * place
        if entry >= _unpack("<H", self.data, index):
            return None
        offset = _unpack("<H", self.data, index + entry)
        return self.at + offset if offset else None

    def _vector(self, place: int) -> tuple[int, int]:
        at = self._field(place)
        if at is None:
            return 0, 0
        start = _pointed(self.data, at)
        return start + 4, _unpack("<I", self.data, start)


def _pointed(data: bytes, at: int) -> int:
    return at + _unpack("<I", data, at)


def _unpack(form: str, data: bytes, at: int) -> int:
    (value,) = struct.unpack_from(form, data, at)
    return int(value)
