"""What a node is told to do: one frozen value, checked once, handed down by constructors.

Owns every setting's default and the rules between settings. Nothing else in the package reads the
environment. Invariant: a NodeConfig that exists is consistent; what the disk or the network may
still refuse is found out by whoever opens it.
Source: Substrate `sc_cli::RunCmd`; the command line's options have the same names.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

from flockchain.rpc.access import DEFAULT_ORIGINS, Access, AccessError, MethodPolicy
from flockchain.settings import ConfigError, Settings, read_toml

KEY_SHORTCUTS: Final = ("alice", "bob", "charlie", "dave", "eve", "ferdie")
WORKER_ROLES: Final = ("trainer", "validator")
_LATER_ROLES: Final = ("fl-client", "aggregator", "host")
LOG_LEVELS: Final = ("error", "warning", "info", "debug")
PORT_MAX: Final = 65_535
DEFAULT_PRUNING: Final = 256
PRUNING_MIN: Final = 16
BLOCKS_KEPT_MIN: Final = 256  # clients look back so far for what they sent
DEFAULT_TRIE_CACHE_BYTES: Final = 256 * 1024 * 1024
TRIE_CACHE_BYTES_MIN: Final = 1024 * 1024
NAME_LENGTH_MAX: Final = 64
_NAMES_MADE: Final = {shortcut: shortcut.capitalize() for shortcut in KEY_SHORTCUTS}


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeConfig:
    """A node's settings. Ports of 0 mean any free one; times are ms, sizes bytes."""

    chain: str
    """A preset's name or the path of a chain spec."""
    dev: bool
    """A chain of one node whose key everybody has."""
    key: str | None
    """The development key whose authority this node is: alice to ferdie."""
    validator: bool
    """Whether the node authors and finalizes with the keys of its keystore."""
    recovery: bool
    """Whether the node's record of its votes is lost: what peers know of them takes its place."""
    base_path: Path | None
    """Where chains and keys lie; None: a fresh directory that goes when the node ends."""
    name: str
    listen_address: str
    port: int
    rpc_port: int
    prometheus_port: int
    bootnodes: tuple[str, ...]
    """Multiaddresses, beside those of the chain spec."""
    mdns: bool
    node_key_file: Path | None
    """None: a file below the base path, made at first start."""
    keystore_path: Path | None
    """None: a directory below the chain's data."""
    password_file: Path | None
    """The keystore's password, on the file's first line."""
    rpc: Access
    """Who may call what; an external one listens on all interfaces."""
    state_pruning: int | None
    """How many finalized states are kept; None: all (archive)."""
    blocks_pruning: int | None
    """How many final blocks keep their extrinsics; None: all (archive-canonical)."""
    sync: str
    """How a fresh node catches up: full executes all blocks, warp begins at a proven state."""
    seal_interval_ms: int | None
    """Blocks without slots, for development: every so often, 0: with each extrinsic."""
    log_level: str
    workers: tuple[str, ...]
    """Worker roles that the node starts and watches beside itself."""
    blind_rpc: str | None
    """The node that the trainer's aliases speak to; None: this one, which then knows them."""
    peers_max: int
    pool_limit: int
    """Extrinsics that wait at most."""
    rpc_max_connections: int
    trie_cache_size: int
    """Bytes of decoded trie nodes that are kept at hand, about."""
    execution_ms_max: int
    """What executing a foreign block may take before the node warns its operator."""


_SWITCHES: Final = ("tmp", "rpc_methods", "rpc_external", "rpc_cors", "rpc_hosts")
SETTING_NAMES: Final = frozenset(item.name for item in fields(NodeConfig)) - {"rpc"} | {*_SWITCHES}
"""What variables and the keys of a file may be named after."""


def load_config(
    command_line: Mapping[str, object],
    environment: Mapping[str, str],
    file: Path | None = None,
) -> NodeConfig:
    """The settings of all places together. Raises: ConfigError.

    `command_line` holds options by name; None means not given.
    """
    values = {} if file is None else read_toml(file, SETTING_NAMES)
    return _read(Settings(command_line, environment, values, "" if file is None else str(file)))


def _read(settings: Settings) -> NodeConfig:
    dev, key = settings.flag("dev"), _read_key(settings)
    if dev and key is None:
        key = "alice"
    chain = _read_chain(settings, dev=dev)
    return NodeConfig(
        chain=chain,
        dev=dev,
        key=key,
        validator=settings.flag("validator") or key is not None,
        recovery=settings.flag("recovery"),
        base_path=_read_base_path(settings, dev=dev),
        name=_read_name(settings, key),
        listen_address=_read_ip(settings, "127.0.0.1" if chain == "dev" else "0.0.0.0"),
        port=settings.integer("port", 30_333, 0, PORT_MAX),
        rpc_port=settings.integer("rpc_port", 9_944, 0, PORT_MAX),
        prometheus_port=settings.integer("prometheus_port", 9_615, 0, PORT_MAX),
        bootnodes=_read_bootnodes(settings),
        mdns=settings.flag("mdns"),
        node_key_file=settings.find_path("node_key_file"),
        keystore_path=settings.find_path("keystore_path"),
        password_file=settings.find_path("password_file"),
        rpc=_read_access(settings),
        state_pruning=_read_pruning(settings),
        blocks_pruning=_read_blocks_pruning(settings),
        sync=_read_sync(settings, dev=dev),
        seal_interval_ms=_read_seal_interval(settings, dev=dev),
        log_level=settings.choice("log_level", "info", LOG_LEVELS),
        workers=_read_workers(settings),
        blind_rpc=_read_blind_rpc(settings),
        peers_max=settings.integer("peers_max", 64, 1, 1_024),
        pool_limit=settings.integer("pool_limit", 8_192, 16, 1_000_000),
        rpc_max_connections=settings.integer("rpc_max_connections", 100, 1, 10_000),
        trie_cache_size=settings.integer(
            "trie_cache_size", DEFAULT_TRIE_CACHE_BYTES, TRIE_CACHE_BYTES_MIN, 2**40
        ),
        execution_ms_max=settings.integer("execution_ms_max", 2_000, 1, 600_000),
    )


