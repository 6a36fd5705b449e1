"""Two blocks of one author in one slot are evidence, once; anything less is none."""

from nacl.signing import SigningKey

from flockchain.consensus.babe.seal import seal_header
from flockchain.consensus.equivocation import EquivocationDetector
from runtime.primitives.babe_digest import SlotClaim, SlotKind, claim_log
from runtime.primitives.evidence import BlockEquivocation, verify_blocks
from runtime.primitives.header import Digest, Header
from runtime.primitives.types import ZERO_HASH, Hash

KEY = SigningKey(b"k" * 32)
AUTHOR = bytes(KEY.verify_key)


def sealed(slot: int, root: bytes) -> Header:
    claim = SlotClaim(SlotKind.PRIMARY, 0, slot, bytes(64), bytes(80))
    header = Header(ZERO_HASH, 7, Hash(root * 32), ZERO_HASH, Digest([claim_log(claim)]))
    return seal_header(header, lambda payload: KEY.sign(payload).signature)


ONE, TWO, THREE = (sealed(50, root) for root in (b"1", b"2", b"3"))


def test_a_second_header_is_evidence_and_a_third_is_not():
    detector = EquivocationDetector()
    assert detector.observe(AUTHOR, 50, ONE) is None
    assert detector.observe(AUTHOR, 50, ONE) is None
    evidence = detector.observe(AUTHOR, 50, TWO)
    assert evidence == BlockEquivocation(AUTHOR, 50, ONE, TWO)
    verify_blocks(evidence)
    assert detector.observe(AUTHOR, 50, THREE) is None


def test_other_authors_and_other_slots_are_innocent():
    detector = EquivocationDetector()
    assert detector.observe(AUTHOR, 50, ONE) is None
    assert detector.observe(b"b" * 32, 50, TWO) is None
    assert detector.observe(AUTHOR, 51, sealed(51, b"2")) is None


def test_old_slots_are_forgotten():
    detector = EquivocationDetector(window_slots=10)
    detector.observe(AUTHOR, 50, ONE)
    detector.observe(AUTHOR, 61, sealed(61, b"1"))
    assert detector.observe(AUTHOR, 50, TWO) is None
    for slot in range(62, 200):
        detector.observe(AUTHOR, slot, sealed(slot, b"1"))
        assert len(detector._seen) <= 2 * 10 + 1
    assert 50 not in detector._seen
