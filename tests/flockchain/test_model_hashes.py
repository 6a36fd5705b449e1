"""Model hashes between nodes: forged, replayed, flooding and foreign ones get nowhere."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from flockchain import model_hashes
from flockchain.keys import key_pair_from_uri
from flockchain.model_hash_message import (
    TOPIC,
    ModelHash,
    ModelHashError,
    decode_model_hash,
    encode_model_hash,
    sign_model_hash,
)
from flockchain.model_hashes import ModelHashes, Rates, Surroundings
from p2p.envelope import decode, encode
from p2p.interface import Handlers, PeerId, Verdict
from p2p.memory import MemoryHub
from p2p.memory_node import MemoryNetwork
from runtime.frame.executive import verify_signature
from runtime.primitives.content_id import ContentId
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.multi import Ecdsa, Ed25519
from runtime.primitives.types import AccountId, Hash

GENESIS = Hash(b"\x01" * 32)
ALICE = key_pair_from_uri("//Alice")
BOB = key_pair_from_uri("//Bob", "ed25519")
MALLORY = key_pair_from_uri("//Mallory", "ed25519")
PEER = PeerId("peer1")
RATES = Rates(account_interval_ms=1_000, account_burst=3)
MESSAGE = ModelHash(
    task=4,
    period=9,
    kind="update",
    commitment=b"\x02" * 32,
    content=ContentId(b"\x03" * 32),
    provider=PEER,
    size=1_000,
    account=BOB.account,
)


def numbered(number: int, key: object = BOB) -> ModelHash:
    assert key in (ALICE, BOB, MALLORY)
    account = AccountId(getattr(key, "public"))  # noqa: B009
    return replace(MESSAGE, commitment=number.to_bytes(32, "big"), account=account)


class Rule:
    """One node's rule; Alice and Bob take part in task 4."""

    def __init__(self, rates: Rates = RATES) -> None:
        self.time_ms = 1_000_000
        self.accepted: list[ModelHash] = []
        self.verified = 0
        self.rule = ModelHashes(
            Surroundings(
                genesis=GENESIS,
                clock=self,
                verify=self.verify,
                is_participant=lambda task, who: task == 4 and who in (ALICE.public, BOB.public),
                is_known_provider=lambda peer: peer != "stranger",
                on_accepted=self.accepted.append,
            ),
            rates,
        )

    def now_ms(self) -> int:
        return self.time_ms

    def verify(self, signature: object, who: AccountId, message: bytes) -> bool:
        self.verified += 1
        return verify_signature(signature, who, message)  # type: ignore[arg-type]

    def judge(self, data: bytes, peer: PeerId = PEER) -> Verdict:
        return self.rule.on_gossip(peer, data)


def test_both_schemes_are_accepted_and_told() -> None:
    rule = Rule()
    for key in (ALICE, BOB):
        message = replace(MESSAGE, account=key.account)
        data = sign_model_hash(message, GENESIS, key)
        assert decode_model_hash(data)[0] == message
        assert rule.judge(data) is Verdict.ACCEPT
        assert rule.accepted[-1] == message
    without = replace(MESSAGE, content=None, size=0)
    assert rule.judge(sign_model_hash(without, GENESIS, BOB)) is Verdict.ACCEPT


def test_what_is_signed_is_fixed() -> None:
    fields = (
        b"\x88\xa7account\xc4\x20" + BOB.public + b"\xaacommitment\xc4\x20" + b"\x02" * 32
        + b"\xa7content\xc4\x20" + b"\x03" * 32 + b"\xa4kind\xa6update\xa6period\x09"
        + b"\xa8provider\xa5peer1\xa4size\xcd\x03\xe8\xa4task\x04"
    )  # fmt: skip
    assert MESSAGE.signing_hash(GENESIS) == blake2b_256(b"flock/model-hash/1" + GENESIS + fields)


