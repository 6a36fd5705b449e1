"""The options of `flockchain node`, by the panel of its help in which they stand.

Owns their texts; `flockchain.config` owns what they mean, and their defaults, since a variable or a
file may give what the command line leaves out. Invariant: a field has the name of its setting.
Source: Substrate `sc_cli::RunCmd`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from flockchain.config import LOG_LEVELS, WORKER_ROLES

_KEYS = "Development keys"
_NETWORK = "Network"
_RPC = "RPC"
_WORKERS = "Workers"


def _shortcut(name: str) -> typer.models.OptionInfo:
    text = f"Be the authority //{name.capitalize()}, as --validator --name {name.capitalize()}."
    option: typer.models.OptionInfo = typer.Option(f"--{name}", help=text, rich_help_panel=_KEYS)
    return option


@dataclass(frozen=True)
class GeneralOptions:
    """What the node is, where its files lie, and what it keeps."""

    chain: Annotated[
        str | None,
        typer.Option(help="A chain spec's file, or dev, local, devnet, mainnet. Default: local."),
    ] = None
    dev: Annotated[
        bool, typer.Option("--dev", help="Run a chain of this node alone, as //Alice.")
    ] = False
    config: Annotated[
        Path | None, typer.Option(help="TOML file of settings; options and variables beat it.")
    ] = None
    validator: Annotated[
        bool, typer.Option("--validator", help="Author and finalize with the keystore's keys.")
    ] = False
    base_path: Annotated[
        Path | None,
        typer.Option(help="Where chains and keys lie. Default: ~/.local/share/flockchain."),
    ] = None
    tmp: Annotated[
        bool, typer.Option("--tmp", help="Use a fresh directory that goes when the node ends.")
    ] = False
    name: Annotated[str | None, typer.Option(help="What the node calls itself.")] = None
    keystore_path: Annotated[
        Path | None, typer.Option(help="Directory of the keys. Default: below the chain's data.")
    ] = None
    password_file: Annotated[
        Path | None, typer.Option(help="File with the keystore's password.")
    ] = None
    state_pruning: Annotated[
        str | None, typer.Option(help="Finalized states to keep, or archive. Default: 256.")
    ] = None
    blocks_pruning: Annotated[
        str | None,
        typer.Option(
            help="Final blocks that keep their extrinsics, or archive-canonical for all of them."
            " Default: archive-canonical."
        ),
    ] = None
    sync: Annotated[
        str | None,
        typer.Option(
            help="full: execute all blocks; warp: a fresh node begins at a proven state."
            " Default: full."
        ),
    ] = None
    seal_interval_ms: Annotated[
        int | None,
        typer.Option(help="With --dev: a block each so many ms; 0, as by default: as needed."),
    ] = None
    pool_limit: Annotated[
        int | None, typer.Option(help="Extrinsics that wait at most. Default: 8192.")
    ] = None
    trie_cache_size: Annotated[
        int | None,
        typer.Option(help="Bytes of the state's trie kept at hand. Default: 268435456 (256 MiB)."),
    ] = None
    execution_ms_max: Annotated[
        int | None, typer.Option(help="Warn when a block took longer. Default: 2000.")
    ] = None
    log_level: Annotated[
        str | None, typer.Option(help=f"{', '.join(LOG_LEVELS)}. Default: info.")
    ] = None


@dataclass(frozen=True)
class KeysOptions:
    """Keys that everybody has, and votes that are on no record."""

    alice: Annotated[bool, _shortcut("alice")] = False
    bob: Annotated[bool, _shortcut("bob")] = False
    charlie: Annotated[bool, _shortcut("charlie")] = False
    dave: Annotated[bool, _shortcut("dave")] = False
    eve: Annotated[bool, _shortcut("eve")] = False
    ferdie: Annotated[bool, _shortcut("ferdie")] = False
    recovery: Annotated[
        bool,
        typer.Option(
            "--recovery",
            help="The record of this node's votes is lost: take over what peers know of them.",
            rich_help_panel=_KEYS,
        ),
    ] = False


@dataclass(frozen=True)
class NetworkOptions:
    """How peers find the node."""

    listen_address: Annotated[
        str | None,
        typer.Option(
            help="IP address that peers reach. Default: 0.0.0.0, 127.0.0.1 on the chain dev.",
            rich_help_panel=_NETWORK,
        ),
    ] = None
    port: Annotated[
        int | None,
        typer.Option(help="Port for peers, 0: any. Default: 30333.", rich_help_panel=_NETWORK),
    ] = None
    bootnodes: Annotated[
        list[str] | None,
        typer.Option(help="Multiaddress of a first peer; repeat it.", rich_help_panel=_NETWORK),
    ] = None
    node_key_file: Annotated[
        Path | None,
        typer.Option(help="32 bytes: the seed of the peer id.", rich_help_panel=_NETWORK),
    ] = None
    peers_max: Annotated[
        int | None, typer.Option(help="Peers at most. Default: 64.", rich_help_panel=_NETWORK)
    ] = None
    mdns: Annotated[
        bool,
        typer.Option("--mdns", help="Find peers in the local network.", rich_help_panel=_NETWORK),
    ] = False


@dataclass(frozen=True)
class RpcOptions:
    """Who may ask the node, and where."""

    rpc_port: Annotated[
        int | None,
        typer.Option(
            help="Port of HTTP and WebSocket, 0: any. Default: 9944.", rich_help_panel=_RPC
        ),
    ] = None
    rpc_methods: Annotated[
        str | None,
        typer.Option(
            help="auto, safe or unsafe; auto opens unsafe methods to this machine only."
            " Default: auto.",
            rich_help_panel=_RPC,
        ),
    ] = None
    rpc_external: Annotated[
        bool,
        typer.Option("--rpc-external", help="Listen on all interfaces.", rich_help_panel=_RPC),
    ] = False
    rpc_cors: Annotated[
        list[str] | None,
        typer.Option(
            help="Origins of web pages that may call, or all. Default: localhost and"
            " https://polkadot.js.org.",
            rich_help_panel=_RPC,
        ),
    ] = None
    rpc_hosts: Annotated[
        list[str] | None,
        typer.Option(help="Host names beside localhost.", rich_help_panel=_RPC),
    ] = None
    rpc_max_connections: Annotated[
        int | None, typer.Option(help="At most. Default: 100.", rich_help_panel=_RPC)
    ] = None
    prometheus_port: Annotated[
        int | None,
        typer.Option(help="Port of the metrics, 0: any. Default: 9615.", rich_help_panel=_RPC),
    ] = None


@dataclass(frozen=True)
class WorkersOptions:
    """What works beside the node."""

    worker: Annotated[
        list[str] | None,
        typer.Option(
            "--worker",
            "--workers",
            help=f"Start and watch workers beside the node: {', '.join(WORKER_ROLES)}.",
            rich_help_panel=_WORKERS,
        ),
    ] = None
    blind_rpc: Annotated[
        str | None,
        typer.Option(
            help="The other node that the trainer's aliases speak to, ws://host:port; without it "
            "this node learns whose they are.",
            rich_help_panel=_WORKERS,
        ),
    ] = None
