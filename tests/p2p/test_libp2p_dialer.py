"""The address book: what is believed of what peers tell."""

from random import Random
from typing import Any

import pytest
import trio

from p2p.libp2p_dialer import AddressError, Dialer, parse_address
from p2p.libp2p_host import build_host, peer_id_of

OWN, PEER, OTHER = (peer_id_of(bytes([number]) * 32) for number in (1, 2, 3))


def dialer() -> Dialer:
    host: Any = build_host(bytes([1]) * 32, 8)
    return Dialer(host, lambda _key: False, lambda _task, _name: None, 3, Random(1))


def learned(ip: str, owner: str | None, *addresses: str) -> list[str]:
    async def main() -> list[str]:
        book = dialer()
        book.learn(ip, owner, list(addresses))
        return book.addresses_of([PEER, OTHER])

    return trio.run(main)


def test_a_peer_speaks_only_for_itself() -> None:
    mine, foreign = f"/ip4/10.0.0.2/tcp/1/p2p/{PEER}", f"/ip4/10.0.0.3/tcp/1/p2p/{OTHER}"
    assert learned("10.0.0.2", PEER, mine, foreign) == [mine]
    assert learned("10.0.0.2", None, mine, foreign) == [mine, foreign]


def test_unspecified_and_loopback_addresses() -> None:
    anywhere, local = f"/ip4/0.0.0.0/tcp/7/p2p/{PEER}", f"/ip4/127.0.0.1/tcp/7/p2p/{PEER}"
    assert learned("10.0.0.2", PEER, anywhere) == [f"/ip4/10.0.0.2/tcp/7/p2p/{PEER}"]
    assert learned("10.0.0.2", PEER, local) == []
    assert learned("127.0.0.1", PEER, local) == [local]
    assert learned("10.0.0.2", None, f"/ip4/224.0.0.1/tcp/7/p2p/{PEER}") == []


def test_nonsense_and_our_own_address_are_skipped() -> None:
    async def main() -> None:
        book = dialer()
        book.learn("10.0.0.2", None, ["", "x" * 10_000, f"/ip4/1.2.3.4/tcp/1/p2p/{OWN}"])
        book.add_bootnode(f"/ip4/1.2.3.4/tcp/1/p2p/{OWN}")
        assert book.addresses_of([OWN]) == []

    trio.run(main)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "/ip4/1.2.3.4/tcp/1",
        f"/p2p/{PEER}",
        f"/ip4/1.2.3.4/udp/1/p2p/{PEER}",
        f"/ip4/1.2.3.4/tcp/1/ws/p2p/{PEER}",
        f"/ip4/1.2.3.4/tcp/1/p2p/{PEER}x",
    ],
)
def test_malformed_addresses_are_named(text: str) -> None:
    with pytest.raises(AddressError):
        parse_address(text)


def test_names_and_ports_parse() -> None:
    peer, address = parse_address(f"/dns4/node.example/tcp/30333/p2p/{PEER}")
    assert (str(peer), str(address)) == (PEER, "/dns4/node.example/tcp/30333")
