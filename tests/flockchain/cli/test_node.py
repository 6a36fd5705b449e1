"""`flockchain node`: which options become which settings, and how it refuses."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from types import ModuleType

import pytest
import typer
from typer.testing import CliRunner, Result

from flockchain.cli.node import node
from flockchain.config import KEY_SHORTCUTS, SETTING_NAMES, NodeConfig

app = typer.Typer()
app.command()(node)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[NodeConfig]:
    """What a service that ends at once with status 0 was started with."""
    configs: list[NodeConfig] = []

    def run(config: NodeConfig) -> int:
        configs.append(config)
        return 0

    service = ModuleType("flockchain.service")
    service.__dict__["run"] = run
    monkeypatch.setitem(sys.modules, "flockchain.service", service)
    return configs


def invoke(*arguments: str, **environment: str) -> Result:
    return CliRunner(env={"NO_COLOR": "1", **environment}).invoke(app, list(arguments))


def test_options_reach_the_service(started: list[NodeConfig], tmp_path: Path) -> None:
    result = invoke(
        *("--chain", "devnet", "--bob", "--base-path", str(tmp_path), "--port", "0"),
        *("--rpc-port", "0", "--state-pruning", "archive", "--rpc-cors", "all"),
        *("--bootnodes", "/ip4/127.0.0.1/tcp/1/p2p/x", "--bootnodes", "/dns/a/tcp/1/p2p/y"),
        *("--worker", "trainer,validator", "--log-level", "error"),
    )
    assert result.exit_code == 0, result.output
    (config,) = started
    assert (config.chain, config.key, config.name, config.validator) == (
        "devnet",
        "bob",
        "Bob",
        True,
    )
    assert (config.base_path, config.port, config.rpc_port) == (tmp_path, 0, 0)
    assert (config.state_pruning, config.rpc.origins) == (None, None)
    assert config.bootnodes == ("/ip4/127.0.0.1/tcp/1/p2p/x", "/dns/a/tcp/1/p2p/y")
    assert config.workers == ("trainer", "validator")


def test_variables_and_file_fill_what_the_command_line_leaves_out(
    started: list[NodeConfig], tmp_path: Path
) -> None:
    file = tmp_path / "node.toml"
    file.write_text("mdns = true\nport = 1\n")
    assert invoke("--config", str(file), FLOCKCHAIN_PORT="2").exit_code == 0
    assert (started[0].mdns, started[0].port) == (True, 2)


def test_refusals_are_one_line_and_start_nothing(started: list[NodeConfig]) -> None:
    result = invoke("--alice", "--bob")
    assert result.exit_code == 1
    assert result.stderr == "error: --alice and --bob: a node has one key, leave all but one out\n"
    result = invoke("--port", "70000")
    assert (result.exit_code, result.stderr) == (
        1,
        "error: --port: 70000 is outside of 0 to 65535\n",
    )
    assert invoke("--port", "http").exit_code == 2
    assert started == []


def test_each_setting_is_an_option() -> None:
    options = set(inspect.signature(node).parameters) - {"config", "worker", *KEY_SHORTCUTS}
    assert options | {"key", "workers"} == SETTING_NAMES


def test_help_names_the_defaults() -> None:
    text = invoke("--help").stdout
    for default in ("30333", "9944", "9615", "256"):
        assert default in text
