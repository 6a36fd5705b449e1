"""The soak's chain has its authorities and payers, and its transfers are what the runtime takes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import orjson

from flockchain.bench.soak.network import make_payers, sign_requests, write_spec
from flockchain.bench.workload import open_chain
from flockchain.chain.validation import BestBlockValidator
from flockchain.storage.kv import MemoryStore
from genesis.spec import load_chain_spec
from runtime.api import preset_of, runtime_at
from runtime.frame.executive import verify_signature
from runtime.frame.validity import TransactionSource


def test_transfers_are_valid_and_payers_take_turns(tmp_path: Path) -> None:
    payers = make_payers(4)
    genesis = write_spec(tmp_path / "soak.json", 3, payers)
    spec = load_chain_spec(tmp_path / "soak.json")
    backend, _ = open_chain(spec.genesis_top(), MemoryStore(), verify_signature)
    assert backend.genesis == genesis
    state = backend.state_at(genesis)
    assert preset_of(state).slot_ms == 1_000
    assert len(runtime_at(state).grandpa.authorities.get()) == 3
    requests = [orjson.loads(request) for request in sign_requests(payers, 12, genesis)]
    assert [request["id"] for request in requests] == list(range(12))
    check = BestBlockValidator(backend, verify_signature)
    tags: Counter[bytes] = Counter()
    for request in requests:
        assert request["method"] == "author_submitExtrinsic"
        data = bytes.fromhex(request["params"][0].removeprefix("0x"))
        tags.update(check(TransactionSource.EXTERNAL, data).provides)
    assert len(tags) == 12
