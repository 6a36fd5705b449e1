"""Messages that are read, and those that are refused before any method runs."""

from __future__ import annotations

import pytest

from flockchain.rpc.errors import RpcError
from flockchain.rpc.jsonrpc import BATCH_MAX, DEPTH_MAX, Request, read_document, read_request

OK = b'{"jsonrpc":"2.0","id":1,"method":"m"'


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (OK + b"}", Request(1, "m", None, False)),
        (OK + b',"params":null}', Request(1, "m", None, False)),
        (OK + b',"params":[1,null]}', Request(1, "m", [1, None], False)),
        (OK + b',"params":{"a":1}}', Request(1, "m", {"a": 1}, False)),
        (b'{"jsonrpc":"2.0","id":"Rm30","method":"m"}', Request("Rm30", "m", None, False)),
        (b'{"jsonrpc":"2.0","id":null,"method":"m"}', Request(None, "m", None, False)),
        (b'{"jsonrpc":"2.0","id":-7,"method":"m"}', Request(-7, "m", None, False)),
        (b'{"jsonrpc":"2.0","method":"m"}', Request(None, "m", None, True)),
    ],
)
def test_requests_are_read_as_clients_send_them(raw: bytes, expected: Request) -> None:
    assert read_request(read_document(raw)) == expected


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", -32700),
        (b"{", -32700),
        (b"nonsense", -32700),
        (OK + b',"params":[NaN]}', -32700),
        (OK + b',"params":[Infinity]}', -32700),
        (OK + b',"params":[1,]}', -32700),
        (b'"\xff"', -32700),
        (b"\xef\xbb\xbf{}", -32700),
        (b"null", -32600),
        (b"1", -32600),
        (b"{}", -32600),
        (b'{"jsonrpc":"1.0","id":1,"method":"m"}', -32600),
        (b'{"id":1,"method":"m"}', -32600),
        (b'{"jsonrpc":"2.0","id":1}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":7}', -32600),
        (b'{"jsonrpc":"2.0","id":true,"method":"m"}', -32600),
        (b'{"jsonrpc":"2.0","id":1.5,"method":"m"}', -32600),
        (b'{"jsonrpc":"2.0","id":[1],"method":"m"}', -32600),
        (b'{"jsonrpc":"2.0","id":"' + b"x" * 257 + b'","method":"m"}', -32600),
        (OK + b',"params":"text"}', -32600),
        (b"[]", -32600),
        (b"[" + b",".join([OK + b"}"] * (BATCH_MAX + 1)) + b"]", -32010),
        (b"[" * (DEPTH_MAX + 1) + b"]" * (DEPTH_MAX + 1), -32600),
        (b"[" * 500_000 + b"]" * 500_000, -32600),
        (b"[" + b"[]," * 5_000_000, -32600),
        (b'{"a":' * 100_000, -32600),
        (b'"' + b"x" * (15 * 1024 * 1024) + b'"', -32007),
    ],
    ids=lambda value: value[:24].decode("latin1") if isinstance(value, bytes) else str(value),
)
def test_what_breaks_a_rule_is_refused(raw: bytes, code: int) -> None:
    with pytest.raises(RpcError) as refused:
        read_request(read_document(raw))
    assert refused.value.code == code


def test_the_deepest_and_the_longest_that_are_allowed() -> None:
    read_document(b"[" * DEPTH_MAX + b"]" * DEPTH_MAX)
    assert len(read_document(b"[" + b",".join([b"1"] * BATCH_MAX) + b"]")) == BATCH_MAX
