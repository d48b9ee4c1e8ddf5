"""How fast the reference renderer is: pictures per second by device, size and batch, and where the time goes.

The photos are scikit-image's astronaut, resized, and in each place of a batch moved by some pixels, so that
no two are the same. On a CPU torch has one thread. Every number is the median of its runs; those that are
compared are measured in turns.
"""

from __future__ import annotations

import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click
import numpy as np
from PIL import Image
from skimage import data

from bluehour.mock_server.core.installing import command_for
from bluehour.mock_server.rendering import Job, RendererError, RenderError

try:
    import torch
    from torch import Tensor
    from torch.nn import functional

    from bluehour.mock_server.rendering.reference.face.editor import TOGETHER, edit_faces
    from bluehour.mock_server.rendering.reference.face.faces import Face, find_faces
    from bluehour.mock_server.rendering.reference.face.field import field_of
    from bluehour.mock_server.rendering.reference.stage import FACE, PHOTO, ReferenceStage
except ModuleNotFoundError as error:
    sys.exit(f"Error: {error.name} is missing: {command_for('inference')}")

_SIZES: Final = (256, 512, 1024)
_BATCHES: Final = {"cpu": (1, 2, 4, 8), "cuda": (1, 2, 4, 8, 16, 32, 64)}
_FEW_BATCHES: Final = {"cpu": (1, 8), "cuda": (1, 8, 64)}
_FEW_PIXELS: Final = 2**20
_PATIENCE: Final = 2.5  # seconds, after which nothing is measured again
_LONGEST_EDGE: Final = 4096

_FACE_STYLE: Final[Mapping[str, Any]] = {"mouth_smile": 60, "head_yaw": 30}
_STYLES: Final[Mapping[str, Mapping[str, Any]]] = {
    FACE: _FACE_STYLE,
    PHOTO: {
        "prompt": "an oil painting at night",
        "image_description": "a portrait",
        "likeness_strength": 5.2,
        "prompt_strength": 3.75,
    },
}
"""What is asked of each editor."""

_EDITS: Final[Mapping[str, Mapping[str, Any]]] = {
    "smile": {"mouth_smile": 60},
    "yaw": {"head_yaw": 40},
    "gaze": {"eye_gaze_horizontal": 60},
    "enhance": {"enhance_face": True},
    "much": {"mouth_smile": 40, "head_yaw": -50, "eye_gaze_vertical": 30, "lip_open_ratio": 45},
}
"""What the claims are tried on, at 512 px."""

_MOST_SECONDS: Final = 1.0
_LEAST_GAIN: Final = 2.0
"""What is claimed of one edit of a face, and of eight at once beside eight one by one, on a CPU's thread."""

_WARP_BYTES: Final = 4 * (3 + 2 + 3)
"""What the warp has to move for a pixel: three colours and a place in, three colours out, as float32.

Each is counted once. That 16 pixels are read for each colour, and what the places are made from, is not:
the former comes out of caches, the latter is the displacement field's.
"""


