"""What a model's ``preprocessor_config.json`` asks for: from a picture to the numbers that its graph takes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lib.core.errors import EngineUnavailableError
from lib.core.sampling import Framing

_SIDES = range(8, 1025)
_CHANNELS = 3
_CLIP_MEAN, _CLIP_DEVIATION = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]


@dataclass(frozen=True)
class PictureInput:
    """Resize, crop, rescale and normalise, in this order, as the models' image processors do."""

    resize: int | tuple[int, int]
    """Length of the short side, or height and width whatever the picture's shape is; in pixels."""
    crop: tuple[int, int] | None
    """Height and width of the centre that is kept; None for all."""
    resample: Image.Resampling
    scale: float
    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    @classmethod
    def from_config(cls, config: dict[str, Any], title: str) -> PictureInput:
        """Return what ``config`` says.

        What it leaves out is as in CLIP (Radford et al. 2021) where it names CLIP's image processor or none; else a
        bare size is a square, and mean and deviation are 0.5, as in SigLIP and ViT.

        Raises:
            EngineUnavailableError: a value has another type, or is outside its range.
        """
        try:
            return cls._read(config)
        except (TypeError, ValueError, OverflowError, KeyError) as error:
            raise EngineUnavailableError(
                f"preprocessor_config.json of {title} can't be used ({error}); "
                "its files are damaged or of another kind of model."
            ) from error

    @classmethod
    def _read(cls, config: dict[str, Any]) -> PictureInput:
        kind = config.get("image_processor_type") or config.get("feature_extractor_type") or "CLIP"
        is_clip = "CLIP" in str(kind)
        resize = _size(config.get("size", 224), short=is_clip)
        crops = config.get("do_center_crop", isinstance(resize, int))
        crop = _size(config.get("crop_size", resize), short=False) if crops else None
        if isinstance(resize, int) and crop is None:
            resize = (resize, resize)  # its graph wants a square all the same
        is_scaled, is_normal = config.get("do_rescale", True), config.get("do_normalize", True)
        scale = float(config.get("rescale_factor", 1 / 255)) if is_scaled else 1.0
        mean = _three(config.get("image_mean", _CLIP_MEAN if is_clip else 0.5)) if is_normal else (0.0,) * _CHANNELS
        deviation = (
            _three(config.get("image_std", _CLIP_DEVIATION if is_clip else 0.5)) if is_normal else (1.0,) * _CHANNELS
        )
        if not math.isfinite(scale) or not scale or 0.0 in deviation:
            raise ValueError("a scale or deviation is zero or no number")
        resample = Image.Resampling(int(config.get("resample", Image.Resampling.BICUBIC)))
        return cls(resize, crop if isinstance(crop, tuple) else None, resample, scale, mean, deviation)

    @property
    def short_side(self) -> int:
        """Pixels that a frame's short side should have."""
        return self.resize if isinstance(self.resize, int) else max(self.resize)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of what the graph takes."""
        if self.crop is not None:
            return self.crop
        return self.resize if isinstance(self.resize, tuple) else (self.resize, self.resize)

    @property
    def framing(self) -> Framing:
        """What of a frame the model sees."""
        return "centre" if isinstance(self.resize, int) else "whole"

    def prepare(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Return RGB pictures as float32 ``(n, 3, height, width)``."""
        arrays = np.stack([self._fit(image) for image in images]).transpose(0, 3, 1, 2)
        scaled = (arrays * self.scale).astype(np.float32)
        mean, deviation = (np.array(row, np.float32)[:, None, None] for row in (self.mean, self.deviation))
        return np.ascontiguousarray((scaled - mean) / deviation)

    def _fit(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        height, width = image.shape[:2]
        short = min(height, width)
        if isinstance(self.resize, tuple):
            new = self.resize
        else:
            new = (int(self.resize * height / short), int(self.resize * width / short))
        if new != (height, width):
            image = np.asarray(Image.fromarray(image).resize((new[1], new[0]), self.resample))
        return image if self.crop is None else _centre(image, *self.crop)


def _centre(image: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Return the middle of ``image``, with black around it where it is smaller."""
    missing = [max(0, side - have) for side, have in zip((height, width), image.shape, strict=False)]
    if any(missing):
        image = np.pad(image, [*(((side + 1) // 2, side // 2) for side in missing), (0, 0)])
    top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    return image[top : top + height, left : left + width]


def _size(value: Any, *, short: bool) -> int | tuple[int, int]:
    """Return the short side, or height and width; a bare number is the short side where ``short``, else a square."""
    if isinstance(value, dict) and "shortest_edge" in value:
        return _side(value["shortest_edge"])
    if isinstance(value, dict):
        if not {"height", "width"} <= value.keys():
            raise ValueError("its size has neither shortest_edge nor height and width")
        return _side(value["height"]), _side(value["width"])
    if isinstance(value, (list, tuple)):
        height, width = map(_side, value)
        return height, width
    return _side(value) if short else (_side(value), _side(value))


def _side(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or int(value) not in _SIDES:
        raise ValueError(f"a side is no number of pixels from {_SIDES.start} to {_SIDES.stop - 1}")
    return int(value)


def _three(value: Any) -> tuple[float, ...]:
    numbers = [float(number) for number in (value if isinstance(value, list) else [value] * _CHANNELS)]
    if len(numbers) != _CHANNELS or not all(map(math.isfinite, numbers)):
        raise ValueError("mean and deviation are not three numbers")
    return tuple(numbers)
