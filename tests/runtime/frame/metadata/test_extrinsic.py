"""The table of signed extensions agrees with what extrinsics carry.

Source: Substrate `frame_system::extensions`.
"""

from __future__ import annotations

from runtime.frame.extrinsic import Additional, Extra
from runtime.frame.metadata.extrinsic import SIGNED_EXTENSIONS
from runtime.primitives.scale import shape_of
from runtime.primitives.scale.shape import UNIT, Composite


def test_names_in_order() -> None:
    assert [item.identifier for item in SIGNED_EXTENSIONS] == [
        "CheckNonZeroSender",
        "CheckSpecVersion",
        "CheckTxVersion",
        "CheckGenesis",
        "CheckMortality",
        "CheckNonce",
        "CheckWeight",
        "ChargeTransactionPayment",
        "CheckMetadataHash",
    ]


def test_explicit_data_is_extra() -> None:
    extra = shape_of(Extra)
    assert isinstance(extra, Composite)
    sent = [
        member.shape
        for item in SIGNED_EXTENSIONS
        if isinstance(item.explicit, Composite)
        for member in item.explicit.fields
    ]
    assert sent == [member.shape for member in extra.fields]


def test_implied_data_is_additional() -> None:
    additional = shape_of(Additional)
    assert isinstance(additional, Composite)
    implied = [item.implied for item in SIGNED_EXTENSIONS if item.implied != UNIT]
    assert implied == [member.shape for member in additional.fields]
