"""Whom a gateway connects to: machines of the public internet, unless its owner says otherwise.

Anybody can host, and a host writes its endpoint; without this rule a call could be sent to a
router, a database or a cloud's metadata beside the caller. Owns the rule which addresses are
public. It is asked for the very address that a socket is made for, after names are resolved, so a
name that resolves otherwise the next time gains nothing.
Source: WP III.B.2 (callers reach hosts); the registries of RFC 6890, and RFC 6052, 8215 and 3056
for IPv4 within IPv6.
"""

from __future__ import annotations

import errno
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

from aiohttp import AddrInfoType

_TRANSLATED: Final = IPv6Network("64:ff9b::/96")
_LOCALLY_TRANSLATED: Final = IPv6Network("64:ff9b:1::/48")  # where the IPv4 stands is its network's
_COMPATIBLE: Final = IPv6Network("::/96")  # long out of use; some systems still follow it


class PrivateAddress(OSError):
    """A host's endpoint leads to an address that is not public."""


def is_public(address: str) -> bool:
    """Whether an address is of the public internet; one that cannot be read is not."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address):
        if found.is_site_local or found in _LOCALLY_TRANSLATED:
            return False
        embedded = _embedded(found)
        if embedded is not None:
            return is_public(str(embedded))
    return found.is_global and not found.is_multicast and not found.is_reserved


def _embedded(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that packets to this one may be carried on to."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _TRANSLATED or address in _COMPATIBLE:
        return IPv4Address(address.packed[-4:])
    return None


def public_socket(info: AddrInfoType) -> socket.socket:
    """A socket for an address that was resolved. Raises PrivateAddress for one that is not public.

    aiohttp asks for each address that it is about to connect to, also one that stands in the URL.
    """
    family, kind, protocol, _, place = info
    address = str(place[0])
    if not is_public(address):
        refusal = f"{address} is no public address; --allow-private lets it pass"
        raise PrivateAddress(errno.EACCES, refusal)
    return socket.socket(family, kind, protocol)
