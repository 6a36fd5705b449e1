"""Nodes that end with the test that started them, however it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.functional.node_process import ANY_PORTS, CommandProcess, NodeProcess

StartNode = Callable[..., NodeProcess]
StartCommand = Callable[..., CommandProcess]


def started_nodes() -> Iterator[StartNode]:
    """Start `flockchain node` on free ports; an option given again has the last word."""
    nodes: list[NodeProcess] = []

    def start(*arguments: str, sources: Path | None = None) -> NodeProcess:
        nodes.append(NodeProcess(*ANY_PORTS, *arguments, sources=sources))
        return nodes[-1]

    yield start
    for node in nodes:
        if node.is_running():
            node.kill()


@pytest.fixture
def start_node() -> Iterator[StartNode]:
    """Nodes of one test."""
    yield from started_nodes()


@pytest.fixture
def start_command() -> Iterator[StartCommand]:
    """Other commands of one test, such as workers."""
    started: list[CommandProcess] = []

    def start(*arguments: str) -> CommandProcess:
        started.append(CommandProcess(*arguments))
        return started[-1]

    yield start
    for process in started:
        if process.is_running():
            process.kill()


@pytest.fixture(scope="module")
def dev_node() -> Iterator[NodeProcess]:
    """A development node that the tests of a module share; it must live through all of them."""
    for start in started_nodes():
        node = start("--dev", "--tmp").wait_until_ready()
        yield node
        assert node.is_running(), node.log
        assert "Traceback" not in node.log
