"""Log lines: their form, and that nothing from outside can forge one."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator

import pytest

from flockchain.telemetry import LINE_LENGTH_MAX, escape, set_up_logging


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    out = io.StringIO()
    set_up_logging("info", out)
    yield out
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)


def test_a_line_tells_time_level_and_part(stream: io.StringIO) -> None:
    logging.getLogger("flockchain.chain.importer").info("imported #%s", 57)
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO    chain\.importer imported #57\n",
        stream.getvalue(),
    )


def test_levels_below_are_not_written(stream: io.StringIO) -> None:
    logging.getLogger("flockchain.pool").debug("quiet")
    logging.getLogger("aiohttp.access").info("quiet")
    assert stream.getvalue() == ""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb\r\tc", "a\\nb\\r\\tc"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\x00\x7f\x85\x9b", "\\x00\\x7f\\x85\\x9b"),
        ("\u2028\u2029\u202e", "\\u2028\\u2029\\u202e"),
        ("größer ≥", "größer ≥"),
    ],
)
def test_control_characters_are_escaped(text: str, shown: str) -> None:
    assert escape(text) == shown


def test_a_peer_cannot_forge_a_line(stream: io.StringIO) -> None:
    logging.getLogger("flockchain.sync").info("peer says %s", "x\n2030-01-01 INFO finalized")
    assert stream.getvalue().count("\n") == 1


def test_a_traceback_stays_on_its_line(stream: io.StringIO) -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError:
        logging.getLogger("flockchain.node").exception("stopped")
    assert stream.getvalue().count("\n") == 1
    assert "ValueError: two\\nlines" in stream.getvalue()


def test_long_messages_are_cut(stream: io.StringIO) -> None:
    logging.getLogger("flockchain.rpc").info("%s", "x" * 10 * LINE_LENGTH_MAX)
    assert len(stream.getvalue()) < LINE_LENGTH_MAX + 100
    assert stream.getvalue().endswith(f"... ({10 * LINE_LENGTH_MAX} characters)\n")


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="log level 'loud' is none of error, warning, info, debug"):
        set_up_logging("loud")