@pytest.mark.parametrize(
    "change",
    [
        {"task": 5},
        {"period": 10},
        {"kind": "score"},
        {"commitment": bytes(32)},
        {"content": None, "size": 0},
        {"provider": "peer2"},
        {"size": 1_001},
        {"account": ALICE.public},
    ],
)
def test_a_forged_field_is_rejected(change: dict[str, object]) -> None:
    rule = Rule()
    _, signature = decode_model_hash(sign_model_hash(MESSAGE, GENESIS, BOB))
    forged = replace(MESSAGE, **change)  # type: ignore[arg-type]
    assert rule.judge(encode_model_hash(forged, signature)) is Verdict.REJECT
    assert rule.accepted == []


def test_foreign_signatures_are_rejected() -> None:
    rule = Rule()
    other_chain = sign_model_hash(MESSAGE, Hash(b"\x09" * 32), BOB)
    assert rule.judge(other_chain) is Verdict.REJECT
    by_mallory = Ed25519(MALLORY.sign(MESSAGE.signing_hash(GENESIS)))
    assert rule.judge(encode_model_hash(MESSAGE, by_mallory)) is Verdict.REJECT
    assert rule.judge(encode_model_hash(MESSAGE, Ecdsa(bytes(65)))) is Verdict.REJECT
    with pytest.raises(ModelHashError, match=r"^the key is not that of the message's account$"):
        sign_model_hash(MESSAGE, GENESIS, MALLORY)


def test_strangers_are_ignored() -> None:
    rule = Rule()
    unregistered = sign_model_hash(numbered(1, MALLORY), GENESIS, MALLORY)
    assert rule.judge(unregistered) is Verdict.IGNORE
    other_task = sign_model_hash(replace(MESSAGE, task=5), GENESIS, BOB)
    assert rule.judge(other_task) is Verdict.IGNORE
    unknown = sign_model_hash(replace(MESSAGE, provider=PeerId("stranger")), GENESIS, BOB)
    assert rule.judge(unknown) is Verdict.IGNORE


def test_replays_are_ignored_and_cost_no_signature_check() -> None:
    rule = Rule()
    data = sign_model_hash(numbered(1, ALICE), GENESIS, ALICE)
    assert rule.judge(data) is Verdict.ACCEPT
    again = sign_model_hash(numbered(1, ALICE), GENESIS, ALICE)
    assert again != data  # sr25519 signatures differ from call to call
    assert [rule.judge(data), rule.judge(again)] == [Verdict.IGNORE, Verdict.IGNORE]
    assert rule.verified == 1


def test_old_periods_are_over_even_when_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_hashes, "SEEN_MAX", 1)
    rule = Rule()
    first = sign_model_hash(MESSAGE, GENESIS, BOB)
    second = sign_model_hash(replace(MESSAGE, period=10), GENESIS, BOB)
    assert [rule.judge(first), rule.judge(second)] == [Verdict.ACCEPT, Verdict.ACCEPT]
    assert rule.judge(first) is Verdict.IGNORE
    other_kind = sign_model_hash(replace(MESSAGE, kind="score"), GENESIS, BOB)
    assert rule.judge(other_kind) is Verdict.ACCEPT


def test_a_flooding_account_is_held_to_its_rate_and_hurts_nobody_else() -> None:
    rule = Rule()
    flood = [sign_model_hash(numbered(n), GENESIS, BOB) for n in range(10)]
    verdicts = [rule.judge(data) for data in flood]
    assert verdicts == [Verdict.ACCEPT] * 3 + [Verdict.IGNORE] * 7
    assert rule.judge(sign_model_hash(numbered(1, ALICE), GENESIS, ALICE)) is Verdict.ACCEPT
    rule.time_ms += 1_000
    assert [rule.judge(flood[8]), rule.judge(flood[9])] == [Verdict.ACCEPT, Verdict.IGNORE]


def test_forgeries_use_up_nobodys_rate() -> None:
    rule = Rule()
    for number in range(20):
        forged = encode_model_hash(numbered(number), Ed25519(bytes(64)))
        assert rule.judge(forged) is Verdict.REJECT
    assert rule.judge(sign_model_hash(MESSAGE, GENESIS, BOB)) is Verdict.ACCEPT


def test_a_flooding_peer_costs_no_more_signature_checks() -> None:
    rule = Rule(Rates(peer_interval_ms=100, peer_burst=5))
    for number in range(50):
        data = sign_model_hash(numbered(number, MALLORY), GENESIS, MALLORY)
        assert rule.judge(data, PeerId("flooder")) is Verdict.IGNORE
    assert rule.verified == 5
    assert rule.judge(sign_model_hash(MESSAGE, GENESIS, BOB)) is Verdict.ACCEPT


