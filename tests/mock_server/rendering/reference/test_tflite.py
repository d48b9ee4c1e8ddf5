"""Graphs of TensorFlow Lite are read and run as TensorFlow Lite runs them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

torch = pytest.importorskip("torch")

from bluehour.mock_server.rendering.reference.tflite.executor import Network  # noqa: E402
from bluehour.mock_server.rendering.reference.tflite.reader import (  # noqa: E402
    Graph,
    ModelError,
    Operator,
    Tensor,
    parse,
    read,
)

from .recorded.photos import INPUTS, pictures  # noqa: E402

RECORDED = Path(__file__).parent / "recorded" / "networks.npz"
Floats = npt.NDArray[np.float32]


@pytest.fixture(scope="module")
def recorded() -> Mapping[str, Floats]:
    with np.load(RECORDED) as file:
        return dict(file)


def _shown(name: str) -> Any:
    return torch.from_numpy(pictures()[name]).permute(0, 3, 1, 2)


def _graph(kind: str, given: Floats, result: tuple[int, ...], *constants: Any, **options: int) -> Graph:
    """One operator, its first input of the shape of `given`."""
    tensors = [Tensor("in", given.shape, None), Tensor("out", result, None)]
    tensors += [Tensor(f"constant {i}", np.shape(c), np.asarray(c)) for i, c in enumerate(constants)]
    inputs = (0, *range(2, len(tensors)))
    return Graph(tuple(tensors), (Operator(kind, inputs, (1,), options),), (0,), (1,))


def _result(kind: str, given: Any, result: tuple[int, ...], *constants: Any, **options: int) -> Any:
    """Run one operator on [1, height, width, channels]."""
    given = np.asarray(given, np.float32)
    options = {"fused_activation_function": 0, **options}
    network = Network(_graph(kind, given, result, *constants, **options))
    (output,) = network(torch.from_numpy(given).permute(0, 3, 1, 2))
    assert tuple(output.shape) == result
    return output.numpy()


WINDOW = {"padding": 0, "stride_h": 2, "stride_w": 2}
DENSE = {"dilation_h_factor": 1, "dilation_w_factor": 1}


@pytest.mark.parametrize("name", INPUTS)
def test_each_network_gives_what_tensorflow_lite_gives(
    models: Path, recorded: Mapping[str, Floats], name: str
) -> None:
    outputs = Network(read(models / f"{name}.tflite"))(_shown(name))

    assert len(outputs) == 2
    for number, output in enumerate(outputs):
        np.testing.assert_allclose(output.numpy(), recorded[f"{name} {number}"], rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("name", INPUTS)
def test_pictures_in_a_batch_do_not_touch_one_another(models: Path, name: str) -> None:
    network = Network(read(models / f"{name}.tflite"))
    shown = _shown(name)
    both = network(torch.cat((shown.flip(-1), shown)))

    for together, alone in zip(both, network(shown), strict=True):
        torch.testing.assert_close(together[1:], alone, rtol=1e-4, atol=1e-3)


def test_the_mesh_in_half_precision_stays_within_a_pixel(
    models: Path, recorded: Mapping[str, Floats]
) -> None:
    device = "cuda" if torch.cuda.is_available() else "cpu"
    network = Network(read(models / "face_landmark.tflite"), device, torch.float16)

    points, _ = network(_shown("face_landmark"))

    assert points.dtype == torch.float32
    assert np.abs(points.cpu().numpy() - recorded["face_landmark 0"]).max() < 1  # of 192 px


def test_same_padding_puts_the_odd_pixel_after() -> None:
    given = np.arange(1, 17).reshape(1, 4, 4, 1)
    kernel = np.ones((1, 3, 3, 1), np.float32)
    bias = np.zeros(1, np.float32)

    result = _result("CONV_2D", given, (1, 2, 2, 1), kernel, bias, **WINDOW, **DENSE)

    # Rows and columns 0 to 2, and 2 to 3 with one of padding after them.
    assert result.ravel().tolist() == [54, 45, 72, 54]


def test_valid_padding_looks_at_whole_windows_only() -> None:
    given = np.arange(1, 17).reshape(1, 4, 4, 1)
    kernel = np.ones((1, 3, 3, 1), np.float32)
    options = {**WINDOW, **DENSE, "padding": 1}

    result = _result("CONV_2D", given, (1, 1, 1, 1), kernel, np.ones(1, np.float32), **options)

    assert result.ravel().tolist() == [55]


def test_a_depthwise_convolution_keeps_channels_apart_and_may_end_in_relu() -> None:
    given = np.ones((1, 2, 2, 2))
    kernel = np.array([2.0, -3.0], np.float32).reshape(1, 1, 1, 2)
    options = {**DENSE, "padding": 0, "stride_h": 1, "stride_w": 1, "depth_multiplier": 1}

    result = _result(
        "DEPTHWISE_CONV_2D",
        given,
        (1, 2, 2, 2),
        kernel,
        np.ones(2, np.float32),
        **options,
        fused_activation_function=1,
    )

    assert result[0, 0, 0].tolist() == [3, 0]


def test_a_maximum_over_padding_is_not_its_zero() -> None:
    given = -np.arange(1, 10).reshape(1, 3, 3, 1)

    result = _result("MAX_POOL_2D", given, (1, 2, 2, 1), **WINDOW, filter_height=2, filter_width=2)

    assert result.ravel().tolist() == [-1, -3, -7, -9]


def test_padding_adds_channels_after() -> None:
    pairs = np.array([[0, 0], [1, 0], [0, 0], [0, 2]], np.int32)

    result = _result("PAD", [[[[5.0]]]], (1, 2, 1, 3), pairs)

    assert result.ravel().tolist() == [0, 0, 0, 5, 0, 0]


def test_prelu_has_a_slope_for_each_channel() -> None:
    slopes = np.array([[[0.5, 2.0]]], np.float32)

    result = _result("PRELU", [[[[-4.0, -4.0], [4.0, 4.0]]]], (1, 1, 2, 2), slopes)

    assert result.ravel().tolist() == [-2, -8, 4, 4]


def test_a_picture_is_reshaped_pixel_by_pixel() -> None:
    given = np.arange(8).reshape(1, 2, 2, 2)

    assert _result("RESHAPE", given, (1, 4, 2)).ravel().tolist() == list(range(8))


def test_weights_in_half_precision_become_constants() -> None:
    tensors = (
        Tensor("in", (1, 1, 1, 1), None),
        Tensor("half", (1, 1, 1), np.full((1, 1, 1), 0.5, np.float16)),
        Tensor("slopes", (1, 1, 1), None),
        Tensor("out", (1, 1, 1, 1), None),
    )
    operators = Operator("DEQUANTIZE", (1,), (2,)), Operator("PRELU", (0, 2), (3,))

    (output,) = Network(Graph(tensors, operators, (0,), (3,)))(-torch.ones(2, 1, 1, 1))

    assert output.flatten().tolist() == [-0.5, -0.5]


def test_what_two_steps_need_is_kept_for_both() -> None:
    tensors = tuple(Tensor(name, (1, 1, 1, 1), None) for name in ("in", "relu", "out"))
    operators = Operator("RELU", (0,), (1,)), Operator("ADD", (0, 1), (2,), {"fused_activation_function": 0})

    (output,) = Network(Graph(tensors, operators, (0,), (2,)))(torch.tensor([[[[3.0]]], [[[-3.0]]]]))

    assert output.flatten().tolist() == [6, -3]


def test_what_is_given_and_what_is_given_out_are_not_overwritten() -> None:
    tensors = tuple(Tensor(name, (1, 1, 1, 1), None) for name in ("in", "first", "added", "last"))
    add = {"fused_activation_function": 0}
    operators = (
        Operator("RELU", (0,), (1,)),
        Operator("ADD", (1, 0), (2,), add),
        Operator("RELU", (2,), (3,)),
    )
    given = torch.tensor([[[[-3.0]]], [[[2.0]]]])

    first, added, last = Network(Graph(tensors, operators, (0,), (1, 2, 3)))(given)

    assert given.flatten().tolist() == [-3, 2]
    assert [output.flatten().tolist() for output in (first, added, last)] == [[0, 2], [-3, 4], [0, 4]]


@pytest.mark.parametrize(
    ("kind", "constants", "options"),
    [
        ("PRELU", [np.ones((2, 2, 1), np.float32)], {}),
        ("ADD", [np.ones(1, np.float32)], {"fused_activation_function": 0}),
        ("CONCATENATION", [np.ones((1, 2, 2, 1), np.float32)], {"axis": 3, "fused_activation_function": 0}),
        ("DEQUANTIZE", [], {}),
    ],
)
def test_what_can_not_be_run_is_said_before_it_is_run(
    kind: str, constants: list[Any], options: dict[str, int]
) -> None:
    graph = _graph(kind, np.zeros((1, 2, 2, 1), np.float32), (1, 2, 2, 1), *constants, **options)

    with pytest.raises(ModelError):
        Network(graph)


@pytest.mark.parametrize("data", [b"", b"no model", b"\x1c\x00\x00\x00TFL3", bytes(4) + b"TFL3" + bytes(99)])
def test_what_is_no_model_is_refused(data: bytes) -> None:
    with pytest.raises(ModelError):
        parse(data)


def test_a_model_that_is_cut_short_is_refused(models: Path) -> None:
    data = (models / "face_detection_short_range.tflite").read_bytes()

    for length in range(8, len(data) - 8, 997):
        with pytest.raises(ModelError):
            Network(parse(data[:length]))


def test_a_model_with_a_wrong_byte_is_run_or_refused(models: Path) -> None:
    data = (models / "face_detection_short_range.tflite").read_bytes()

    for place in range(8, len(data), 4001):
        wrong = data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :]
        try:
            parse(wrong)
        except ModelError:
            continue
