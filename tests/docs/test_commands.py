"""Every command line that a page or a message shows is one that `flockchain` takes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from flockchain.cli.main import build_app

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    page
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    if page.parent.name != "adr"  # decisions stay as they were taken
)
FENCE = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
QUOTED = re.compile(r"`([^`]+)`")
LINE = re.compile(r"^(?:\$ )?(?:\.venv/bin/)?flockchain (.+)$", re.MULTILINE)
NAME = re.compile(r"[a-z][a-z0-9-]*")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*")


@cache
def program() -> TyperGroup:
    """The whole command line."""
    found: Any = typer.main.get_command(build_app(is_whole=True))
    assert isinstance(found, TyperGroup)
    return found


def walk(words: list[str]) -> tuple[Any, list[str]]:
    """The command that the first words name, and the words behind it."""
    command: Any = program()
    while isinstance(command, TyperGroup) and words and NAME.fullmatch(words[0]):
        assert words[0] in command.commands, f"{command.name} has no command {words[0]}"
        command, words = command.commands[words[0]], words[1:]
    return command, words


def options_of(command: Any) -> set[str]:
    """The options of a command, or of all commands of a group."""
    own = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
    inner = command.commands.values() if isinstance(command, TyperGroup) else ()
    return {"--help", *own}.union(*map(options_of, inner))


def lines_of(page: Path) -> list[str]:
    """Whole command lines, as a reader would type them."""
    blocks = FENCE.findall(page.read_text(encoding="utf-8"))
    return [line for block in blocks for line in LINE.findall(block.replace("\\\n", " "))]


def quoted_of(text: str) -> Iterator[str]:
    """Commands of running text without their first word, which may be left out: `gov list`."""
    for quoted in QUOTED.findall(text):
        words = quoted.split()
        if words[:1] == ["flockchain"]:
            yield quoted.removeprefix("flockchain")
        elif len(words) > 1 and isinstance(program().commands.get(words[0]), TyperGroup):
            yield quoted


SHOWN = [(page.name, line) for page in PAGES for line in lines_of(page)]
# Long names, so that a failure says where the line stands.
SOURCES = [
    path
    for path in sorted((ROOT / "flockchain").rglob("*.py"))
    if "`flockchain " in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize(("page", "line"), SHOWN)
def test_command_lines_are_taken_as_they_are_shown(page: str, line: str) -> None:
    command, words = walk(shlex.split(line, comments=True))
    if words == ["--help"]:
        return
    assert not isinstance(command, TyperGroup), f"{page}: {line} names no command"
    try:
        command.make_context(command.name, words)
    except typer.BadParameter as error:
        if not re.fullmatch(r"[Ff]ile '.*' does not exist\.", error.message):  # it is the reader's
            raise


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_in_running_text_exist(page: Path) -> None:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    for quoted in quoted_of(text):
        command, words = walk(quoted.split())
        assert {*OPTION.findall(" ".join(words))} <= options_of(command), quoted
    named = {name for quoted in QUOTED.findall(text) for name in OPTION.findall(quoted)}
    assert named - options_of(program()) == set()


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: str(source.relative_to(ROOT)))
def test_commands_that_messages_advise_exist(source: Path) -> None:
    text = source.read_text(encoding="utf-8")
    for quoted in QUOTED.findall(text):
        words = quoted.split()
        if words[:1] == ["flockchain"]:
            command, rest = walk(words[1:])
            assert {*OPTION.findall(" ".join(rest))} <= options_of(command), quoted