def test_malformed_messages_are_rejected() -> None:
    rule = Rule()
    good = sign_model_hash(MESSAGE, GENESIS, BOB)
    fields = decode(good)
    assert isinstance(fields, dict)
    changes: list[dict[str, object]] = [
        {"kind": "gossip"},
        {"task": 2**32},
        {"size": 0},
        {"content": None},
        {"provider": "peer 1"},
        {"provider": ""},
        {"signature": b""},
        {"signature": bytes(64)},
        {"more": 1},
    ]
    bad = [encode({**fields, **change}) for change in changes]  # type: ignore[dict-item]
    bad += [b"", b"\x80", good[:-1], good + b"\x00", bytes(5_000)]
    reordered = good[:1] + good[-(len(b"\xa4task") + 1) :] + good[1 : -(len(b"\xa4task") + 1)]
    assert decode(reordered) == fields
    for data in (*bad, reordered):
        assert rule.judge(data) is Verdict.REJECT
    assert rule.judge(good) is Verdict.ACCEPT


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SEEN_MAX", "PARTICIPANTS_MAX"):
        monkeypatch.setattr(model_hashes, name, 8)
    rule = Rule(Rates(account_burst=100))
    for number in range(30):
        message = replace(numbered(number), period=number)
        assert rule.judge(sign_model_hash(message, GENESIS, BOB)) is Verdict.ACCEPT
    assert len(rule.rule._seen) == 8
    assert len(rule.rule._newest) == 1


class Network:
    """A line of three nodes: one announces, the middle forwards, the last hears."""

    def __init__(self) -> None:
        self.hub = MemoryHub(Random(1), lambda prng, *_: 5 + prng.randrange(20))
        self.rules = [Rule() for _ in range(3)]
        self.nets: list[MemoryNetwork] = []
        for number, rule in enumerate(self.rules):
            self.nets.append(
                self.hub.join(
                    PeerId(f"peer{number}"),
                    Handlers(
                        on_gossip=lambda peer, _, data, rule=rule: rule.judge(data, peer),  # type: ignore[misc]
                        on_request=lambda *_: b"",
                        on_peer_connected=lambda *_: None,
                        on_peer_disconnected=lambda *_: None,
                        status=lambda: b"",
                        check_status=lambda *_: None,
                    ),
                )
            )
        for number in range(2):
            self.hub.connect(PeerId(f"peer{number}"), PeerId(f"peer{number + 1}"))
        self.run()

    def run(self) -> None:
        self.hub.deliver_until(self.hub.now_ms + 200)


def test_an_announcement_crosses_the_network() -> None:
    net = Network()
    data = sign_model_hash(MESSAGE, GENESIS, BOB)
    assert net.rules[0].rule.announce(net.nets[0], data) == MESSAGE
    net.run()
    assert [rule.accepted for rule in net.rules] == [[MESSAGE]] * 3
    with pytest.raises(ModelHashError, match=r"^it was announced already$"):
        net.rules[0].rule.announce(net.nets[0], data)


def test_a_forger_is_cut_off_and_nothing_is_forwarded() -> None:
    net = Network()
    for number in range(6):
        net.nets[0].publish(TOPIC, encode_model_hash(numbered(number), Ed25519(bytes(64))))
    net.run()
    assert net.nets[1].banned_until_ms(PeerId("peer0")) is not None
    assert net.rules[2].verified == 0


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (numbered(1, MALLORY), "its account takes no part in task 4"),
        (replace(MESSAGE, task=7), "its account takes no part in task 7"),
    ],
)
def test_an_own_announcement_that_others_refuse_says_why(message: ModelHash, reason: str) -> None:
    net = Network()
    key = MALLORY if message.account == MALLORY.account else BOB
    with pytest.raises(ModelHashError, match=f"^{reason}$"):
        net.rules[0].rule.announce(net.nets[0], sign_model_hash(message, GENESIS, key))
    net.run()
    assert net.rules[1].accepted == []