class Problem(click.ClickException):
    """What the user can mend, said in one line; exit code 2."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Bench:
    """What is measured with, on one device."""

    stage: ReferenceStage
    folder: Path
    runs: int
    full: bool

    @property
    def device(self) -> torch.device:
        """Where the pictures are edited."""
        return self.stage.device

    def seconds(self, *works: Callable[[], object]) -> list[float]:
        """Return the median time that each takes, all in turns and after each was done once.

        What takes long is done fewer times.
        """
        times: list[list[float]] = [[] for _ in works]
        started_at = time.perf_counter()
        for turn in range(self.runs + 1):
            if times[-1] and time.perf_counter() - started_at > _PATIENCE:
                break
            for work, its in zip(works, times, strict=True):
                self._wait()
                started = time.perf_counter()
                work()
                self._wait()
                if turn:
                    its.append(time.perf_counter() - started)
        return [statistics.median(its) for its in times]

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def has_time_for(self, project_type: str, size: int, batch: int) -> bool:
        """Return whether a row is wanted that takes long: on a CPU, of large photos by the photo editor."""
        is_long = project_type == PHOTO and self.device.type == "cpu" and batch * size * size > _FEW_PIXELS
        return self.full or not is_long

    def jobs(self, project_type: str, size: int, batch: int) -> list[Job]:
        """Return jobs of different photos, as JPEG files."""
        request = {"style": _STYLES[project_type], "resolution": size}
        jobs = []
        for place in range(batch):
            source = self.folder / f"{size}-{place}.jpg"
            if not source.exists():
                Image.fromarray(_photo(size, place)).save(source, quality=95)
            jobs.append(Job(project_type, request, source, _LONGEST_EDGE, "jpg"))
        return jobs

    def photos(self, size: int, batch: int) -> list[Tensor]:
        """Return different photos on the device."""
        return [torch.from_numpy(_photo(size, place)).to(self.device) for place in range(batch)]


def _photo(size: int, place: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    whole = Image.fromarray(data.astronaut()).resize((size, size), Image.Resampling.LANCZOS)  # type: ignore[no-untyped-call]
    return np.roll(np.asarray(whole), (place % 8, place // 8), (0, 1))


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--full", is_flag=True, help="All batches rather than a few; takes minutes on a CPU.")
@click.option("--size", "sizes", type=int, multiple=True, default=_SIZES, show_default=True, help="In px.")
@click.option("--runs", type=click.IntRange(min=1), default=3, show_default=True, help="Of each measurement.")
@click.option(
    "--device",
    "devices",
    type=click.Choice(list(_BATCHES)),
    multiple=True,
    help="Where to measure.  [default: all there are]",
)
@click.option(
    "--photo-model",
    metavar="DIR",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Measure the diffusion pipeline in this folder rather than the photo editor that needs none.",
)
def main(
    full: bool, sizes: Sequence[int], runs: int, devices: Sequence[str], photo_model: Path | None
) -> None:
    """Measure the reference renderer. With the defaults that takes less than a minute on two cores.

    Exit codes: 0 measured, whether or not the targets are met; 2 nothing to measure with (one line says why).
    """
    devices = devices or (["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"])
    batches = _BATCHES if full else _FEW_BATCHES
    with tempfile.TemporaryDirectory(prefix="bluehour-bench-") as folder:
        for device in devices:
            try:
                stage = ReferenceStage(device, photo_model)
            except RendererError as error:
                raise Problem(str(error)) from error
            torch.set_num_threads(1)
            bench = Bench(stage, Path(folder), runs, full)
            click.echo(f"\n{_described(bench.device)}, torch {torch.__version__}")
            with torch.inference_mode():
                for table in (_throughput, _face_stages):
                    _print(table(bench, sizes, batches[device]))
                _print(_warp(bench, sizes, max(batches[device])))
                _print(_claims(bench))


def _print(lines: Iterator[str]) -> None:
    click.echo()
    for line in lines:
        click.echo(line)


def _described(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name()
    load = os.getloadavg()[0]
    return f"CPU, 1 thread of {os.cpu_count()} ({platform.machine()}), load average {load:.1f} before"


def _throughput(bench: Bench, sizes: Sequence[int], batches: Sequence[int]) -> Iterator[str]:
    """Pictures per second from file to file, and the milliseconds of one picture in each of three steps."""
    yield f"{'from file to file':18}{'px':>6}{'batch':>7}{'pictures/s':>12}{'read':>9}{'edit':>9}{'write':>9}"
    for project_type in (FACE, PHOTO):
        for size in sizes:
            for batch in batches:
                if bench.has_time_for(project_type, size, batch):
                    steps = _steps(bench, bench.jobs(project_type, size, batch))
                    times = "".join(f"{seconds / batch * 1e3:9.2f}" for seconds in steps)
                    yield f"{project_type:18}{size:>6}{batch:>7}{batch / sum(steps):12.1f}{times} ms"


def _steps(bench: Bench, jobs: Sequence[Job]) -> list[float]:
    """Return the seconds that a batch's pictures take to be read, edited and written."""
    loaded = [bench.stage.load(job) for job in jobs]
    edited = _succeeded(bench.stage.edit(loaded))
    return bench.seconds(
        lambda: [bench.stage.load(job) for job in jobs],
        lambda: bench.stage.edit(loaded),
        lambda: [bench.stage.encode(picture) for picture in edited],
    )


def _succeeded(edited: Sequence[Any]) -> list[Any]:
    for picture in edited:
        if isinstance(picture, RenderError):
            raise Problem(f"a photo of this benchmark can't be edited: {picture.code}")
    return list(edited)


def _face_stages(bench: Bench, sizes: Sequence[int], batches: Sequence[int]) -> Iterator[str]:
    """The milliseconds of one face edit, from tensor to tensor.

    The field is measured by itself; the sampling is what an edit takes beside it.
    """
    yield f"{'faces':18}{'px':>6}{'batch':>7}{'edits/s':>12}{'find':>9}{'field':>9}{'sample':>9}"
    for size in sizes:
        for batch in batches:
            finding, editing, field = _parts(bench.photos(size, batch), bench)
            field = min(field, editing)
            times = "".join(f"{part / batch * 1e3:9.2f}" for part in (finding, field, editing - field))
            yield f"{'smile, yaw':18}{size:>6}{batch:>7}{batch / (finding + editing):12.1f}{times} ms"


