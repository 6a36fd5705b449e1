"""The node's settings: who wins, what follows from what, and what is refused in which words."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from flockchain.config import NodeConfig, default_base_path, load_config
from flockchain.rpc.access import DEFAULT_ORIGINS, MethodPolicy
from flockchain.settings import ConfigError
from flockchain.storage.node_cache import SIZE_BYTES_MAX


def config(
    environment: Mapping[str, str] | None = None, file: Path | None = None, **options: object
) -> NodeConfig:
    return load_config(options, environment or {}, file)


def refusal(
    environment: Mapping[str, str] | None = None, file: Path | None = None, **options: object
) -> str:
    with pytest.raises(ConfigError) as caught:
        config(environment, file, **options)
    return str(caught.value)


def test_defaults() -> None:
    found = config()
    assert (found.chain, found.name, found.validator) == ("local", "flockchain-node", False)
    assert (found.port, found.rpc_port, found.prometheus_port) == (30_333, 9_944, 9_615)
    assert found.base_path == default_base_path()
    assert (found.rpc.methods, found.rpc.origins) == (MethodPolicy.AUTO, DEFAULT_ORIGINS)
    assert (found.state_pruning, found.mdns) == (256, False)
    assert found.listen_address == "0.0.0.0"


def test_command_line_beats_environment_beats_file(tmp_path: Path) -> None:
    file = tmp_path / "node.toml"
    file.write_text('port = 1\nrpc_port = 2\nname = "of the file"\n')
    environment = {"FLOCKCHAIN_PORT": "10", "FLOCKCHAIN_RPC_PORT": "20"}
    found = config(environment, file, port=100)
    assert (found.port, found.rpc_port, found.name) == (100, 20, "of the file")


def test_a_dev_node_is_alice_alone_and_leaves_nothing_behind() -> None:
    found = config(dev=True)
    assert (found.chain, found.key, found.name, found.validator) == ("dev", "alice", "Alice", True)
    assert (found.base_path, found.listen_address) == (None, "127.0.0.1")


def test_a_shortcut_makes_an_authority() -> None:
    found = config(key="bob")
    assert (found.key, found.name, found.validator) == ("bob", "Bob", True)


def test_switches_and_lists_from_every_place(tmp_path: Path) -> None:
    file = tmp_path / "node.toml"
    file.write_text('workers = ["trainer", "validator"]\nmdns = true\n')
    found = config({"FLOCKCHAIN_RPC_CORS": "http://a.org,http://b.org"}, file)
    assert found.workers == ("trainer", "validator")
    assert found.mdns
    assert found.rpc.origins == ("http://a.org", "http://b.org")
    assert (found.blind_rpc, config(blind_rpc="ws://h:1").blind_rpc) == (None, "ws://h:1")
    assert config(workers=["validator,trainer"]).workers == ("validator", "trainer")
    assert config({"FLOCKCHAIN_MDNS": "no"}, mdns=None).mdns is False


def test_archive_keeps_every_state() -> None:
    assert config(state_pruning="archive").state_pruning is None
    assert config().blocks_pruning is None
    assert config(blocks_pruning="archive-canonical").blocks_pruning is None
    assert config(blocks_pruning="300").blocks_pruning == 300
    assert config().trie_cache_size == SIZE_BYTES_MAX
    assert config({"FLOCKCHAIN_STATE_PRUNING": "1000"}).state_pruning == 1_000


def test_cors_all_lets_every_origin_in() -> None:
    assert config(rpc_cors=["all"]).rpc.origins is None


def test_the_seal_interval_is_for_development() -> None:
    assert config(dev=True, seal_interval_ms=0).seal_interval_ms == 0
    assert config(dev=True).seal_interval_ms == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"port": 65_536}, "--port: 65536 is outside of 0 to 65535"),
        ({"dev": True, "chain": "local"}, "--chain: --dev runs the chain dev; leave one of the two "
         "out"),
        ({"tmp": True, "base_path": "/x"}, "--base-path: --tmp makes a directory of its own; leave "
         "one of the two out"),
        ({"bootnodes": ["localhost"]}, "--bootnodes: 'localhost' is no multiaddress with "
         "/p2p/<peer id>"),
        ({"rpc_methods": "all"}, "--rpc-methods: 'all' is none of auto, safe, unsafe"),
        ({"rpc_methods": "unsafe", "rpc_cors": ["all"]}, "--rpc-cors all together with "
         "--rpc-methods unsafe would let every web page use unsafe methods: name the origins, or "
         "use --rpc-methods auto"),
        ({"blocks_pruning": "archive"}, "--blocks-pruning: 'archive' is no integer"),
        ({"trie_cache_size": 64}, "--trie-cache-size: 64 is outside of 1048576 to 1099511627776"),
        ({"blocks_pruning": "9"}, "--blocks-pruning: 9 is outside of 256 to 2147483648"),
        ({"state_pruning": "some"}, "--state-pruning: 'some' is no integer"),
        ({"state_pruning": "1"}, "--state-pruning: 1 is outside of 16 to 2147483648"),
        ({"seal_interval_ms": 5}, "--seal-interval-ms: only a --dev node seals blocks without "
         "slots"),
        ({"workers": ["miner"]}, "--workers: 'miner' is none of trainer, validator"),
        ({"workers": ["host"]}, "--workers: host is not built yet: leave it out, or use trainer or "
         "validator"),
        ({"blind_rpc": "h:1"}, "--blind-rpc: 'h:1' is not ws://host:port"),
        ({"workers": ["trainer", "trainer"]}, "--workers: a role is named twice"),
        ({"listen_address": "here"}, "--listen-address: 'here' is no IP address"),
        ({"name": "x" * 65}, "--name: at most 64 characters"),
        ({"name": "a\nb"}, "--name: 1 to 4096 printable characters are needed"),
        ({"sync": "light"}, "--sync: 'light' is none of full, warp"),
        ({"sync": "warp", "dev": True},
         "--sync: a --dev chain has nobody to sync from; leave --sync out"),
        ({"sync": "warp", "state_pruning": "archive"},
         "--sync: an archive keeps every state, a warp sync begins without the earlier ones; use "
         "--sync full, or leave --state-pruning archive out"),
    ],
)  # fmt: skip
def test_refusals_name_the_option_and_the_rule(options: dict[str, object], message: str) -> None:
    assert refusal(None, None, **options) == message


def test_refusals_name_the_variable() -> None:
    assert refusal({"FLOCKCHAIN_PORT": "http"}) == "FLOCKCHAIN_PORT: 'http' is no integer"
    assert refusal({"FLOCKCHAIN_DEV": "maybe"}) == (
        "FLOCKCHAIN_DEV: 'maybe' is neither true nor false"
    )
    assert refusal({"FLOCKCHAIN_KEY": "mallory"}) == (
        "FLOCKCHAIN_KEY: 'mallory' is none of alice, bob, charlie, dave, eve, ferdie"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("prot = 1", "--config: {file} has the unknown key 'prot'"),
        ("rpc = 1", "--config: {file} has the unknown key 'rpc'"),
        ("port = ", "--config: {file} is no TOML file: Invalid value (at end of document)"),
        ("port = true", "port in {file}: True is no integer"),
        ("name = 5", "name in {file}: text is needed, not 5"),
        ("workers = 5", "workers in {file}: a list is needed, not 5"),
    ],
)
def test_refusals_name_the_file(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "node.toml"
    file.write_text(text)
    assert refusal(file=file) == message.format(file=file)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert refusal(file=tmp_path / "no.toml") == (
        f"--config: cannot read {tmp_path}/no.toml: No such file or directory"
    )
