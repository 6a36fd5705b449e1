"""The pool's validator: the verdict of the best block, whatever was validated before."""

import pytest

from flockchain.bench.workload import make_workload, open_chain
from flockchain.chain import validation
from flockchain.chain.validation import BestBlockValidator
from flockchain.storage.kv import MemoryStore
from runtime.api import validate_transaction
from runtime.frame.errors import InvalidKind, InvalidTransaction
from runtime.frame.executive import verify_signature
from runtime.frame.validity import TransactionSource

EXTERNAL = TransactionSource.EXTERNAL
WORK = make_workload(2, 3, 6)
FIRST, SECOND = (body[1:] for _, body in WORK.blocks)


def test_calls_share_no_verdict() -> None:
    backend, _ = open_chain(WORK.genesis, MemoryStore(), verify_signature)
    validator = BestBlockValidator(backend, verify_signature)
    best = backend.best
    for data in (*FIRST, *SECOND, *FIRST):
        fresh = validate_transaction(
            backend.state_at(best.hash), best.hash, best.number, EXTERNAL, data
        )
        assert validator(EXTERNAL, data) == fresh
    broken = FIRST[0][:-1] + bytes([FIRST[0][-1] ^ 1])
    with pytest.raises(InvalidTransaction) as caught:
        validator(EXTERNAL, broken)
    assert caught.value.kind is InvalidKind.BAD_PROOF
    assert validator(EXTERNAL, FIRST[0]).requires == []
    assert len(validator(EXTERNAL, SECOND[0]).requires) == 1


def test_a_new_best_block_changes_the_verdict() -> None:
    backend, importer = open_chain(WORK.genesis, MemoryStore(), verify_signature)
    validator = BestBlockValidator(backend, verify_signature)
    validator(EXTERNAL, FIRST[0])
    importer.import_block(*WORK.blocks[0])
    with pytest.raises(InvalidTransaction) as caught:
        validator(EXTERNAL, FIRST[0])
    assert caught.value.kind is InvalidKind.STALE
    assert validator(EXTERNAL, SECOND[0]).requires == []


def test_a_fork_is_judged_as_if_nothing_had_been_read() -> None:
    """Pallets stay from head to head, in the order of an import and back over a fork."""
    backend, importer = open_chain(WORK.genesis, MemoryStore(), verify_signature)
    genesis = backend.best
    validator = BestBlockValidator(backend, verify_signature)
    fresh = [validator(EXTERNAL, data) for data in (*FIRST, *SECOND)]
    pallets = validator._validation._runtime  # type: ignore[union-attr]
    importer.import_block(*WORK.blocks[0])
    validator(EXTERNAL, SECOND[0])
    backend.best = genesis
    assert [validator(EXTERNAL, data) for data in (*FIRST, *SECOND)] == fresh
    assert validator._validation._runtime is pallets  # type: ignore[union-attr]


def test_what_was_read_is_forgotten_after_so_many_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validation, "CALLS_MAX", 2)
    backend, _ = open_chain(WORK.genesis, MemoryStore(), verify_signature)
    opened = []
    state_at = backend.state_at
    monkeypatch.setattr(backend, "state_at", lambda block: opened.append(block) or state_at(block))
    validator = BestBlockValidator(backend, verify_signature)
    assert len({repr(validator(EXTERNAL, FIRST[0])) for _ in range(5)}) == 1
    assert len(opened) == 3
