"""Parameters of types that are generic in Substrate: some clients look parts up by them.

polkadot.js finds the account id in the first parameter of `MultiAddress` and refuses metadata
without it.

Source: Substrate's type parameters as scale-info records them.
"""

from __future__ import annotations

from typing import Any, Final

from runtime.frame.account import AccountData, AccountInfo
from runtime.frame.events import EventRecord, RuntimeEvent
from runtime.primitives.multi import MultiAddress
from runtime.primitives.scale import shape_of
from runtime.primitives.scale.shape import UNIT, Shape
from runtime.primitives.types import AccountId, Balance, Hash, Nonce

Parameters = tuple[tuple[str, Shape], ...]


def _of(**types: Any) -> Parameters:
    return tuple((name, shape_of(tp)) for name, tp in types.items())


GENERICS: Final[dict[Shape, Parameters]] = {
    shape_of(MultiAddress): (("AccountId", shape_of(AccountId)), ("AccountIndex", UNIT)),
    shape_of(AccountData): _of(Balance=Balance),
    shape_of(AccountInfo): _of(Nonce=Nonce, AccountData=AccountData),
    shape_of(EventRecord): _of(E=RuntimeEvent, T=Hash),
}