def _parts(photos: Sequence[Tensor], bench: Bench) -> list[float]:
    """Return the seconds that finding faces takes, that editing them takes, and the fields' part of that."""
    faces = _largest(photos)
    points = torch.stack([face.points for face in faces])
    styles = [_FACE_STYLE] * len(photos)
    return bench.seconds(
        lambda: find_faces(photos), lambda: edit_faces(photos, faces, styles), lambda: _fields(points, styles)
    )


def _fields(points: Tensor, styles: Sequence[Mapping[str, Any]]) -> None:
    at_once = TOGETHER[points.device.type]
    for start in range(0, len(points), at_once):
        field_of(points[start : start + at_once], styles[start : start + at_once])


def _largest(photos: Sequence[Tensor]) -> list[Face]:
    found = find_faces(photos)
    if not all(found):
        raise Problem("no face was found in a photo of this benchmark")
    return [faces[0] for faces in found]


def _warp(bench: Bench, sizes: Sequence[int], batch: int) -> Iterator[str]:
    """What of the device's bandwidth the face editor's sampling reaches over whole photos."""
    bandwidth = _copied_per_second(bench)
    yield f"{'warp':18}{'px':>6}{'batch':>7}{'Mpx/s':>12}{'GB/s':>9}{'of copy':>9}"
    for size in sizes:
        pixels = batch * size * size / _warping(bench, size, batch)
        moved = pixels * _WARP_BYTES
        share = moved / bandwidth
        yield f"{'bicubic':18}{size:>6}{batch:>7}{pixels / 1e6:12.1f}{moved / 1e9:9.2f}{share:9.0%}"
    yield f"{_WARP_BYTES} bytes a pixel: 3 colours and 2 coordinates in, 3 colours out, float32, each once;"
    yield f"a copy of a large tensor moves {bandwidth / 1e9:.1f} GB/s, read and written."


def _copied_per_second(bench: Bench) -> float:
    """Return the bytes that a copy reads and writes in a second."""
    size = 2**28 if bench.device.type == "cuda" else 2**25
    one, other = torch.rand(2, size, device=bench.device)
    (copying,) = bench.seconds(lambda: other.copy_(one))
    return float(2 * size * one.element_size() / copying)


def _warping(bench: Bench, size: int, batch: int) -> float:
    """Return the seconds that the sampling of whole photos takes, as the editor does it."""
    pictures = torch.rand(batch, 3, size, size, device=bench.device)
    steps = torch.linspace(-0.99, 0.99, size, device=bench.device)
    y, x = torch.meshgrid(steps, steps, indexing="ij")
    moved = torch.stack((x + 0.01 * torch.sin(9 * y), y + 0.01 * torch.sin(9 * x)))
    places = moved.repeat(batch, 1, 1, 1).permute(0, 2, 3, 1)
    (warping,) = bench.seconds(
        lambda: functional.grid_sample(pictures, places, "bicubic", "border", align_corners=False)
    )
    return warping


def _claims(bench: Bench) -> Iterator[str]:
    """What is claimed of face edits at 512 px, from tensor to tensor with the finding of the face."""
    photos = bench.photos(512, 8)
    yield f"{'8 edits, 512 px':18}{'1 s / one edit':>16}{'8 photos at once':>20}{'one photo, 8 edits':>20}"
    slowest, gains, same_gains = 0.0, [], []
    for name, style in _EDITS.items():
        one_by_one, at_once, same = _ways(bench, photos, style)
        slowest = max(slowest, one_by_one / 8)
        gains.append(one_by_one / at_once)
        same_gains.append(one_by_one / same)
        yield f"{name:18}{_MOST_SECONDS * 8 / one_by_one:>15.1f}x{gains[-1]:>19.2f}x{same_gains[-1]:>19.2f}x"
    yield ""
    yield _target(
        f"one edit takes under {_MOST_SECONDS} s", slowest < _MOST_SECONDS, f"{slowest:.3f} s at most"
    )
    for what, its in (("8 different photos", gains), ("8 edits of one photo", same_gains)):
        claim = f"{what} at once: at least {_LEAST_GAIN:.0f}x the throughput"
        yield _target(claim, min(its) >= _LEAST_GAIN, f"{min(its):.2f}x to {max(its):.2f}x")


def _ways(bench: Bench, photos: list[Tensor], style: Mapping[str, Any]) -> list[float]:
    """Return the seconds that edits of photos take one by one, all at once, and all at once of one photo."""
    return bench.seconds(
        lambda: [_edit([photo], style) for photo in photos],
        lambda: _edit(photos, style),
        lambda: _edit(photos[:1] * len(photos), style),
    )


def _edit(photos: list[Tensor], style: Mapping[str, Any]) -> list[Tensor]:
    return edit_faces(photos, _largest(photos), [style] * len(photos))


def _target(claim: str, is_met: bool, measured: str) -> str:
    return f"{'met' if is_met else 'NOT met':8} {claim}: {measured}"


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.rendering")
