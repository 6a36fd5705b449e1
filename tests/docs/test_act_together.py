"""The page about batches, proxies and accounts of several keys, run line by line on a real node."""

from __future__ import annotations

import asyncio
import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flockchain.cli.main import build_app
from flockchain.keys import key_pair_from_uri
from tests.flockchain.fast_chain import fast_chain

PAGE = Path(__file__).resolve().parents[2] / "docs/tutorials/act-together.md"


def page() -> tuple[list[list[str]], str]:
    """The words of each command line, and the file of calls that the page shows."""
    text = PAGE.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = re.findall(r"^\$ flockchain (.+)$", text, re.MULTILINE)
    shown = re.search(r"^\$ cat calls.txt\n((?:[^$].*\n)+)", text, re.MULTILINE)
    assert shown is not None
    return [shlex.split(line) for line in lines], shown[1]


def test_each_command_of_the_page_does_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands, calls = page()
    (tmp_path / "calls.txt").write_text(calls)
    monkeypatch.chdir(tmp_path)

    async def run() -> None:
        keys = [key_pair_from_uri(name) for name in ("//Alice", "//Bob")]
        async with fast_chain(tmp_path / "node", keys) as chain:
            monkeypatch.setenv("FLOCKCHAIN_RPC", chain.url)
            chain.seal()
            chain.seal_when_asked()
            before = chain.free(keys[1])
            for words in commands:
                app = build_app(words[0])
                result = await asyncio.to_thread(CliRunner().invoke, app, words)
                assert result.exit_code == 0, f"{words}: {result.output}"
            assert chain.free(keys[1]) > before

    asyncio.run(run())
    assert len(commands) == 13
