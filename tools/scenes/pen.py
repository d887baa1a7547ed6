"""A pen that draws on one plane of the scene, in metres, with the light and haze of its place."""

from __future__ import annotations

import functools
import math
import random
from collections.abc import Callable, Sequence

import numpy as np
import skia

from tools.scenes.colour import RGB, argb

Point = tuple[float, float]


@functools.cache
def noise_image(kind: str) -> skia.Image:
    """Return a tileable 256-pixel texture: black or white with the noise as alpha, with mipmaps.

    Kinds: ``fine`` (grain of sand, asphalt), ``patch`` (soft blotches of soil, grass, plaster), ``cloud``
    (white, patchy alpha). Each is a sum of random waves with whole periods, so that it tiles without seams.
    """
    seed, low, high, slope = {"fine": (1, 12, 60, 0.3), "patch": (2, 1, 24, 1.1), "cloud": (3, 1, 30, 1.35)}[kind]
    spectrum = np.fft.fft2(np.random.default_rng(seed).normal(size=(256, 256)))
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(256) * 256, np.fft.fftfreq(256) * 256))
    band = (frequency >= low) & (frequency <= high)
    field = np.fft.ifft2(np.where(band, spectrum / np.maximum(frequency, 1) ** slope, 0)).real
    field /= field.std()
    pixels = np.zeros((256, 256, 4), np.uint8)
    if kind == "cloud":
        pixels[..., :3] = 255
        pixels[..., 3] = (np.clip(field * 0.75, 0, 1) * 255).astype(np.uint8)
    else:
        pixels[..., :3] = np.where(field > 0, 255, 0)[..., None]
        pixels[..., 3] = (np.clip(np.abs(field) * 0.4, 0, 1) * 255).astype(np.uint8)
    return skia.Image.fromarray(pixels, skia.ColorType.kRGBA_8888_ColorType).withDefaultMipmaps()


