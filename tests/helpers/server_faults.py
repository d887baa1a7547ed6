"""What can go wrong at the stand-in inference server, and which models it has."""

from __future__ import annotations

from dataclasses import dataclass, field

DIMS = {
    "RN50": 1024,
    "RN101": 512,
    "RN50x4": 640,
    "RN50x16": 768,
    "RN50x64": 1024,
    "ViT-B-16": 512,
    "ViT-B-32": 512,
    "ViT-L-14": 768,
    "ViT-L-14-336px": 768,
}


@dataclass
class Faults:
    """What goes wrong, and how often; all off by default. Change them while the server runs."""

    latency_s: float = 0.0
    """Seconds each embedding request takes."""
    per_item_s: float = 0.0
    """Seconds more for each picture or text."""
    max_images: int = 8
    """More pictures than this in a request: 500 ``Internal error.``, without a reason."""
    broken_images: bool = False
    """500 ``Internal error.`` for any picture."""
    first: int = 0
    """The first so many embedding requests fail, with ``status`` or in ``manner``."""
    status: int = 503
    message: str = "Model is temporarily not ready - retry request."
    retry_after: str | None = None
    manner: str = "status"
    """How those fail: ``status``, ``reset`` (connection reset), ``hang`` (no answer until the end)."""
    key: str | None = None
    """The only key that is accepted; anything else: ``refusal``."""
    key_places: tuple[str, ...] = ("header", "body", "query")
    """Where this server looks for the key; old ones don't read the header."""
    refusal: int = 401
    versions: tuple[str, ...] = tuple(DIMS)
    """Versions it has; others: 500 ``Model package is broken.``"""
    body: bytes | None = None
    """Answered to every embedding request in place of vectors, as it is."""
    content_type: str = "application/json"
    no_clip: bool = False
    """404 for the CLIP routes."""
    about: dict[str, str] = field(
        default_factory=lambda: {"name": "Roboflow Inference Server", "version": "1.8.3", "uuid": "fake"}
    )
    """Answered to ``/info``."""
    page: bool = False
    """A web page for every GET, as any other program on that port may answer."""
    no_info: bool = False
    """404 for ``/info``, as on servers of old."""
    old: bool = False
    """No ``resolved_model`` in replies."""
    resolved: str | None = None
    """Another ``model_id`` than the one asked for."""
    redirect: str | None = None
    """307 to this address for everything."""
    spoil: str | None = None
    """Wrong with the vectors: ``nan``, ``inf``, ``zero``, ``count``, ``dim``, ``ragged`` or ``text``."""
    unreadable_images: bool = False
    """400 ``Could not load input image.`` for any picture."""
    echo_key: bool = False
    """Error messages repeat the key that was sent."""
