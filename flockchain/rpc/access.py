"""Who may call what: hosts, origins, and which methods are safe for the caller.

A web page must not reach a node through the visitor's browser: pages of foreign origins are
refused, and so are host names that could be pointed at the node (DNS rebinding). Unsafe methods
are open only to programs on the same machine, unless the operator says otherwise.

Source: Substrate `--rpc-methods`, `--rpc-external`, `--rpc-cors`; RFC 6454 (origins).
"""

from __future__ import annotations

import enum
import ipaddress
import re
from dataclasses import dataclass
from typing import Final

DEFAULT_ORIGINS: Final = (
    "http://localhost:*",
    "http://127.0.0.1:*",
    "https://localhost:*",
    "https://127.0.0.1:*",
    "https://polkadot.js.org",
)
_HOST: Final = re.compile(r"(?P<name>[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::(?P<port>\d{1,5}))?", re.ASCII)
_ORIGIN: Final = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<host>[^/\s@?#]+)", re.ASCII)
_TEXT_LENGTH_MAX: Final = 512


class AccessError(ValueError):
    """Options that contradict one another; the message says which to change."""


class MethodPolicy(enum.Enum):
    """`--rpc-methods`: AUTO opens unsafe methods to this machine only."""

    AUTO = "auto"
    SAFE = "safe"
    UNSAFE = "unsafe"


@dataclass(frozen=True, slots=True)
class Access:
    """The rules. `origins` None lets every origin in; `hosts` are names beside localhost."""

    methods: MethodPolicy = MethodPolicy.AUTO
    is_external: bool = False
    origins: tuple[str, ...] | None = DEFAULT_ORIGINS
    hosts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.origins is None and self.methods is MethodPolicy.UNSAFE:
            raise AccessError(
                "--rpc-cors all together with --rpc-methods unsafe would let every web page use "
                "unsafe methods: name the origins, or use --rpc-methods auto"
            )
        for origin in self.origins or ():
            if not _ORIGIN.fullmatch(origin.removesuffix(":*").lower()):
                raise AccessError(f"--rpc-cors: {origin!r} is no origin such as https://host:port")

    def is_host_allowed(self, host: str | None) -> bool:
        """Whether the Host header names this machine, and not something that DNS decides."""
        found = _HOST.fullmatch(host.lower()) if host and len(host) <= _TEXT_LENGTH_MAX else None
        if found is None:
            return False
        name = found["name"].strip("[]")
        if name == "localhost" or name in self.hosts:
            return True
        address = _address(name)
        return address is not None and (self.is_external or address.is_loopback)

    def is_origin_allowed(self, origin: str | None) -> bool:
        """Whether a page of that origin may call; programs send none."""
        if origin is None or self.origins is None:
            return True
        text = origin.lower()
        return len(text) <= _TEXT_LENGTH_MAX and any(
            _matches(text, allowed.lower()) for allowed in self.origins
        )

    def is_trusted(self, peer: str | None, origin: str | None, *, is_forwarded: bool) -> bool:
        """Whether unsafe methods are open to a caller.

        `peer` is the address of the connection; behind a proxy that forwards it says nothing.
        """
        if self.methods is not MethodPolicy.AUTO:
            return self.methods is MethodPolicy.UNSAFE
        address = _address(peer or "")
        if self.is_external or is_forwarded or address is None or not address.is_loopback:
            return False
        return origin is None or _is_local(origin)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _matches(origin: str, allowed: str) -> bool:
    if not allowed.endswith(":*"):
        return origin == allowed
    stem = allowed.removesuffix(":*")
    return origin == stem or bool(re.fullmatch(re.escape(stem) + r":\d{1,5}", origin))


def _is_local(origin: str) -> bool:
    found = _ORIGIN.fullmatch(origin.lower())
    host = _HOST.fullmatch(found["host"]) if found else None
    if host is None:
        return False
    name = host["name"].strip("[]")
    address = _address(name)
    return name == "localhost" or (address is not None and address.is_loopback)
