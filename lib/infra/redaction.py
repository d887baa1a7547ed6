"""Keys and signed URLs kept out of messages and logs."""

from __future__ import annotations

import logging
import re
from urllib.parse import quote, quote_plus

from lib.core.formatting import shortened

_MAX_QUOTE = 200
_QUERY = re.compile(r"\?[^\s\"']+")
_HIDDEN_QUERY = "?[hidden]"


def without_key(text: str, key: str | None) -> str:
    """Return ``text`` with every spelling of ``key`` replaced."""
    if key:
        for spelling in {key, quote(key, safe=""), quote(key), quote_plus(key)}:
            text = text.replace(spelling, "[key]")
    return text


def redacted(text: str, key: str | None) -> str:
    """Return ``text`` as one line of at most 200 characters, without the key and without the query of any URL."""
    return shortened(_QUERY.sub(_HIDDEN_QUERY, without_key(text, key)), _MAX_QUOTE)


class _HideQueries(logging.Filter):
    """Removes queries from what urllib3 logs at DEBUG: keys and signatures are in them."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if "?" in message:
            record.msg, record.args = _QUERY.sub(_HIDDEN_QUERY, message), ()
        return True


_hide_queries = _HideQueries()


def hide_queries_in_logs() -> None:
    """Keep the query of every URL away from the log handlers; calling it twice is harmless."""
    logging.getLogger("urllib3.connectionpool").addFilter(_hide_queries)
