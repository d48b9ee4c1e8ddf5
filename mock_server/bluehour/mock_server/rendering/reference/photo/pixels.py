"""What the photo editor's parts do with pixels: sizes, blurs, edge-keeping filters and a colour space.

A picture here is a float tensor [B, C, H, W] of sRGB-coded values from 0 to 1, on any device. Scales are
in pixels. Every filter treats what lies beyond the border as its nearest pixel.
"""

from __future__ import annotations

import math
from functools import cache

import torch
from torch import Tensor
from torch.nn import functional

# Björn Ottosson, "A perceptual color space for image processing" (2020), bottomless at 0.
_TO_CONE = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)
_TO_LAB = (
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)


def picture_of(image: Tensor) -> Tensor:
    """Return a uint8 image [H, W, 3] as a picture [1, 3, H, W]."""
    return image.permute(2, 0, 1)[None].float() / 255


def image_of(picture: Tensor) -> Tensor:
    """Return a picture [3, H, W] as a uint8 image [H, W, 3]; what is no number is black."""
    bytes_ = (picture.nan_to_num(0) * 255).round_().clamp_(0, 255).to(torch.uint8)
    return bytes_.permute(1, 2, 0).contiguous()


def resized(picture: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize to (height, width), bicubic and free of aliases; what overshoots is clipped."""
    if tuple(picture.shape[-2:]) == size:
        return picture
    scaled = functional.interpolate(picture, size=size, mode="bicubic", antialias=True, align_corners=False)
    return scaled.clamp_(0, 1)


def oklab_of(picture: Tensor) -> Tensor:
    """Return lightness (0 to 1) and the two colour axes, green-red and blue-yellow, of sRGB [B, 3, H, W]."""
    linear = torch.where(picture <= 0.04045, picture / 12.92, ((picture + 0.055) / 1.055) ** 2.4)
    cones = _mixed(linear, _TO_CONE).clamp_(min=1e-7).pow_(1 / 3)
    return _mixed(cones, _TO_LAB)


def from_oklab(lab: Tensor) -> Tensor:
    """Return sRGB [B, 3, H, W], 0 to 1, of Oklab; a colour that sRGB lacks is made paler until it has it."""
    linear = _linear(lab)
    outside = ((linear < -1e-4) | (linear > 1 + 1e-4)).any(1, keepdim=True)
    if bool(outside.any()):
        grey = lab[:, :1].clamp(0, 1) ** 3  # the linear value of the colourless of that lightness
        over = torch.where(linear > grey, (1 - grey) / (linear - grey).clamp(min=1e-6), math.inf)
        under = torch.where(linear < grey, grey / (grey - linear).clamp(min=1e-6), math.inf)
        share = torch.minimum(over, under).amin(1, keepdim=True).clamp_(max=1)
        linear = grey + (linear - grey) * share
    linear = linear.clamp_(0, 1)
    return torch.where(
        linear <= 0.0031308, linear * 12.92, 1.055 * linear.clamp(min=1e-8) ** (1 / 2.4) - 0.055
    )


def _linear(lab: Tensor) -> Tensor:
    back_to_cone, back_to_linear = _inverses()
    return _mixed(_mixed(lab, back_to_cone) ** 3, back_to_linear)


@cache
def _inverses() -> tuple[tuple[tuple[float, ...], ...], ...]:
    matrices = (torch.linalg.inv(torch.tensor(rows, dtype=torch.float64)) for rows in (_TO_LAB, _TO_CONE))
    return tuple(tuple(map(tuple, matrix.tolist())) for matrix in matrices)


def _mixed(picture: Tensor, rows: tuple[tuple[float, ...], ...]) -> Tensor:
    matrix = torch.tensor(rows, dtype=picture.dtype, device=picture.device)
    return torch.einsum("ij,bjhw->bihw", matrix, picture)


def blurred(picture: Tensor, sigma: float) -> Tensor:
    """Blur by a Gaussian of `sigma` px; a wide one is made on a smaller picture, where none sees it."""
    height, width = picture.shape[-2:]
    shrink = int(sigma / 3)
    small_size = (max(1, height // max(1, shrink)), max(1, width // max(1, shrink)))
    if shrink >= 2 and min(small_size) > 1:
        small = functional.interpolate(picture, size=small_size, mode="area")
        # The shrinking and the enlarging blur a little themselves: by about 0.45 small px each.
        small = blurred(small, math.sqrt(max(0.01, (sigma * small_size[1] / width) ** 2 - 0.4)))
        return functional.interpolate(small, size=(height, width), mode="bicubic", align_corners=False)
    return _convolved(picture, sigma)


def _convolved(picture: Tensor, sigma: float) -> Tensor:
    reach = max(1, math.ceil(2.6 * sigma))
    offsets = torch.arange(-reach, reach + 1, dtype=torch.float32, device=picture.device)
    taps = torch.exp(-0.5 * (offsets / max(sigma, 1e-3)) ** 2)
    taps = (taps / taps.sum()).to(picture.dtype)
    planes = picture.reshape(-1, 1, *picture.shape[-2:])
    planes = functional.conv2d(
        functional.pad(planes, (reach, reach, 0, 0), "replicate"), taps.view(1, 1, 1, -1)
    )
    planes = functional.conv2d(
        functional.pad(planes, (0, 0, reach, reach), "replicate"), taps.view(1, 1, -1, 1)
    )
    return planes.view_as(picture)


def boxed(picture: Tensor, radius: int) -> Tensor:
    """Return the mean over squares of 2 `radius` + 1 px, by running sums: as fast for any radius."""
    side = 2 * radius + 1
    padded = functional.pad(picture, (radius + 1, radius, 0, 0), "replicate").cumsum(-1)
    across = (padded[..., side:] - padded[..., :-side]) / side
    padded = functional.pad(across, (0, 0, radius + 1, radius), "replicate").cumsum(-2)
    return (padded[..., side:, :] - padded[..., :-side, :]) / side


def smoothed(plane: Tensor, radius: int, contrast: float) -> Tensor:
    """Smooth a plane [B, 1, H, W] but not across its edges: the guided filter, guided by itself.

    He, Sun, Tang, "Guided Image Filtering" (2013). An edge is what differs by more than `contrast`.
    """
    return guided(plane, plane, radius, contrast)


def guided(plane: Tensor, guide: Tensor, radius: int, contrast: float) -> Tensor:
    """Smooth a plane, but not across the edges of the guide; both [B, 1, H, W]."""
    means = boxed(torch.cat((guide, plane, guide * guide, guide * plane), 1), radius)
    guide_mean, plane_mean, square, product = torch.split(means, 1, 1)
    slope = (product - guide_mean * plane_mean) / ((square - guide_mean**2).clamp(min=0) + contrast**2)
    lines = boxed(torch.cat((slope, plane_mean - slope * guide_mean), 1), radius)
    return lines[:, :1] * guide + lines[:, 1:]


def noise(shape: tuple[int, ...], seed: int, device: torch.device) -> Tensor:
    """Return normal noise that is the same on every device: drawn on the CPU."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator).to(device)


def grid_of(height: int, width: int, device: torch.device) -> Tensor:
    """Return the place of every pixel's centre, x and y from -1 to 1: [1, H, W, 2]."""
    x = (torch.arange(width, device=device, dtype=torch.float32) * 2 + 1) / width - 1
    y = (torch.arange(height, device=device, dtype=torch.float32) * 2 + 1) / height - 1
    return torch.stack((x.expand(height, width), y[:, None].expand(height, width)), -1)[None]


def slopes(plane: Tensor) -> tuple[Tensor, Tensor]:
    """Return the rise per pixel along x and along y."""
    padded = functional.pad(plane, (1, 1, 1, 1), "replicate")
    along_x = (padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]) / 2
    along_y = (padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]) / 2
    return along_x, along_y
