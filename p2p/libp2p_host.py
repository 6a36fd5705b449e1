"""The py-libp2p host of a node: TCP, Noise and Yamux, and nothing else.

It owns the host's options, the names on the wire and the check that a port is free. Invariant:
every connection is authenticated by Noise; each limit of the library is set here.
Source: WP II.A (peer-to-peer layer); libp2p specifications (Noise, Yamux)
"""

import errno
import logging
import socket
from dataclasses import dataclass
from typing import Any, Final

import trio
from libp2p import new_host
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.crypto.keys import KeyPair
from libp2p.crypto.x25519 import create_new_key_pair as create_noise_key
from libp2p.custom_types import TProtocol
from libp2p.network.config import ConnectionConfig, RetryConfig
from libp2p.peer.id import ID
from libp2p.rcmgr.manager import ResourceLimits, ResourceManager
from libp2p.security.noise.transport import PROTOCOL_ID as NOISE
from libp2p.security.noise.transport import Transport as NoiseTransport
from libp2p.stream_muxer.yamux.yamux import PROTOCOL_ID as YAMUX
from multiaddr import Multiaddr

from p2p.hardening import SafeYamux, contain_handlers, install_safe_yamux, install_watched_streams
from p2p.interface import PROTOCOLS, TOPIC_SIZES_MAX, PeerId
from p2p.libp2p_speed import install_speed_patches

SPARE_CONNECTIONS: Final = 16
STREAMS_MAX: Final = 4_000
NEGOTIATE_S: Final = 10
UPGRADE_S: Final = 8.0


class NetworkStartError(Exception):
    """The network cannot start; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class WireNames:
    """Protocol and topic names that carry the genesis hash, so that networks never mix.

    Only the status handshake has one name everywhere: in it two nodes tell each other which chain
    they are on, and so can say why they part.
    """

    genesis_hash: bytes

    def protocol(self, name: str) -> str:
        """The protocol id of a protocol name."""
        assert name in PROTOCOLS, name
        return "/flock/status/1" if name == "status" else self._path(name)

    def topic(self, name: str) -> str:
        """The topic on the wire of a topic name."""
        assert name in TOPIC_SIZES_MAX, name
        return self._path(name)

    def topics(self) -> dict[str, tuple[str, int]]:
        """Topic on the wire to its name and size limit."""
        return {self.topic(name): (name, size) for name, size in TOPIC_SIZES_MAX.items()}

    def _path(self, name: str) -> str:
        return f"/flock/{self.genesis_hash[:4].hex()}/{name}/1"


def peer_id_of(seed: bytes) -> PeerId:
    """The peer id of a node key."""
    return PeerId(str(ID.from_pubkey(create_new_key_pair(seed).public_key)))


def build_host(seed: bytes, peers_max: int) -> Any:
    """A host with the key of `seed`, every repair and limit in place, not yet running."""
    install_safe_yamux()
    install_watched_streams()
    install_speed_patches()
    # The library reports the mishaps of single peers as errors; this package logs what matters.
    logging.getLogger("libp2p").setLevel(logging.CRITICAL)
    key: KeyPair = create_new_key_pair(seed)
    noise = NoiseTransport(key, noise_privkey=create_noise_key().private_key)
    host: Any = new_host(
        key_pair=key,
        connection_config=_connection_limits(peers_max),
        resource_manager=_resource_limits(peers_max),
        negotiate_timeout=NEGOTIATE_S,
        sec_opt={TProtocol(NOISE): noise},
        muxer_opt={TProtocol(YAMUX): SafeYamux},
        disable_identify_address_discovery=True,
    )
    network = host.get_network()
    network.retry_config = RetryConfig(max_retries=0)
    # The library dials whoever it ever heard of, banned peers too; here `Dialer` decides.
    network.auto_connector.maybe_connect = trio.lowlevel.checkpoint
    contain_handlers(host)
    return host


def parse_listen_addresses(addresses: tuple[str, ...]) -> list[Multiaddr]:
    """Listen addresses as multiaddresses. Raises: NetworkStartError: not /ip4 or /ip6, /tcp."""
    parsed: list[Multiaddr] = []
    for text in addresses:
        parts = text.split("/")
        if len(parts) != 5 or parts[1] not in ("ip4", "ip6") or parts[3] != "tcp":
            raise NetworkStartError(f"listen address {text!r} is not /ip4/<address>/tcp/<port>")
        try:
            parsed.append(Multiaddr(text))
        except ValueError as error:
            raise NetworkStartError(f"listen address {text!r} is malformed: {error}") from error
    return parsed


def check_ports_are_free(addresses: tuple[str, ...]) -> None:
    """Check ports before the library binds them: it shares a port with whoever allows it.

    Raises: NetworkStartError: in use, or not ours to bind.
    """
    for text in addresses:
        _, version, ip, _, port = text.split("/")
        family = socket.AF_INET6 if version == "ip6" else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((ip, int(port)))
                probe.listen(1)
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    message = f"port {port} is in use: choose another with --port"
                else:
                    message = f"cannot listen on {text}: {error.strerror}"
                raise NetworkStartError(message) from error


def _connection_limits(peers_max: int) -> ConnectionConfig:
    return ConnectionConfig(
        max_connections=peers_max + SPARE_CONNECTIONS,
        min_connections=0,
        low_watermark=0,
        high_watermark=peers_max,
        max_connections_per_peer=2,
        inbound_upgrade_timeout=UPGRADE_S,
        outbound_upgrade_timeout=UPGRADE_S,
    )


def _resource_limits(peers_max: int) -> ResourceManager:
    connections_max = 2 * (peers_max + SPARE_CONNECTIONS)
    return ResourceManager(
        limits=ResourceLimits(max_connections=connections_max, max_streams=STREAMS_MAX),
        # It shrinks its limits when they are reached, and never grows them again.
        enable_graceful_degradation=False,
        enable_circuit_breaker=False,
        enable_memory_limits=False,
        enable_metrics=False,
    )
