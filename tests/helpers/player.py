"""What a browser's player shows: presentation times and colours of a file in headless Chromium."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

from tests.helpers.http import serving

_SEEK = """
async ([url, seconds]) => {
  const video = document.createElement('video');
  video.muted = true; video.preload = 'auto'; video.src = url;
  document.body.replaceChildren(video);
  const settled = name => new Promise((done, fail) => {
    video.addEventListener(name, done, {once: true});
    video.addEventListener(
      'error', () => fail(new Error('cannot play: ' + video.error.message)), {once: true});
    setTimeout(() => fail(new Error('no ' + name + ' within 20 s')), 20000);
  });
  const presented = () => new Promise(done => {
    video.requestVideoFrameCallback((_, metadata) => done(metadata.mediaTime));
    setTimeout(() => done(null), 3000);
  });
  const first = presented();
  await settled('loadeddata');
  await first;  // or its report would be taken for that of the first seek
  const canvas = document.createElement('canvas');
  canvas.width = video.videoWidth; canvas.height = video.videoHeight;
  const context = canvas.getContext('2d', {willReadFrequently: true});
  const frames = [];
  for (const at of seconds) {
    const shown = presented();
    const arrived = settled('seeked');
    video.currentTime = at;
    await arrived;
    const time = await shown;
    context.drawImage(video, 0, 0);
    const spots = [[.25, .25], [.75, .25], [.25, .75], [.75, .75]].map(([x, y]) => {
      const pixel = context.getImageData(Math.floor(x * canvas.width), Math.floor(y * canvas.height), 1, 1);
      return Array.from(pixel.data.slice(0, 3));
    });
    frames.push({time, spots});
  }
  return {width: video.videoWidth, height: video.videoHeight, duration: video.duration, frames};
}
"""


# Chromium plays QuickTime files, but only under MP4's name.
_MEDIA_TYPES = {".mp4": "video/mp4", ".mov": "video/mp4", ".webm": "video/webm", ".mkv": "video/x-matroska"}


@contextmanager
def serving_files(folder: Path) -> Iterator[str]:
    """Serve ``folder`` with byte ranges, without which Chromium can't seek; yields the address of an empty page."""

    def file(request: Request) -> Response:
        path = folder / request.path_params["name"]
        if not path.is_file():
            return HTMLResponse("<!doctype html><title>player</title><body></body>")
        return FileResponse(path, media_type=_MEDIA_TYPES.get(path.suffix))

    with serving(Starlette(routes=[Route("/{name:path}", file)])) as port:
        yield f"http://127.0.0.1:{port}"


def seek_each(page: Any, url: str, seconds: Sequence[float]) -> dict[str, Any]:
    """Seek to each time and return what the player shows there.

    Returns:
        ``width``, ``height``, ``duration`` of the player, and ``frames``: for each seek the shown frame's
        media ``time`` (None where no new frame was reported) and the RGB values in the quadrants (``spots``).
    """
    return page.evaluate(_SEEK, [url, list(seconds)])
