"""Outlines on the screen: projection cut off before the camera, areas, what two convex outlines share."""

from __future__ import annotations

from collections.abc import Sequence

from tools.scenes.pen import Point
from tools.scenes.stage import Stage

NEAR = 0.001
Polygon = list[Point]


def outline(stage: Stage, corners: Sequence[tuple[float, float, float]]) -> Polygon:
    """Return a flat polygon of the world in pixels, cut off just before the camera; empty when behind it."""
    seen = [stage.view(*corner) for corner in corners]
    kept: list[tuple[float, float, float]] = []
    for a, b in zip(seen, [*seen[1:], seen[0]], strict=True):
        if a[2] >= NEAR:
            kept.append(a)
        if (a[2] >= NEAR) != (b[2] >= NEAR):
            u = (NEAR - a[2]) / (b[2] - a[2])
            kept.append((a[0] + (b[0] - a[0]) * u, a[1] + (b[1] - a[1]) * u, NEAR))
    k = stage.camera.focal * stage.height
    return [(stage.width / 2 + x / z * k, stage.horizon - y / z * k) for x, y, z in kept]


def area(points: Polygon) -> float:
    """Return the signed area of a polygon (the shoelace formula)."""
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(points, [*points[1:], *points[:1]], strict=True)) / 2


def common(a: Polygon, b: Polygon) -> Polygon:
    """Return the part that two convex polygons share (Sutherland and Hodgman's clipping)."""
    if len(a) < 3 or len(b) < 3:
        return []
    sign = 1.0 if area(b) > 0 else -1.0
    result = a
    for p, q in zip(b, [*b[1:], b[0]], strict=True):

        def inside(point: Point, p: Point = p, q: Point = q) -> float:
            return sign * ((q[0] - p[0]) * (point[1] - p[1]) - (q[1] - p[1]) * (point[0] - p[0]))

        source, result = result, []
        for c, d in zip(source, [*source[1:], *source[:1]], strict=True):
            e, f = inside(c), inside(d)
            if e >= 0:
                result.append(c)
            if (e >= 0) != (f >= 0):
                u = e / (e - f)
                result.append((c[0] + (d[0] - c[0]) * u, c[1] + (d[1] - c[1]) * u))
    return result