class Pen:
    """Draws filled shapes, lines and textures in plane coordinates; y grows upwards on standing planes.

    ``tone`` turns a colour of the material into the colour seen there (light, shade, haze).
    """

    def __init__(self, canvas: skia.Canvas, matrix: skia.Matrix, tone: Callable[[RGB], RGB]) -> None:
        self._canvas = canvas
        self._matrix = matrix
        self.tone = tone

    def __enter__(self) -> Pen:
        self._canvas.save()
        self._canvas.concat(self._matrix)
        return self

    def __exit__(self, *_: object) -> None:
        self._canvas.restore()

    def _paint(self, colour: RGB, alpha: float, lit: bool) -> skia.Paint:
        return skia.Paint(AntiAlias=True, Color=argb(self.tone(colour) if lit else colour, alpha))

    def _gradient(self, paint: skia.Paint, a: Point, b: Point, colours: Sequence[tuple[RGB, float]], lit: bool) -> None:
        packed = [argb(self.tone(c) if lit else c, alpha) for c, alpha in colours]
        paint.setShader(skia.GradientShader.MakeLinear([skia.Point(*a), skia.Point(*b)], packed))

    def poly(
        self,
        points: Sequence[Point],
        colour: RGB,
        *,
        alpha: float = 1.0,
        lit: bool = True,
        to: RGB | None = None,
        along: tuple[Point, Point] | None = None,
    ) -> None:
        """Fill a polygon; ``to`` makes a gradient along the line ``along`` (default: first to last point)."""
        paint = self._paint(colour, alpha, lit)
        if to is not None:
            a, b = along or (points[0], points[-1])
            self._gradient(paint, a, b, [(colour, alpha), (to, alpha)], lit)
        path = skia.Path()
        path.addPoly([skia.Point(*p) for p in points], True)
        self._canvas.drawPath(path, paint)

    def rect(
        self,
        x: float,
        y: float,
        w: float,
        h: float,
        colour: RGB,
        *,
        r: float = 0.0,
        alpha: float = 1.0,
        lit: bool = True,
        to: RGB | None = None,
        across: bool = False,
    ) -> None:
        """Fill a rectangle, corner radius ``r``; ``to`` is the colour at its top (``across``: right)."""
        paint = self._paint(colour, alpha, lit)
        if to is not None:
            end = (x + w, y) if across else (x, y + h)
            self._gradient(paint, (x, y), end, [(colour, alpha), (to, alpha)], lit)
        box = skia.Rect.MakeXYWH(x, y, w, h)
        if r:
            self._canvas.drawRoundRect(box, r, r, paint)
        else:
            self._canvas.drawRect(box, paint)

    def rects(
        self,
        boxes: Sequence[tuple[float, float, float, float]],
        colour: RGB,
        *,
        alpha: float = 1.0,
        lit: bool = True,
    ) -> None:
        """Fill many rectangles of one colour at once."""
        path = skia.Path()
        for x, y, w, h in boxes:
            path.addRect(skia.Rect.MakeXYWH(x, y, w, h))
        self._canvas.drawPath(path, self._paint(colour, alpha, lit))

    def oval(
        self,
        x: float,
        y: float,
        rx: float,
        ry: float,
        colour: RGB,
        *,
        alpha: float = 1.0,
        lit: bool = True,
        to: RGB | None = None,
    ) -> None:
        """Fill an ellipse around ``(x, y)``; ``to`` is the colour on its upper left (a lit round body)."""
        paint = self._paint(colour, alpha, lit)
        if to is not None:
            self._gradient(
                paint,
                (x + rx * 0.5, y - ry * 0.8),
                (x - rx * 0.5, y + ry * 0.8),
                [(colour, alpha), (to, alpha)],
                lit,
            )
        self._canvas.drawOval(skia.Rect.MakeLTRB(x - rx, y - ry, x + rx, y + ry), paint)

    def soft(
        self,
        x: float,
        y: float,
        rx: float,
        ry: float,
        colour: RGB,
        *,
        alpha: float = 1.0,
        lit: bool = False,
        add: bool = False,
    ) -> None:
        """Fill an ellipse that fades out to its rim; ``add`` adds light instead of covering."""
        c = self.tone(colour) if lit else colour
        scale = skia.Matrix(np.array([[rx, 0, x], [0, ry, y], [0, 0, 1]], np.float32))
        shader = skia.GradientShader.MakeRadial(
            skia.Point(0, 0),
            1.0,
            [argb(c, alpha), argb(c, alpha * 0.35), argb(c, 0)],
            [0.0, 0.45, 1.0],
            localMatrix=scale,
        )
        paint = skia.Paint(AntiAlias=True, Shader=shader)
        if add:
            paint.setBlendMode(skia.BlendMode.kPlus)
        self._canvas.drawOval(skia.Rect.MakeLTRB(x - rx, y - ry, x + rx, y + ry), paint)

    def line(
        self,
        points: Sequence[Point],
        colour: RGB,
        width: float,
        *,
        alpha: float = 1.0,
        lit: bool = True,
        round_: bool = True,
        closed: bool = False,
    ) -> None:
        """Stroke a polyline ``width`` metres wide."""
        paint = self._paint(colour, alpha, lit)
        paint.setStyle(skia.Paint.kStroke_Style)
        paint.setStrokeWidth(width)
        paint.setStrokeJoin(skia.Paint.kRound_Join)
        if round_:
            paint.setStrokeCap(skia.Paint.kRound_Cap)
        path = skia.Path()
        path.addPoly([skia.Point(*p) for p in points], closed)
        self._canvas.drawPath(path, paint)

    def segments(
        self,
        pairs: Sequence[tuple[Point, Point]],
        colour: RGB,
        width: float,
        *,
        alpha: float = 1.0,
        lit: bool = True,
    ) -> None:
        """Stroke many separate lines at once."""
        paint = self._paint(colour, alpha, lit)
        paint.setStyle(skia.Paint.kStroke_Style)
        paint.setStrokeWidth(width)
        path = skia.Path()
        for a, b in pairs:
            path.moveTo(*a)
            path.lineTo(*b)
        self._canvas.drawPath(path, paint)

    def ring(self, x: float, y: float, rx: float, ry: float, colour: RGB, width: float, *, alpha: float = 1.0) -> None:
        """Stroke an ellipse."""
        paint = self._paint(colour, alpha, True)
        paint.setStyle(skia.Paint.kStroke_Style)
        paint.setStrokeWidth(width)
        self._canvas.drawOval(skia.Rect.MakeLTRB(x - rx, y - ry, x + rx, y + ry), paint)

    def texture(
        self,
        x: float,
        y: float,
        w: float,
        h: float,
        kind: str,
        *,
        size: float,
        alpha: float,
        shift: Point = (0.0, 0.0),
        stretch: float = 1.0,
    ) -> None:
        """Lay a noise texture over a rectangle; a tile is ``size`` wide and ``size * stretch`` high."""
        k = size / 256
        matrix = skia.Matrix(np.array([[k, 0, shift[0]], [0, k * stretch, shift[1]], [0, 0, 1]], np.float32))
        sampling = skia.SamplingOptions(skia.FilterMode.kLinear, skia.MipmapMode.kLinear)
        shader = noise_image(kind).makeShader(skia.TileMode.kRepeat, skia.TileMode.kRepeat, sampling, matrix)
        # White grains are as bright as a white surface would be here: at night they must not glow.
        seen = self.tone((1.0, 1.0, 1.0))
        gain = skia.ColorFilters.Blend(argb(seen), skia.BlendMode.kModulate)
        self._canvas.drawRect(skia.Rect.MakeXYWH(x, y, w, h), skia.Paint(Shader=shader, Alphaf=alpha, ColorFilter=gain))


def lattice(pen: Pen, a: Point, b: Point, width: float, colour: RGB, *, bar: float = 0.12, step: float = 1.6) -> None:
    """Draw a lattice girder (two chords and a zigzag) from ``a`` to ``b``, all in metres."""
    length = math.dist(a, b) or 1e-6
    ux, uy = (b[0] - a[0]) / length, (b[1] - a[1]) / length
    nx, ny = -uy * width / 2, ux * width / 2
    count = max(2, round(length / step))
    pairs = [((a[0] + s * nx, a[1] + s * ny), (b[0] + s * nx, b[1] + s * ny)) for s in (-1, 1)]
    for i in range(count):
        p, q = length * i / count, length * (i + 1) / count
        s = 1 if i % 2 else -1
        pairs.append(
            (
                (a[0] + ux * p + s * nx, a[1] + uy * p + s * ny),
                (a[0] + ux * q - s * nx, a[1] + uy * q - s * ny),
            )
        )
    pen.segments(pairs[:2], colour, bar * 1.6)
    pen.segments(pairs[2:], colour, bar)


def blob(
    rng: random.Random, x: float, y: float, rx: float, ry: float, *, points: int = 14, rough: float = 0.18
) -> list[Point]:
    """Return an irregular closed outline around ``(x, y)``."""
    result = []
    for i in range(points):
        angle = 2 * math.pi * i / points
        k = 1 + rng.uniform(-rough, rough)
        result.append((x + math.cos(angle) * rx * k, y + math.sin(angle) * ry * k))
    return result
