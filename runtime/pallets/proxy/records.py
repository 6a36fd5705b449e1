"""What proxy keeps and tells: kinds of proxies, announcements, events, errors, pure accounts.

Source: Substrate `pallet_proxy`; WP II.B (operators).
"""

from __future__ import annotations

import enum
from typing import Annotated, Final

from runtime import frame
from runtime.frame.dispatch_error import DispatchResult
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.scale import Limit, codec_of, scale_enum
from runtime.primitives.types import U16, U32, AccountId, Balance, BlockNumber, Hash

PROXIES_MAX: Final = 32
PENDING_MAX: Final = 32
DERIVATION: Final = b"modlpy/proxy____"  # Substrate's, so that tools compute the same accounts


@scale_enum("flockchain_runtime::ProxyType")
class ProxyType(enum.Enum):
    """What a proxy may do; `runtime.proxy_filters` says it call by call. Never renumber."""

    Any = 0
    NonTransfer = 1
    Governance = 2
    Staking = 3
    TaskValidation = 4
    Training = 5
    CancelProxy = 6
    Alliance = 7

    def is_superset(self, other: ProxyType) -> bool:
        """Whether a proxy of this kind may make and remove ones of the other."""
        return self is ProxyType.Any or self is other


@frame.scale_type
class ProxyDefinition:
    """Who may act, as what, and how many blocks after announcing it; 0: at once."""

    delegate: AccountId
    proxy_type: ProxyType
    delay: BlockNumber

    def order(self) -> tuple[bytes, int, int]:
        """By which an account's proxies are sorted."""
        return self.delegate, self.proxy_type.value, self.delay


@frame.scale_type
class Announcement:
    """That a proxy will make a call of this hash for `real`."""

    real: AccountId
    call_hash: Hash
    height: BlockNumber


Proxies = tuple[Annotated[list[ProxyDefinition], Limit(PROXIES_MAX)], Balance]
Announcements = tuple[Annotated[list[Announcement], Limit(PENDING_MAX)], Balance]

_PURE: Final = codec_of(tuple[AccountId, U32, U32, ProxyType, U16])


def pure_account(
    who: AccountId, proxy_type: ProxyType, index: int, height: int, extrinsic: int
) -> AccountId:
    """The account without a key that `who` made, in this extrinsic of this block."""
    entropy = _PURE.encode((who, height, extrinsic, proxy_type, index))
    return AccountId(blake2b_256(DERIVATION + entropy))


@frame.event(0)
class ProxyExecuted:
    """A proxy made a call; `result` is how it went."""

    result: DispatchResult


@frame.event(1)
class PureCreated:
    """An account without a key was made, which `who` acts for."""

    pure: AccountId
    who: AccountId
    proxy_type: ProxyType
    disambiguation_index: U16


@frame.event(2)
class Announced:
    """A proxy announced a call."""

    real: AccountId
    proxy: AccountId
    call_hash: Hash


@frame.event(3)
class ProxyAdded:
    """An account has one more proxy."""

    delegator: AccountId
    delegatee: AccountId
    proxy_type: ProxyType
    delay: BlockNumber


@frame.event(4)
class ProxyRemoved:
    """An account has one proxy less."""

    delegator: AccountId
    delegatee: AccountId
    proxy_type: ProxyType
    delay: BlockNumber


@frame.event(5)
class PureKilled:
    """An account without a key was given up; what it had went to its maker."""

    pure: AccountId
    spawner: AccountId
    proxy_type: ProxyType
    disambiguation_index: U16


class TooMany(frame.ModuleError, index=0):
    """There are as many proxies of the account, or announcements of the proxy, as may be."""


class NotFound(frame.ModuleError, index=1):
    """There is no such proxy or announcement."""


class NotProxy(frame.ModuleError, index=2):
    """The sender is no such proxy of the account."""


class Duplicate(frame.ModuleError, index=4):
    """There is such a proxy, or such an account, already."""


class NoPermission(frame.ModuleError, index=5):
    """The account is no account without a key that was made in this way."""


class Unannounced(frame.ModuleError, index=6):
    """The call was not announced, or too short a while ago."""


class NoSelfProxy(frame.ModuleError, index=7):
    """Nobody is a proxy of itself."""


class FundsHeld(frame.ModuleError, index=8):
    """Something of the account is held, and would be lost. Free stakes and deposits first."""
