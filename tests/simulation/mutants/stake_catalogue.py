"""Small false changes of what holds stake, and of upgrades, keys, disks and pruned peers.

As `catalogue`, for the pallets that make and punish authorities, and for the node around them.
"""

from __future__ import annotations

from typing import Final

from tests.simulation.mutants.catalogue import GRANDPA, Mutant

SESSION: Final = "runtime/pallets/session.py"
OFFENCES: Final = "runtime/pallets/offences.py"
STAKING: Final = "runtime/pallets/staking"
BABE: Final = "runtime/pallets/babe.py"
POOL: Final = "flockchain/pool"
_OF_STAKING: Final = ("tests/runtime/pallets/staking",)
_OF_POOL: Final = ("tests/flockchain/pool",)
_OF_UPGRADES: Final = ("tests/simulation/test_upgrade.py",)
_OF_KEYS: Final = ("tests/flockchain/test_inserted_keys.py",)
_OF_CHANGES: Final = ("tests/simulation/test_set_changes.py",)
_OF_GRANDPA: Final = ("tests/flockchain/consensus/grandpa",)
_OF_SYNC: Final = ("tests/flockchain/sync",)

STAKE_MUTANTS: Final = (
    Mutant(
        "one of two signatures owns both keys",
        SESSION,
        "and ed25519_verify(proof.grandpa, message, keys.grandpa)",
        "and True",
        (),
    ),
    Mutant(
        "a key may have two owners",
        SESSION,
        "            raise DuplicatedKey",
        "            pass",
        (),
    ),
    Mutant(
        "half of the weight may be kept from acting",
        SESSION,
        "if is_member and 3 * weight <= sum(",
        "if is_member and 2 * weight <= sum(",
        ("tests/runtime/pallets/test_offences.py",),
    ),
    Mutant(
        "who has offended votes on",
        SESSION,
        "voters = [each for each in members if each.account not in disabled] or members",
        "voters = members",
        ("tests/runtime/pallets/test_offences.py",),
    ),
    Mutant(
        "an era lets offenders act that did not stand again",
        SESSION,
        "if who in present and not self.stake.is_candidate(who)",
        "if who in present and False",
        ("tests/runtime/pallets/test_offences.py",),
    ),
    Mutant(
        "an offence is punished each time it is reported",
        OFFENCES,
        "if any(known.account == who for known in self.cases.get(key).offenders):",
        "if False:",
        (),
    ),
    Mutant(
        "blocks of another session are evidence",
        OFFENCES,
        "if epoch is None or not after < epoch <= proof.session:",
        "if epoch is None:",
        (),
    ),
    Mutant(
        "a slash is a third of what it should be",
        OFFENCES,
        "return min(9 * weight * weight * PARTS",
        "return min(3 * weight * weight * PARTS",
        (),
    ),
    Mutant(
        "earlier offenders lose nothing by later ones",
        OFFENCES,
        "for each in offenders:\n            self.stake.slash",
        "for each in offenders[-1:]:\n            self.stake.slash",
        (),
    ),
    Mutant(
        "randomness does not depend on the blocks",
        BABE,
        "self.next_randomness.put(blake2b_256(seed + outputs))",
        "self.next_randomness.put(blake2b_256(seed))",
        (),
    ),
    Mutant(
        "two blocks of a chain share a slot",
        BABE,
        "elif slot <= self.current_slot.get():",
        "elif slot < self.current_slot.get():",
        (),
    ),
    Mutant(
        "who is disabled makes blocks",
        BABE,
        "if author is not None and self.sessions.is_disabled(author):",
        "if False:",
        ("tests/runtime/pallets/test_session.py", "tests/runtime/pallets/test_offences.py"),
    ),
    Mutant(
        "a block may be of another time than its slot",
        BABE,
        "if slot != self.current_slot.get():",
        "if False:",
        ("tests/runtime/pallets/test_timestamp.py",),
    ),
    Mutant(
        "what unbonds cannot be slashed",
        f"{STAKING}/slashing.py",
        "chunk.value if chunk.era >= free_from else 0 for chunk",
        "0 for chunk",
        _OF_STAKING,
    ),
    Mutant(
        "what was unbonded before the offence pays for it",
        f"{STAKING}/slashing.py",
        "free_from = era + self.config.bonding_eras",
        "free_from = era",
        _OF_STAKING,
    ),
    Mutant(
        "a larger slash takes the smaller one again",
        f"{STAKING}/slashing.py",
        "cut = part * known.due // PARTS - part * known.done // PARTS",
        "cut = part * known.due // PARTS",
        _OF_STAKING,
    ),
    Mutant(
        "a nominator stands behind each of its validators with all it has",
        f"{STAKING}/election.py",
        "parts = apportion(stake, [1] * len(known))",
        "parts = [stake] * len(known)",
        _OF_STAKING,
    ),
    Mutant(
        "what an era owes is paid again in the next one",
        f"{STAKING}/eras.py",
        "income = self.currency.free(POT) - self.owed.get()",
        "income = self.currency.free(POT)",
        _OF_STAKING,
    ),
    Mutant(
        "the last block of a release is one later",
        "runtime/pallets/upgrades.py",
        "if upgrade is None or number < upgrade.last_block:",
        "if upgrade is None or number <= upgrade.last_block:",
        (),
    ),
    Mutant(
        "another one's extrinsic is replaced for nothing",
        f"{POOL}/pool.py",
        "bump_percent: int = 110",
        "bump_percent: int = 100",
        _OF_POOL,
    ),
    Mutant(
        "one sender fills the queue",
        f"{POOL}/pool.py",
        "if self.future.count_of(entry.sender) >= config.future_per_sender_max:",
        "if False:",
        _OF_POOL,
    ),
    Mutant(
        "a ban ends when it is asked for",
        f"{POOL}/bans.py",
        "if until is not None and until <= now_ms:",
        "if until is not None:",
        _OF_POOL,
    ),
    Mutant(
        "who came first is taken first, whatever others pay",
        f"{POOL}/queues.py",
        "heap.append((-entry.priority, entry.arrived, entry.hash))",
        "heap.append((0, entry.arrived, entry.hash))",
        _OF_POOL,
    ),
    Mutant(
        "a node ends at its best last block",
        "flockchain/chain/release_watch.py",
        "if self.outdated is None:\n            return False",
        "if self.outdated is None:\n            return self.resting is not None",
        _OF_UPGRADES,
    ),
    Mutant(
        "nobody votes for a last block itself",
        f"{GRANDPA}/voting_round.py",
        "distance = 0 if chain.is_last(best.hash) else self.distance",
        "distance = self.distance",
        _OF_GRANDPA,
    ),
    Mutant(
        "the old release builds on its last block",
        "flockchain/node.py",
        "self.stopped_because is not None or self.release.resting is not None",
        "self.stopped_because is not None",
        _OF_UPGRADES,
    ),
    Mutant(
        "the proof of a last block is let go",
        f"{GRANDPA}/proof_import.py",
        "keep_proof = is_change or is_due or ends_release(backend, block.hash)",
        "keep_proof = is_change or is_due",
        _OF_UPGRADES,
    ),
    Mutant(
        "who rests does not look for the proof that it lacks",
        "flockchain/sync/block_sync.py",
        "state.start = self._backend.finalized.number + 1\n                return False",
        "return False",
        ("tests/flockchain/sync/test_release_end.py",),
    ),
    Mutant(
        "an inserted key acts a session early",
        "flockchain/inserted_keys.py",
        "elif session > self._since.setdefault(name, session) + SESSIONS:",
        "elif session >= self._since.setdefault(name, session) + SESSIONS:",
        _OF_KEYS,
    ),
    Mutant(
        "an old state tells whether a key acts",
        "flockchain/inserted_keys.py",
        "if not self._is_at_the_head(now_ms):",
        "if False:",
        _OF_KEYS,
    ),
    Mutant(
        "an inserted key acts beside another machine's",
        "flockchain/inserted_keys.py",
        "if name[1] in known or is_registered(runtime, *name):",
        "if False:",
        _OF_KEYS,
    ),
    Mutant(
        "a key that is elected later seals its first slot at once",
        "flockchain/consensus/babe/author.py",
        "        if vrf_key.public in self._doubtful:",
        "        if False:",
        _OF_CHANGES,
    ),
    Mutant(
        "a key that is elected later votes at once",
        "flockchain/consensus/grandpa/voter.py",
        "        if self._observation.is_over:\n            self._observation = Obs",
        "        if False:\n            self._observation = Obs",
        _OF_GRANDPA,
    ),
    Mutant(
        "what the disk refused stays readable",
        "flockchain/storage/gathered.py",
        "            self._refusal = error\n            raise",
        "            raise",
        (),
    ),
    Mutant(
        "many say that voters were replaced by force, and one has proofs",
        "flockchain/sync/warp_sync.py",
        "or not self._forced_by.issuperset(self._peers):",
        "or False:",
        (),
    ),
    Mutant(
        "peers that tell of force make a node execute the past",
        "flockchain/sync/warp_sync.py",
        "        self._forced_after = number\n",
        "        self._finish()\n",
        (),
    ),
    Mutant(
        "a proof for a light peer may have any size",
        "flockchain/sync/light.py",
        "if size > RESPONSE_BYTES_MAX or len(entries) > _ENTRIES_MAX:",
        "if False:",
        (),
    ),
    Mutant(
        "a past that became too old is wanted for ever",
        "flockchain/chain/past_blocks.py",
        "if self.next_wanted is None or lowest == 1:",
        "if True:",
        ("tests/flockchain/chain/test_block_pruning.py",),
    ),
    Mutant(
        "who has pruned a block says nothing",
        "flockchain/sync/serve.py",
        "if not 0 < number <= backend.finalized.number:",
        "if True:",
        ("tests/flockchain/chain/test_block_pruning.py",),
    ),
)
