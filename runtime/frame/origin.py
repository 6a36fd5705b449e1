"""Who dispatches a call.

Source: Substrate `frame_system::RawOrigin`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeAlias

from runtime.frame.errors import BadOrigin
from runtime.primitives.record import record
from runtime.primitives.types import AccountId

if TYPE_CHECKING:
    from runtime.frame.call import RuntimeCall

CallFilter: TypeAlias = "Callable[[RuntimeCall], bool]"


@record
class Origin:
    """A signer when `who` is set; else root, or nobody (inherents, unsigned extrinsics).

    `filters` say which calls it may make; whoever acts for another adds its own and keeps the rest.
    """

    who: AccountId | None
    is_root: bool = False
    filters: tuple[CallFilter, ...] = ()

    def allows(self, call: RuntimeCall) -> bool:
        """Whether every filter lets the call through."""
        return all(allowed(call) for allowed in self.filters)

    def acting_as(self, who: AccountId, *filters: CallFilter) -> Origin:
        """The same restrictions and these, as another account."""
        return Origin(who, filters=(*self.filters, *filters))


ROOT: Final = Origin(None, is_root=True)
NONE: Final = Origin(None)


def signed(who: AccountId) -> Origin:
    """The origin of a signed extrinsic."""
    return Origin(who)


def ensure_signed(origin: Origin) -> AccountId:
    """The signer. Raises BadOrigin for root and nobody."""
    if origin.who is None:
        raise BadOrigin
    return origin.who


def ensure_root(origin: Origin) -> None:
    """Raises BadOrigin for anyone but root."""
    if not origin.is_root:
        raise BadOrigin


def ensure_none(origin: Origin) -> None:
    """Raises BadOrigin for signers and root."""
    if origin.who is not None or origin.is_root:
        raise BadOrigin
