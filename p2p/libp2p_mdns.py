"""Discovery on the local network by multicast DNS; off unless asked for.

It owns one zeroconf service a network, named after the genesis hash. Invariant: nothing found is
trusted: an address is only dialled, and the status handshake decides.
Source: WP II.A (peer-to-peer layer); libp2p mDNS discovery, RFC 6762
"""

import logging
import secrets
import socket
from collections.abc import Callable
from typing import Final

import trio
from zeroconf import ServiceBrowser, ServiceInfo, ServiceListener, Zeroconf

LOOKUP_MS: Final = 2_000
ADDRESSES_MAX: Final = 8

logger = logging.getLogger(__name__)


class LocalDiscovery(ServiceListener):
    """Announces our addresses and hands on those of others, from a thread of zeroconf."""

    def __init__(self, genesis_hash: bytes, on_found: Callable[[list[str]], None]) -> None:
        self._type = f"_flock-{genesis_hash[:4].hex()}._udp.local."
        self._name = f"{secrets.token_hex(8)}.{self._type}"
        self._on_found = on_found

    async def run(self, addresses: list[str]) -> None:
        """Announce and listen until cancelled; without a network it logs that and ends."""
        try:
            zeroconf = await trio.to_thread.run_sync(self._open, addresses)
        except OSError as error:
            logger.warning("no local discovery: %s", error)
            return
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                await trio.to_thread.run_sync(zeroconf.close)

    def add_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        """A node appeared: hand on the addresses it announces."""
        if name == self._name:
            return
        info = zc.get_service_info(type_, name, timeout=LOOKUP_MS)
        if info is None:
            return
        texts = [value.decode("ascii", "ignore") for value in info.properties.values() if value]
        self._on_found(texts[:ADDRESSES_MAX])

    def update_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        """A node changed its addresses."""
        self.add_service(zc, type_, name)

    def remove_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        """A node left; its connections will tell."""

    def _open(self, addresses: list[str]) -> Zeroconf:
        zeroconf = Zeroconf()
        ip = _local_ip()
        own = [address.replace("/0.0.0.0/", f"/{ip}/") for address in addresses[:ADDRESSES_MAX]]
        zeroconf.register_service(
            ServiceInfo(
                self._type,
                self._name,
                addresses=[socket.inet_aton(ip)],
                port=1,
                properties={f"a{number}": text for number, text in enumerate(own)},
            )
        )
        ServiceBrowser(zeroconf, self._type, listener=self)
        return zeroconf


def _local_ip() -> str:
    """Our address towards the local network; no packet is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("224.0.0.251", 5353))
        return str(probe.getsockname()[0])
