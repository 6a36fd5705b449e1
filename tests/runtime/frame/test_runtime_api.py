"""Runtime APIs: dispatch by name, SCALE in and out.

Source: Substrate `sp_api`.
"""

from __future__ import annotations

import pytest

from runtime.frame.api_types import ApplyExtrinsicResult, OpaqueExtrinsic
from runtime.frame.dispatch_error import TokenValue
from runtime.frame.errors import TokenErrorKind
from runtime.frame.result import Err, Ok
from runtime.frame.runtime_api import (
    UnknownApiMethod,
    api_versions,
    apis_of,
    call,
    method_of,
    runtime_api,
)
from runtime.primitives.scale import DecodeError
from runtime.primitives.types import U32, AccountId, Nonce


@runtime_api("Core", version=5)
class Core:
    """Blocks."""

    def version(self) -> U32:
        """The version."""
        return 9

    def execute(self, extrinsics: list[OpaqueExtrinsic]) -> None:
        """Run them."""
        assert extrinsics == [b"\x08\x04\x00"]

    def apply(self, length: U32) -> ApplyExtrinsicResult:
        """Apply one."""
        return Ok(Ok(None)) if length else Ok(Err(TokenValue(TokenErrorKind.FROZEN)))

    def _hidden(self) -> U32:
        return 0


@runtime_api("AccountNonceApi", version=1)
class AccountNonceApi:
    """Nonces."""

    def __init__(self, nonces: dict[AccountId, int]) -> None:
        self.nonces = nonces

    def account_nonce(self, account: AccountId) -> Nonce:
        """The next one."""
        return self.nonces[account]


class Api(Core, AccountNonceApi):
    """Both."""


ALICE = AccountId(b"\1" * 32)
API = Api({ALICE: 258})


def test_dispatch_decodes_and_encodes() -> None:
    assert call(API, "AccountNonceApi_account_nonce", ALICE) == b"\2\1\0\0"
    assert call(API, "Core_version", b"") == b"\x09\0\0\0"


def test_no_result_is_no_bytes() -> None:
    assert call(API, "Core_execute", b"\x04\x08\x04\x00") == b""


def test_results() -> None:
    assert call(API, "Core_apply", b"\1\0\0\0") == b"\0\0"
    assert call(API, "Core_apply", b"\0\0\0\0") == b"\0\1\x07\x05"


@pytest.mark.parametrize(
    "name", ["Core_nothing", "Other_version", "Core__hidden", "version", "AccountNonceApi___init__"]
)
def test_unknown_methods(name: str) -> None:
    with pytest.raises(UnknownApiMethod, match=f"^Exported method {name} is not found$"):
        call(API, name, b"")


@pytest.mark.parametrize("data", [b"", ALICE[:31], ALICE + b"\0"])
def test_bad_arguments(data: bytes) -> None:
    with pytest.raises(DecodeError):
        call(API, "AccountNonceApi_account_nonce", data)


def test_an_object_has_the_apis_it_inherits() -> None:
    assert [(api.name, api.version) for api in apis_of(Api)] == [
        ("Core", 5),
        ("AccountNonceApi", 1),
    ]
    assert apis_of(int) == ()


def test_ids_are_those_of_substrate() -> None:
    assert api_versions(apis_of(Api)) == [
        (bytes.fromhex("df6acb689907609b"), 5),
        (bytes.fromhex("bc9d89904f5b923f"), 1),
    ]


def test_a_method_is_found_by_its_function() -> None:
    name, method = method_of(Core.apply)
    assert (name, method.name) == ("Core_apply", "apply")
    assert method.arguments_codec.encode((7,)) == b"\7\0\0\0"
    with pytest.raises(LookupError, match="is no method of a runtime API"):
        method_of(test_a_method_is_found_by_its_function)
