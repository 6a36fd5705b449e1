"""Logging of a process: one event, one line, on standard error.

Owns the line's form `2026-01-31T12:00:00.000Z INFO  chain.importer imported #57 ...`. Invariant: no
text from outside can start a line of its own or move the terminal's cursor: control characters are
written as escapes. Callers keep secrets out of what they log; their types hide them from repr.
Source: RFC 3339 (time); CWE-117 (log injection).
"""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from typing import Final, TextIO

LINE_LENGTH_MAX: Final = 4_096
"""Characters of a message; what others sent can be long."""
_LEVELS: Final = {
    "error": logging.ERROR,
    "warning": logging.WARNING,
    "info": logging.INFO,
    "debug": logging.DEBUG,
}
_PACKAGES: Final = ("flockchain.", "runtime.")
# Libraries that report every connection; what matters of it our own modules say.
_CHATTY: Final = ("libp2p", "aiohttp.access", "multiaddr", "asyncio")
_DIRECTION_MARKS: Final = (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x61C)
_ESCAPES: Final = {
    code: f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
    for code in (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, *_DIRECTION_MARKS)
} | {ord("\n"): "\\n", ord("\r"): "\\r", ord("\t"): "\\t"}


def escape(text: str) -> str:
    """The text on one line: control characters and marks that reorder text become escapes."""
    return text.translate(_ESCAPES)


class LineFormatter(logging.Formatter):
    """One line a record; a traceback follows escaped on the same line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line, without its end."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        message = record.getMessage()
        if len(message) > LINE_LENGTH_MAX:
            message = f"{message[:LINE_LENGTH_MAX]}... ({len(message)} characters)"
        if record.exc_info:
            message = f"{message} | {self.formatException(record.exc_info)}"
        name = record.name
        for package in _PACKAGES:
            name = name.removeprefix(package)
        prefix = time.removesuffix("+00:00") + "Z"
        return f"{prefix} {record.levelname:<7} {escape(name)} {escape(message)}"


def set_up_logging(level: str, stream: TextIO | None = None) -> None:
    """Send all records of `level` and above to a stream, standard error by default.

    Replaces what was set up before. Raises: ValueError for an unknown level.
    """
    if level not in _LEVELS:
        raise ValueError(f"log level {level!r} is none of {', '.join(_LEVELS)}")
    handler = logging.StreamHandler(sys.stderr if stream is None else stream)
    handler.setFormatter(LineFormatter())
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(_LEVELS[level])
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(_LEVELS[level], logging.WARNING))
    logging.captureWarnings(capture=True)
