"""Colours of HDR and wide gamut video as an SDR screen shows them: in sRGB, 8 bits, as Chromium draws them.

Sources: PQ and HLG from ITU-R BT.2100-2 (tables 4 and 5), reference white of 203 cd/m² from BT.2408, primaries from
BT.2020, BT.709 and SMPTE EG 432-1 (P3, white D65), the transfer of sRGB from IEC 61966-2-1, and the tone curve from the
reference white operator of SMPTE ST 2094-50 (candidate draft 2, annex D) for a peak of 1000 cd/m² and a screen without
headroom: what is at most reference white is halved, the rest is rolled off, and the largest of the three components in
BT.2020 decides for all three, so that hues stay. A file's own peak (mastering display, MaxCLL) isn't read.
"""

from __future__ import annotations

from functools import cache

import av
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_PQ, _HLG = 16, 18  # AVCOL_TRC_*
_SDR = (1, 2, 6, 13, 14, 15)  # BT.709, unspecified, BT.601, sRGB, BT.2020
_BT709, _BT2020, _P3 = 1, 9, 12  # AVCOL_PRI_*
_CHROMATICITIES = {
    _BT709: ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060)),
    _BT2020: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    _P3: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
}
_D65 = (0.3127, 0.3290)
_PEAK = 1000 / 203  # of reference white
_HLG_GAMMA = 1.2  # of the system, at a peak of 1000 cd/m²
_STEPS = 4096  # of the curve from light to code values
_LEVELS = 65536


def needs_tone(frame: av.VideoFrame) -> bool:
    """Return whether a frame says that it is HDR (PQ, HLG), or SDR with wider primaries (BT.2020, P3) than BT.709."""
    transfer = int(frame.color_trc)
    return transfer in (_PQ, _HLG) or (transfer in _SDR and int(frame.color_primaries) in (_BT2020, _P3))


def shown_on_sdr(image: NDArray[np.uint16], transfer: int, primaries: int) -> NDArray[np.uint8]:
    """Return a picture in sRGB.

    Args:
        image: non-linear RGB as stored, ``(h, w, 3)``, full range.
        transfer: AVCOL_TRC_*; all but PQ and HLG count as SDR, like sRGB.
        primaries: AVCOL_PRI_*; unknown ones are BT.2020 in HDR, else BT.709.
    """
    is_hdr = transfer in (_PQ, _HLG)
    if primaries not in _CHROMATICITIES:
        primaries = _BT2020 if is_hdr else _BT709
    light = _light(transfer)[image]
    if is_hdr:
        if transfer == _HLG:
            luminance = light @ _to_xyz(_BT2020)[1].astype(np.float32)
            light = light * (_PEAK * np.maximum(luminance, 1e-6) ** (_HLG_GAMMA - 1))[..., None]
        light = _tone_mapped(_converted(light, primaries, _BT2020))
        primaries = _BT2020
    light = _converted(light, primaries, _BT709)
    shown: NDArray[np.uint8] = _codes()[np.rint(np.sqrt(np.clip(light, 0, 1)) * (_STEPS - 1)).astype(np.int32)]
    return shown


def _converted(light: Floats, source: int, target: int) -> Floats:
    if source == target:
        return light
    matrix = np.linalg.solve(_to_xyz(target), _to_xyz(source)).astype(np.float32)
    return light @ matrix.T


def _tone_mapped(light: Floats) -> Floats:
    """Return linear BT.2020, 1 being reference white, with its peak at 1."""
    largest = np.maximum(light.max(axis=2), np.float32(1e-6))
    inputs, outputs = _tone_curve()
    mapped: Floats = light * (np.interp(largest, inputs, outputs) / largest).astype(np.float32)[..., None]
    return mapped


@cache
def _tone_curve() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return inputs and outputs: a line up to reference white, then a quadratic Bézier curve up to the peak."""
    knee, kappa = 0.5, 0.65
    middle = 1 + kappa * (1 / knee - 1), knee + kappa * (1 - knee)
    t = np.linspace(0, 1, 1024)
    x = (1 - t) ** 2 + 2 * t * (1 - t) * middle[0] + t**2 * _PEAK
    y = (1 - t) ** 2 * knee + 2 * t * (1 - t) * middle[1] + t**2
    return np.concatenate(([0], x)), np.concatenate(([0], y))


@cache
def _light(transfer: int) -> Floats:
    """Return the linear light of each of the 65536 levels: of PQ 1 at reference white, else 1 at the top."""
    code = np.linspace(0, 1, _LEVELS)
    if transfer == _PQ:
        m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
        power = code ** (1 / m2)
        light = 10_000 / 203 * (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1)
    elif transfer == _HLG:
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        light = np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12)
    else:
        light = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)
    return light.astype(np.float32)


@cache
def _codes() -> NDArray[np.uint8]:
    """Return sRGB in 8 bits for the square roots of linear light, whose steps are even enough in the dark."""
    light = np.linspace(0, 1, _STEPS) ** 2
    code = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    codes: NDArray[np.uint8] = np.rint(255 * code).astype(np.uint8)
    return codes


@cache
def _to_xyz(primaries: int) -> NDArray[np.float64]:
    """Return the matrix from linear RGB to CIE XYZ, white having a Y of 1."""
    columns = [(x / y, 1, (1 - x - y) / y) for x, y in (*_CHROMATICITIES[primaries], _D65)]
    matrix = np.array(columns[:3]).T
    return matrix * np.linalg.solve(matrix, np.array(columns[3]))
