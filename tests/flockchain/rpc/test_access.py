"""Hosts, origins and trust: what a web page, a stranger and a local program may do."""

from __future__ import annotations

import re

import pytest

from flockchain.rpc.access import Access, AccessError, MethodPolicy

LOCAL = Access()
EXTERNAL = Access(is_external=True, hosts=("rpc.flock.example",))


@pytest.mark.parametrize(
    ("host", "local", "external"),
    [
        ("localhost", True, True),
        ("localhost:9944", True, True),
        ("LOCALHOST:9944", True, True),
        ("127.0.0.1:9944", True, True),
        ("127.9.9.9", True, True),
        ("[::1]:9944", True, True),
        ("[::ffff:127.0.0.1]", True, True),
        ("rpc.flock.example", False, True),
        ("rpc.flock.example:443", False, True),
        ("192.0.2.7:9944", False, True),
        ("0.0.0.0:9944", False, True),
        ("[2001:db8::1]:9944", False, True),
        (None, False, False),
        ("", False, False),
        ("attacker.example", False, False),
        ("attacker.example:9944", False, False),
        ("localhost.attacker.example", False, False),
        ("localhost.", False, False),
        ("127.0.0.1.attacker.example", False, False),
        ("127.1", False, False),
        ("2130706433", False, False),
        ("0x7f.0.0.1", False, False),
        ("localhost:9944:1", False, False),
        ("user@localhost", False, False),
        ("localhost/..", False, False),
        ("localhost\n", False, False),
        ("[::1", False, False),
        ("a" * 600, False, False),
    ],
)
def test_hosts_that_dns_decides_are_refused(host: str | None, local: bool, external: bool) -> None:
    assert LOCAL.is_host_allowed(host) is local
    assert EXTERNAL.is_host_allowed(host) is external


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        (None, True),
        ("http://localhost", True),
        ("http://localhost:3000", True),
        ("https://127.0.0.1:8443", True),
        ("https://polkadot.js.org", True),
        ("HTTPS://POLKADOT.JS.ORG", True),
        ("null", False),
        ("", False),
        ("https://attacker.example", False),
        ("https://polkadot.js.org.attacker.example", False),
        ("https://polkadot.js.org:8443", False),
        ("http://polkadot.js.org", False),
        ("http://localhost.attacker.example", False),
        ("http://localhost:3000.attacker.example", False),
        ("http://localhost:3000@attacker.example", False),
        ("http://127.0.0.2:80", False),
        ("file://", False),
        ("chrome-extension://abcdef", False),
    ],
)
def test_pages_of_foreign_origins_are_refused(origin: str | None, expected: bool) -> None:
    assert LOCAL.is_origin_allowed(origin) is expected
    assert Access(origins=None).is_origin_allowed(origin) is True


@pytest.mark.parametrize("policy", list(MethodPolicy))
@pytest.mark.parametrize("is_external", [False, True])
@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "192.0.2.7", None])
@pytest.mark.parametrize("origin", [None, "http://localhost:3000", "https://polkadot.js.org"])
@pytest.mark.parametrize("is_forwarded", [False, True])
def test_only_programs_of_this_machine_are_trusted(
    policy: MethodPolicy,
    is_external: bool,
    peer: str | None,
    origin: str | None,
    is_forwarded: bool,
) -> None:
    access = Access(policy, is_external)
    is_here = peer in ("127.0.0.1", "::1", "::ffff:127.0.0.1")
    is_own = origin in (None, "http://localhost:3000")
    expected = {
        MethodPolicy.SAFE: False,
        MethodPolicy.UNSAFE: True,
        MethodPolicy.AUTO: is_here and is_own and not is_external and not is_forwarded,
    }[policy]
    assert access.is_trusted(peer, origin, is_forwarded=is_forwarded) is expected


def test_every_page_may_not_have_unsafe_methods() -> None:
    message = (
        "--rpc-cors all together with --rpc-methods unsafe would let every web page use unsafe "
        "methods: name the origins, or use --rpc-methods auto"
    )
    with pytest.raises(AccessError, match=re.escape(message)):
        Access(MethodPolicy.UNSAFE, origins=None)


@pytest.mark.parametrize("origin", ["*", "example.org", "https://", "https://a/b", "https://a b"])
def test_an_origin_that_is_none_is_named(origin: str) -> None:
    with pytest.raises(AccessError, match="is no origin such as https://host:port"):
        Access(origins=(origin,))
