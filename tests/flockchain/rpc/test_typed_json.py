"""Values of the chain as plain JSON."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from flockchain.rpc.typed_json import to_json
from runtime.economy.tasks import Funding, Role, SelfFunded, Verified
from runtime.frame.weights import Weight
from runtime.pallets.arena.events import SubmissionCommitted, SubmissionRevealed, TaskCompleted
from runtime.pallets.arena.records import Account, GivenScore, NoData, PaymentKind, Score
from runtime.primitives.content_id import cid_text
from runtime.primitives.era import Era
from runtime.primitives.rational import Rational
from runtime.primitives.types import U8, U32, U64, AccountId, Balance, CompactU32, Hash

WHO = AccountId(bytes(32))
ADDRESS = "5C4hrfjw9DjXZTzV3MwzrrAr9P1MJhSrvWGWqi1eSuyUpnhM"


@pytest.mark.parametrize(
    ("tp", "value", "expected"),
    [
        (bool, True, True),
        (str, "ü", "ü"),
        (U8, 255, 255),
        (U32, 2**32 - 1, 2**32 - 1),
        (U64, 7, "7"),
        (Balance, 10**27, "1000000000000000000000000000"),
        (CompactU32, 9, 9),
        (AccountId, WHO, ADDRESS),
        (Hash, Hash(b"\1" * 32), "0x" + "01" * 32),
        (bytes, b"\1\2", "0x0102"),
        (list[U8], [1, 2], [1, 2]),
        (tuple[U8, AccountId], (1, WHO), [1, ADDRESS]),
        (Balance | None, None, None),
        (Balance | None, 5, "5"),
        (Rational, Rational(17, 20), "17/20"),
        (Role, Role.TRAINING_NODE, "trainingNode"),
        (PaymentKind, PaymentKind.REWARD_A, "rewardA"),
        (Funding, Verified(), "verified"),
        (Funding, SelfFunded(10**20), {"selfFunded": {"budget": "100000000000000000000"}}),
        (GivenScore, GivenScore(1, NoData()), {"submission": 1, "verdict": "noData"}),
        (GivenScore, GivenScore(1, Score(9)), {"submission": 1, "verdict": {"score": 9}}),
        (Weight, Weight(1, 2), {"refTime": "1", "proofSize": "2"}),
    ],
)
def test_values(tp: Any, value: object, expected: object) -> None:
    answer = to_json(tp, value)
    assert answer == expected
    assert orjson.loads(orjson.dumps(answer)) == expected


def test_content_ids_are_told_from_hashes_by_their_names() -> None:
    digest = b"\7" * 32
    sealed = SubmissionCommitted(1, 2, Account(WHO), Hash(digest))
    assert to_json(SubmissionCommitted, sealed) == {
        "task": 1,
        "submission": 2,
        "submitter": {"account": ADDRESS},
        "seal": "0x" + digest.hex(),
    }
    opened: Any = to_json(
        SubmissionRevealed, SubmissionRevealed(1, 2, Account(WHO), digest, digest, 3)
    )
    assert (opened["content"], opened["sizeBytes"]) == (cid_text(digest), "3")
    assert to_json(TaskCompleted, TaskCompleted(1, None)) == {"task": 1, "content": None}


def test_what_has_no_json_form_is_refused() -> None:
    with pytest.raises(TypeError, match="has no JSON form"):
        to_json(Era, object())
