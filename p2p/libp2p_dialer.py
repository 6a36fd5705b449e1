"""Whom to dial, and when: the address book and the loop that keeps us connected.

It owns the known addresses and the back-off of each peer. Invariant: while a known peer that is
neither connected nor banned exists and outbound peers are too few, one is dialled after its
back-off; bootnodes are never forgotten.
Source: WP II.A (peer-to-peer layer)
"""

import ipaddress
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

import trio
from libp2p.peer.id import ID
from libp2p.peer.peerinfo import info_from_p2p_addr
from libp2p.rcmgr import Direction
from multiaddr import Multiaddr

BACKOFF_FIRST_S: Final = 0.5
BACKOFF_MAX_S: Final = 10.0
DIAL_S: Final = 10.0
DIALS_MAX: Final = 4
KNOWN_MAX: Final = 512
ADDRESSES_PER_PEER_MAX: Final = 4
FAILURES_MAX: Final = 8
"""Dials in a row that fail before a peer that is no bootnode is forgotten."""
ADDRESS_SIZE_MAX: Final = 256

logger = logging.getLogger(__name__)


class AddressError(ValueError):
    """A multiaddress cannot be dialled; the message says which and why."""


@dataclass
class Known:
    """A peer that may be dialled."""

    peer: ID
    is_bootnode: bool
    addresses: list[Multiaddr] = field(default_factory=list)
    failures: int = 0
    due_at: float = 0.0
    """Trio time before which it is not dialled."""
    is_dialling: bool = False


class Dialer:
    """Dials known peers until enough outbound connections stand."""

    def __init__(
        self,
        host: Any,
        is_banned: Callable[[str], bool],
        start_task: Callable[[Callable[[], Awaitable[None]], str], None],
        outbound_wanted: int,
        prng: Random,
    ) -> None:
        self._host = host
        self._is_banned = is_banned
        self._start_task = start_task
        self._outbound_wanted = outbound_wanted
        self._prng = prng
        self._known: dict[ID, Known] = {}
        self._changed = trio.Event()

    def add_bootnode(self, address: str) -> None:
        """Know a bootnode for ever. Raises: AddressError."""
        peer, target = parse_address(address)
        self._add(peer, target, is_bootnode=True)

    def learn(self, ip: str, owner: str | None, addresses: list[str]) -> None:
        """Know addresses a peer at `ip` told, its own if `owner` is given; bad ones are skipped.

        An unspecified address stands for the one we see; loopback is believed only of loopback.
        """
        for text in addresses:
            try:
                peer, target = parse_address(text)
            except AddressError:
                continue
            if owner is not None and str(peer) != owner:
                continue
            resolved = _resolve(target, ip)
            if resolved is not None:
                self._add(peer, resolved, is_bootnode=False)

    def on_lost(self, peer: str, *, was_admitted: bool) -> None:
        """A connection ended: dial again soon if the peer was good, later if not."""
        known = self._known.get(ID.from_string(peer))
        if known is not None:
            self._back_off(known, failures=0 if was_admitted else known.failures + 1)

    def addresses_of(self, peers: list[str]) -> list[str]:
        """One known address of each of `peers`, with its id."""
        told: list[str] = []
        for peer in peers:
            known = self._known.get(ID.from_string(peer))
            if known is not None and known.addresses:
                told.append(f"{known.addresses[0]}/p2p/{peer}")
        return told

    async def run(self) -> None:
        """Dial for ever."""
        while True:
            due = self._due()
            for known in due[: max(0, DIALS_MAX - self._dialling())]:
                known.is_dialling = True
                self._start_task(lambda known=known: self._dial(known), "dial")  # type: ignore[misc]
            self._changed = trio.Event()
            with trio.move_on_after(self._wait_s()):
                await self._changed.wait()

    def _due(self) -> list[Known]:
        if self._outbound() + self._dialling() >= self._outbound_wanted:
            return []
        now = trio.current_time()
        due = [known for known in self._candidates() if known.due_at <= now]
        self._prng.shuffle(due)
        return due

    def _wait_s(self) -> float:
        now = trio.current_time()
        dates = [known.due_at for known in self._candidates() if known.due_at > now]
        return max(0.05, min(min(dates, default=now + 1.0) - now, 1.0))

    def _candidates(self) -> list[Known]:
        network = self._host.get_network()
        return [
            known
            for known in self._known.values()
            if not known.is_dialling
            and not network.get_connections(known.peer)
            and not self._is_banned(str(known.peer))
        ]

    def _outbound(self) -> int:
        connections = self._host.get_network().get_connections_map().values()
        return sum(
            any(conn.direction == Direction.OUTBOUND for conn in group) for group in connections
        )

    def _dialling(self) -> int:
        return sum(known.is_dialling for known in self._known.values())

    async def _dial(self, known: Known) -> None:
        network = self._host.get_network()
        try:
            for address in list(known.addresses):
                with trio.move_on_after(DIAL_S), suppress(Exception):
                    await network.dial_addr(address, known.peer)
                    return
            logger.debug("peer %s cannot be dialled at %s", known.peer, known.addresses)
            self._fail(known)
        finally:
            known.is_dialling = False
            self._changed.set()

    def _fail(self, known: Known) -> None:
        if known.failures >= FAILURES_MAX and not known.is_bootnode:
            self._known.pop(known.peer, None)
        else:
            self._back_off(known, failures=known.failures + 1)

    def _back_off(self, known: Known, failures: int) -> None:
        known.failures = failures
        delay = min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2 ** min(failures, 8))
        known.due_at = trio.current_time() + delay * self._prng.uniform(0.5, 1.0)
        self._changed.set()

    def _add(self, peer: ID, address: Multiaddr, *, is_bootnode: bool) -> None:
        if peer == self._host.get_id():
            return
        known = self._known.get(peer)
        if known is None:
            if len(self._known) >= KNOWN_MAX and not is_bootnode:
                return
            known = self._known[peer] = Known(peer, is_bootnode)
            self._changed.set()
        known.is_bootnode = known.is_bootnode or is_bootnode
        if address not in known.addresses:
            known.addresses.insert(0, address)
            del known.addresses[ADDRESSES_PER_PEER_MAX:]


def parse_address(text: str) -> tuple[ID, Multiaddr]:
    """The peer id and the address before it of `/ip4/../tcp/../p2p/<id>`. Raises: AddressError."""
    try:
        if len(text) > ADDRESS_SIZE_MAX:
            raise AddressError(f"address of {len(text)} characters")
        info = info_from_p2p_addr(Multiaddr(text))
        names = [protocol.name for protocol in info.addrs[0].protocols()]
    except AddressError:
        raise
    except Exception as error:
        raise AddressError(f"{text!r} is no peer address: {error}") from error
    if (
        len(names) != 2
        or names[0] not in ("ip4", "ip6", "dns", "dns4", "dns6")
        or names[1] != "tcp"
    ):
        raise AddressError(f"{text!r} is not /ip4, /ip6 or /dns, then /tcp, then /p2p")
    return info.peer_id, info.addrs[0]


def _resolve(address: Multiaddr, seen_ip: str) -> Multiaddr | None:
    _, name, host, _, port = str(address).split("/")
    if not name.startswith("ip") or not seen_ip:
        return address
    ip, seen = ipaddress.ip_address(host), ipaddress.ip_address(seen_ip)
    if ip.is_unspecified:
        return Multiaddr(f"/ip{seen.version}/{seen_ip}/tcp/{port}")
    if (ip.is_loopback and not seen.is_loopback) or ip.is_multicast:
        return None
    return address
