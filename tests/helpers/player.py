"""What a browser's player shows: presentation times and colours of a file in headless Chromium."""

from __future__ import annotations

import contextlib
import functools
import http.server
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

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


class _RangeHandler(http.server.SimpleHTTPRequestHandler):
    """Files with single byte ranges, without which Chromium can't seek."""

    extensions_map: ClassVar[dict[str, str]] = {
        ".mp4": "video/mp4",
        ".mov": "video/mp4",
        ".webm": "video/webm",
        ".mkv": "video/x-matroska",
    }
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            body, first, status = b"<!doctype html><title>player</title><body></body>", 0, 200
            kind, total = "text/html", len(body)
        else:
            data = path.read_bytes()
            kind, total = self.guess_type(str(path)), len(data)
            match = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
            first = int(match[1]) if match else 0
            last = min(int(match[2]) if match and match[2] else total - 1, total - 1)
            status, body = 206 if match else 200, data[first : last + 1]
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Accept-Ranges", "bytes")
        if status == 206:
            self.send_header("Content-Range", f"bytes {first}-{first + len(body) - 1}/{total}")
        self.end_headers()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the player has what it wanted
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve ``folder`` with byte ranges on a free port; yields the address."""
    handler = functools.partial(_RangeHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def seek_each(page: Any, url: str, seconds: Sequence[float]) -> dict[str, Any]:
    """Seek to each time and return what the player shows there.

    Returns:
        ``width``, ``height``, ``duration`` of the player, and ``frames``: for each seek the shown frame's
        media ``time`` (None where no new frame was reported) and the RGB values in the quadrants (``spots``).
    """
    return page.evaluate(_SEEK, [url, list(seconds)])
