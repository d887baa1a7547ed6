"""A dashboard session without a browser: what a page's WebSocket says, for memory tests and benchmarks."""

from __future__ import annotations

import uuid
from types import TracebackType
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect


class Session:
    """Opens the dashboard as a page would and waits for the first run to end; a context manager.

    Args:
        url: of the dashboard, such as ``http://127.0.0.1:8501``.
        page: page to open, such as ``explore``; the default page when empty.
    """

    def __init__(self, url: str, *, page: str = "", timeout_s: float = 120.0) -> None:
        self._timeout_s = timeout_s
        address = f"{url.replace('http', 'ws', 1)}/_stcore/stream"
        # Types of this library are loose on purpose: it comes with Streamlit's server.
        self._socket: Any = connect(address, subprotocols=["streamlit"], proxy=None, max_size=None)  # type: ignore[list-item]
        message = BackMsg()
        message.rerun_script.page_name = page
        self._send(message)
        self.wait_for("script_finished")

    def _send(self, message: BackMsg) -> None:
        self._socket.send(message.SerializeToString())

    def wait_for(self, kind: str) -> ForwardMsg:
        """Read messages until one of this kind (a field of ``ForwardMsg``) comes."""
        while True:
            message = ForwardMsg()
            message.ParseFromString(self._socket.recv(timeout=self._timeout_s))
            if message.WhichOneof("type") == kind:
                return message

    def built_in_upload_url(self, name: str) -> str:
        """Ask, as ``st.file_uploader`` does, where to put one file; returns a path."""
        message = BackMsg()
        message.file_urls_request.request_id = uuid.uuid4().hex
        message.file_urls_request.file_names.append(name)
        self._send(message)
        return str(self.wait_for("file_urls_response").file_urls_response.file_urls[0].upload_url)

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()
