"""The reference stage as the queue uses it: files in, edited files out, or the error that a job ends in."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from PIL import Image, ImageCms  # noqa: E402

from bluehour.mock_server.rendering import Job, JobFailed, RendererError  # noqa: E402
from bluehour.mock_server.rendering.encoding import extension_like  # noqa: E402
from bluehour.mock_server.rendering.pictures import lacks_decoder  # noqa: E402
from bluehour.mock_server.rendering.reference.face.faces import find_faces  # noqa: E402
from bluehour.mock_server.rendering.reference.face.measures import measure  # noqa: E402
from bluehour.mock_server.rendering.reference.face.sliders import NAMES  # noqa: E402
from bluehour.mock_server.rendering.reference.stage import FACE, PHOTO, ReferenceStage  # noqa: E402
from bluehour.openapi.contract import load  # noqa: E402

from .recorded.photos import portrait  # noqa: E402

BEHAVIOUR = "create-project"
SMILE = {"mouth_smile": 60}
ACCEPTED = load().extension("x-asset-extensions")["image"]
ROTATED = 6  # EXIF: the camera was held upright, and its sensor lies


@pytest.fixture(scope="module")
def stage(models: Path) -> ReferenceStage:
    stage = ReferenceStage("cpu")
    torch.set_num_threads(1)
    return stage


def saved(picture: Image.Image, path: Path, **options: Any) -> Path:
    picture.save(path, **options)
    return path


def face_job(source: Path | None, style: dict[str, Any] | None = None, longest_edge: int = 1024) -> Job:
    return Job(FACE, {"style": style or {}}, source, longest_edge, extension_like(source))


def photo_job(source: Path | None, resolution: int = 512, **style: Any) -> Job:
    style = {"prompt": "a photo at night", "likeness_strength": 5.2, "prompt_strength": 3.75, **style}
    return Job(PHOTO, {"resolution": resolution, "style": style}, source, 1024, extension_like(source))


def rendered(stage: ReferenceStage, *jobs: Job) -> list[bytes]:
    made = stage.edit([stage.load(job) for job in jobs])
    assert not [each for each in made if isinstance(each, JobFailed)]
    return [stage.encode(each) for each in made if not isinstance(each, JobFailed)]


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def pixels(data: bytes) -> Any:
    return np.asarray(opened(data).convert("RGB"), np.int16)


def smile_of(data: bytes) -> float:
    (faces,) = find_faces([torch.from_numpy(pixels(data).astype(np.uint8))])
    return measure(faces[0])["mouth_smile"]


def test_the_editors_are_the_contract_s_and_know_all_its_sliders() -> None:
    by_type = {each.project_type: each for each in load().operations if each.behaviour == BEHAVIOUR}
    assert by_type.keys() >= {FACE, PHOTO}
    assert by_type[FACE].with_defaults({"style": {}})["style"].keys() == {*NAMES, "enhance_face"}


def test_a_face_smiles(stage: ReferenceStage, photo: Path) -> None:
    smile, frown = rendered(stage, face_job(photo, SMILE), face_job(photo, {"mouth_smile": -60}))
    assert smile_of(frown) < smile_of(photo.read_bytes()) < smile_of(smile)


def test_a_style_that_asks_for_nothing_gives_the_photo_back(stage: ReferenceStage, photo: Path) -> None:
    (same,) = rendered(stage, face_job(photo))
    assert np.array_equal(pixels(same), portrait())


@pytest.mark.parametrize("extension", [each for each in ACCEPTED if not lacks_decoder(Path(f"photo.{each}"))])
def test_a_picture_stays_in_its_format_and_near_its_pixels(
    stage: ReferenceStage, tmp_path: Path, extension: str
) -> None:
    source = saved(Image.fromarray(portrait()).resize((256, 256)), tmp_path / f"portrait.{extension}")
    (same,) = rendered(stage, face_job(source))
    assert opened(same).format == opened(source.read_bytes()).format
    assert abs(pixels(same) - pixels(source.read_bytes())).mean() < 1.5


@pytest.mark.parametrize(("longest_edge", "size"), [(576, (576, 432)), (1024, (800, 600))])
def test_a_face_edit_has_the_size_of_the_plan(
    stage: ReferenceStage, tmp_path: Path, longest_edge: int, size: tuple[int, int]
) -> None:
    wide = Image.fromarray(portrait()).crop((0, 0, 512, 384)).resize((800, 600))
    (made,) = rendered(stage, face_job(saved(wide, tmp_path / "wide.png"), SMILE, longest_edge))
    assert opened(made).size == size


def test_a_photo_that_the_camera_turned_is_edited_upright(stage: ReferenceStage, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = ROTATED
    lying = Image.fromarray(portrait()[:, 60:460]).transpose(Image.Transpose.ROTATE_90)
    source = saved(lying, tmp_path / "lying.jpg", exif=exif, quality=95)
    (made,) = rendered(stage, face_job(source, SMILE))
    assert opened(made).size == (400, 512)
    assert not opened(made).getexif(), "else viewers would turn it once more"
    assert smile_of(made)


def test_colours_keep_their_meaning(stage: ReferenceStage, tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for mode, name in (("RGB", "profiled.jpg"), ("RGBA", "transparent.png")):
        picture = Image.fromarray(portrait()).convert(mode)
        source = saved(picture, tmp_path / name, icc_profile=profile)
        (made,) = rendered(stage, face_job(source, SMILE))
        assert opened(made).info["icc_profile"] == profile


def test_of_several_faces_the_largest_is_edited(stage: ReferenceStage, tmp_path: Path) -> None:
    pair = Image.new("RGB", (760, 420), "grey")
    pair.paste(Image.fromarray(portrait()[:360, 60:420]), (0, 30))
    pair.paste(Image.fromarray(portrait()[:300, 80:380]).resize((400, 400)), (360, 20))
    (made,) = rendered(stage, face_job(saved(pair, tmp_path / "pair.png"), SMILE))
    changed = np.abs(pixels(made) - np.asarray(pair, np.int16)).max(2) > 0
    assert changed[:, 400:].any()
    assert not changed[:, :340].any()


def test_a_photo_without_a_face_is_told_so_and_spoils_no_other(
    stage: ReferenceStage, photo: Path, tmp_path: Path
) -> None:
    grey = saved(Image.linear_gradient("L"), tmp_path / "grey.png")
    alone, faceless = stage.edit([stage.load(face_job(each, SMILE)) for each in (photo, grey)])
    assert isinstance(faceless, JobFailed)
    assert faceless.code == "no_source_face"
    assert not isinstance(alone, JobFailed)


def bomb() -> bytes:
    """A PNG of 60,000 x 60,000 pixels in a few hundred bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    packed = zlib.compress(bytes(100_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


@pytest.mark.parametrize("content", [b"no picture at all", b"", bomb()], ids=["text", "empty", "bomb"])
def test_what_cannot_or_must_not_be_decoded_is_refused(
    stage: ReferenceStage, tmp_path: Path, content: bytes
) -> None:
    source = tmp_path / "broken.png"
    source.write_bytes(content)
    with pytest.raises(JobFailed) as refused:
        stage.load(face_job(source))
    assert refused.value.code == "invalid_file_format"


def test_a_picture_that_is_not_at_hand_gets_the_simulated_one(stage: ReferenceStage, tmp_path: Path) -> None:
    undecodable = tmp_path / "phone.heic"
    undecodable.write_bytes(b"ftypheic")
    for job in (face_job(None, SMILE), photo_job(None), face_job(undecodable)):
        (made,) = rendered(stage, job)
        assert opened(made).format == "PNG"


def test_one_call_makes_what_many_would(stage: ReferenceStage, photo: Path) -> None:
    styles = [{}, SMILE, {"head_yaw": 40}, {"eye_open_ratio": -100, "enhance_face": True}]
    jobs = [face_job(photo, style) for style in styles] + [photo_job(photo, upscale_factor=1)]
    jobs.insert(2, photo_job(photo, prompt="a bright pencil sketch", upscale_factor=2))
    together = [pixels(each) for each in rendered(stage, *jobs)]
    one_by_one = [pixels(rendered(stage, job)[0]) for job in jobs]
    for one, other in zip(together, one_by_one, strict=True):
        assert one.shape == other.shape
        assert abs(one - other).max() <= 1
    assert rendered(stage, *jobs) == rendered(stage, *jobs), "the same request, the same bytes"


@pytest.mark.parametrize(("factor", "size"), [(1, (512, 341)), (2, (1024, 683)), (3, (1536, 1024))])
def test_a_photo_edit_has_the_asked_size(
    stage: ReferenceStage, tmp_path: Path, factor: int, size: tuple[int, int]
) -> None:
    wide = Image.fromarray(portrait()).resize((300, 200))
    (made,) = rendered(stage, photo_job(saved(wide, tmp_path / "wide.png"), upscale_factor=factor))
    assert opened(made).size == size


def test_a_night_is_darker_than_a_day(stage: ReferenceStage, photo: Path) -> None:
    night, day = (
        pixels(each).mean()
        for each in rendered(
            stage,
            photo_job(photo, prompt="a photo at night", upscale_factor=1),
            photo_job(photo, prompt="a bright sunny photo", upscale_factor=1),
        )
    )
    assert night < portrait().mean() - 10
    assert day > night + 20


def test_what_the_analytic_editor_cannot_do_is_said(stage: ReferenceStage, photo: Path) -> None:
    hat = stage.remark_on(PHOTO, photo_job(photo, prompt="a person with a hat").request)
    assert hat is not None
    assert "hat" in hat
    assert stage.remark_on(PHOTO, photo_job(photo).request) is None
    assert stage.remark_on(FACE, face_job(photo, SMILE).request) is None


def test_a_device_that_is_not_there_is_refused_in_a_line(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(RendererError, match=r"--device cuda: .* use --device cpu"):
        ReferenceStage("cuda")
    assert ReferenceStage("auto").device.type == "cpu"


def test_a_photo_model_that_is_none_is_refused_in_a_line(models: Path, tmp_path: Path) -> None:
    with pytest.raises(RendererError, match=r"no diffusers pipeline: it has no model_index\.json"):
        ReferenceStage("cpu", tmp_path)