def _read_chain(settings: Settings, *, dev: bool) -> str:
    chain = settings.find_text("chain")
    if chain is None:
        return "dev" if dev else "local"
    if dev and chain != "dev":
        raise ConfigError(
            f"{settings.where('chain')}: --dev runs the chain dev; leave one of the two out"
        )
    return chain


def _read_key(settings: Settings) -> str | None:
    return settings.choice("key", "", KEY_SHORTCUTS) if settings.is_given("key") else None


def _read_base_path(settings: Settings, *, dev: bool) -> Path | None:
    path, tmp = settings.find_path("base_path"), settings.flag("tmp")
    if tmp and path is not None:
        raise ConfigError(
            f"{settings.where('base_path')}: --tmp makes a directory of its own; "
            "leave one of the two out"
        )
    if path is None and not tmp and not dev:
        return default_base_path()
    return path


def default_base_path() -> Path:
    """Where chains lie if nobody says otherwise."""
    return Path("~/.local/share/flockchain").expanduser()


def _read_name(settings: Settings, key: str | None) -> str:
    default = "flockchain-node" if key is None else _NAMES_MADE[key]
    name = settings.text("name", default)
    if len(name) > NAME_LENGTH_MAX:
        raise ConfigError(f"{settings.where('name')}: at most {NAME_LENGTH_MAX} characters")
    return name


def _read_ip(settings: Settings, default: str) -> str:
    text = settings.text("listen_address", default)
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise ConfigError(
            f"{settings.where('listen_address')}: {text!r} is no IP address"
        ) from None


def _read_bootnodes(settings: Settings) -> tuple[str, ...]:
    addresses = settings.texts("bootnodes")
    for address in addresses:
        if not address.startswith("/") or "/p2p/" not in address:
            raise ConfigError(
                f"{settings.where('bootnodes')}: {address!r} is no multiaddress with /p2p/<peer id>"
            )
    return addresses


def _read_access(settings: Settings) -> Access:
    methods = MethodPolicy(
        settings.choice("rpc_methods", "auto", [policy.value for policy in MethodPolicy])
    )
    origins: tuple[str, ...] | None = settings.texts("rpc_cors") or DEFAULT_ORIGINS
    if origins == ("all",):
        origins = None
    try:
        return Access(methods, settings.flag("rpc_external"), origins, settings.texts("rpc_hosts"))
    except AccessError as error:
        raise ConfigError(str(error)) from None


def _read_pruning(settings: Settings) -> int | None:
    if settings.is_word("state_pruning", "archive"):
        return None
    return settings.integer("state_pruning", DEFAULT_PRUNING, PRUNING_MIN, 2**31)


def _read_blocks_pruning(settings: Settings) -> int | None:
    given = settings.is_given("blocks_pruning")
    if not given or settings.is_word("blocks_pruning", "archive-canonical"):
        return None
    return settings.integer("blocks_pruning", BLOCKS_KEPT_MIN, BLOCKS_KEPT_MIN, 2**31)


def _read_sync(settings: Settings, *, dev: bool) -> str:
    mode = settings.choice("sync", "full", ("full", "warp"))
    if mode == "warp" and dev:
        raise ConfigError(
            f"{settings.where('sync')}: a --dev chain has nobody to sync from; leave --sync out"
        )
    if mode == "warp" and settings.is_word("state_pruning", "archive"):
        raise ConfigError(
            f"{settings.where('sync')}: an archive keeps every state, a warp sync begins without "
            "the earlier ones; use --sync full, or leave --state-pruning archive out"
        )
    return mode


def _read_seal_interval(settings: Settings, *, dev: bool) -> int | None:
    if not settings.is_given("seal_interval_ms"):
        return 0 if dev else None
    if not dev:
        raise ConfigError(
            f"{settings.where('seal_interval_ms')}: only a --dev node seals blocks without slots"
        )
    return settings.integer("seal_interval_ms", 0, 0, 3_600_000)


def _read_blind_rpc(settings: Settings) -> str | None:
    url = settings.find_text("blind_rpc")
    if url is not None and not url.startswith(("ws://", "wss://")):
        raise ConfigError(f"{settings.where('blind_rpc')}: {url!r} is not ws://host:port")
    return url


def _read_workers(settings: Settings) -> tuple[str, ...]:
    roles = settings.texts("workers")
    for role in roles:
        if role in _LATER_ROLES:
            raise ConfigError(
                f"{settings.where('workers')}: {role} is not built yet: leave it out, or use "
                f"{' or '.join(WORKER_ROLES)}"
            )
        if role not in WORKER_ROLES:
            raise ConfigError(
                f"{settings.where('workers')}: {role!r} is none of {', '.join(WORKER_ROLES)}"
            )
    if len(set(roles)) != len(roles):
        raise ConfigError(f"{settings.where('workers')}: a role is named twice")
    return roles
