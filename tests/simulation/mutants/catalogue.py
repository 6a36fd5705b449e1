"""Small false changes of the consensus code: each is a bug that somebody could make.

`lines` of `file` become `false`. Unit tests under `tests` are asked first, whole networks after.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

GRANDPA: Final = "flockchain/consensus/grandpa"
BABE: Final = "flockchain/consensus/babe"
_OF_GRANDPA: Final = ("tests/flockchain/consensus/grandpa",)
_OF_BABE: Final = ("tests/flockchain/consensus/babe", "tests/flockchain/chain")
_OF_CHAIN: Final = ("tests/flockchain/chain",)
_OF_SYNC: Final = ("tests/flockchain/sync",)
_OF_STORAGE: Final = ("tests/flockchain/storage",)


@dataclass(frozen=True)
class Mutant:
    """One false change. `name` says what is broken."""

    name: str
    file: str
    lines: str
    false: str
    tests: tuple[str, ...]


MUTANTS: Final = (
    Mutant(
        "half of the weight decides",
        f"{GRANDPA}/authorities.py",
        "self.threshold = self.total - (self.total - 1) // 3",
        "self.threshold = self.total // 2 + 1",
        _OF_GRANDPA,
    ),
    Mutant(
        "missing precommits cannot come any more",
        f"{GRANDPA}/round.py",
        "return for_block + missing + min(elsewhere, unproven) >= authorities.threshold",
        "return for_block + min(elsewhere, unproven) >= authorities.threshold",
        _OF_GRANDPA,
    ),
    Mutant(
        "who equivocates counts for its first block alone",
        f"{GRANDPA}/votes.py",
        "self.equivocating_weight += weight",
        "self.equivocating_weight += 0",
        _OF_GRANDPA,
    ),
    Mutant(
        "a third vote is evidence again",
        f"{GRANDPA}/votes.py",
        "if len(held) == 2:",
        "if len(held) == 3:",
        _OF_GRANDPA,
    ),
    Mutant(
        "votes count whoever signed them",
        f"{GRANDPA}/voter.py",
        "or not is_signed(signed, vote.round, vote.set_id):",
        "or False:",
        _OF_GRANDPA,
    ),
    Mutant(
        "votes of strangers count",
        f"{GRANDPA}/voter.py",
        "if signed.id not in self.authorities or not is_signed",
        "if not is_signed",
        _OF_GRANDPA,
    ),
    Mutant(
        "a vote is sent before it is on disk",
        f"{GRANDPA}/stored_journal.py",
        'batch.put(_VOTER + vote.message.id, b"")\n        self._store.write(batch, sync=True)',
        'batch.put(_VOTER + vote.message.id, b"")\n        self._store.write(batch, sync=False)',
        _OF_GRANDPA,
    ),
    Mutant(
        "a vote is not written down",
        f"{GRANDPA}/ballot.py",
        "self._journal.record(vote)\n        self._keep(vote)\n        return vote",
        "self._keep(vote)\n        return vote",
        _OF_GRANDPA,
    ),
    Mutant(
        "recorded votes are not said again",
        f"{GRANDPA}/ballot.py",
        "if recorded is not None:",
        "if recorded is not None and False:",
        _OF_GRANDPA,
    ),
    Mutant(
        "a restart votes in rounds below its last one",
        f"{GRANDPA}/ballot.py",
        "if round_number < self.highest_round:",
        "if round_number < 0:",
        _OF_GRANDPA,
    ),
    Mutant(
        "a completed round is not kept",
        f"{GRANDPA}/voter.py",
        "self._journal.record_completed(self.authorities.set_id, completed.catch_up())",
        "completed.catch_up()",
        _OF_GRANDPA,
    ),
    Mutant(
        "a twin's vote goes unnoticed",
        f"{GRANDPA}/voter.py",
        "if ballot.contradicts(vote):",
        "if ballot.contradicts(vote) and False:",
        _OF_GRANDPA,
    ),
    Mutant(
        "the next round forgets what the last one may have finalized",
        f"{GRANDPA}/voting_round.py",
        "final is not None and before.estimate.number <= final.number",
        "final is not None",
        _OF_GRANDPA,
    ),
    Mutant(
        "the precommit ignores the last round's estimate",
        f"{GRANDPA}/voting_round.py",
        "if not chain.is_equal_or_descendant(estimate.hash, ghost.hash):",
        "if False:",
        _OF_GRANDPA,
    ),
    Mutant(
        "a hint is followed wherever it leads",
        f"{GRANDPA}/voting_round.py",
        "return hint if is_between else estimate",
        "return hint",
        _OF_GRANDPA,
    ),
    Mutant(
        "a proof names a voter twice",
        f"{GRANDPA}/justification.py",
        "if vote.id in weights:",
        "if False:",
        _OF_GRANDPA,
    ),
    Mutant(
        "a proof needs no signatures",
        f"{GRANDPA}/justification.py",
        "    _check_ancestries(justification)\n"
        "    check_signatures(commit, justification.round, authorities)",
        "    _check_ancestries(justification)",
        _OF_GRANDPA,
    ),
    Mutant(
        "a proof of another block will do",
        f"{GRANDPA}/justification.py",
        "if justification.commit.target != block:",
        "if False:",
        _OF_GRANDPA,
    ),
    Mutant(
        "finality moves to a block beside the final one",
        f"{GRANDPA}/finality.py",
        "if not self._chain.is_equal_or_descendant(self.block.hash, target.hash):",
        "if False:",
        _OF_GRANDPA,
    ),
    Mutant(
        "an old set proves blocks behind a change of voters",
        f"{GRANDPA}/proof_import.py",
        "if change is not None and change.hash != block.hash:",
        "if False:",
        ("tests/flockchain/consensus", "tests/flockchain/chain"),
    ),
    Mutant(
        "a warp skips a change of voters",
        f"{GRANDPA}/warp_proof.py",
        "return AuthoritySet(self.authorities.set_id + 1, listed)",
        "return AuthoritySet(self.authorities.set_id, listed)",
        (*_OF_GRANDPA, *_OF_SYNC),
    ),
    Mutant(
        "any output wins a slot",
        f"{BABE}/lottery.py",
        "if is_primary and not _is_won(",
        "if False and not _is_won(",
        _OF_BABE,
    ),
    Mutant(
        "the fallback author may be anybody",
        f"{BABE}/lottery.py",
        "if claim.authority_index != fallback:",
        "if False:",
        _OF_BABE,
    ),
    Mutant(
        "a lottery proof proves any output",
        f"{BABE}/lottery.py",
        "if verify(authority.key, claim.vrf_proof, alpha) != claim.vrf_output:",
        "if verify(authority.key, claim.vrf_proof, alpha) is None:",
        _OF_BABE,
    ),
    Mutant(
        "a child may have its parent's slot",
        f"{BABE}/lottery.py",
        "if parent_slot is not None and slot <= parent_slot:",
        "if parent_slot is not None and slot < parent_slot:",
        _OF_BABE,
    ),
    Mutant(
        "a block of the next slot is taken at once",
        f"{BABE}/verifier.py",
        "if claim.slot > now_slot:",
        "if False:",
        _OF_BABE,
    ),
    Mutant(
        "nobody is told of two blocks in a slot",
        f"{BABE}/verifier.py",
        "        if evidence is None:\n            return",
        "        if evidence is None or evidence:\n            return",
        _OF_BABE,
    ),
    Mutant(
        "the slots that were sealed are not kept",
        f"{BABE}/author.py",
        "        self._note_made(slot, vrf_key.public)\n        sealed",
        "        sealed",
        _OF_BABE,
    ),
    Mutant(
        "a header is sealed by anybody",
        "runtime/primitives/slot_seal.py",
        "if not ed25519_verify(signature, seal_payload(header), key):",
        "if False:",
        _OF_BABE,
    ),
    Mutant(
        "the state root is not compared",
        "flockchain/chain/importer.py",
        "if root != header.state_root:",
        "if False:",
        _OF_CHAIN,
    ),
    Mutant(
        "the extrinsics root is not compared",
        "flockchain/chain/importer.py",
        "if root != header.extrinsics_root:",
        "if False:",
        _OF_CHAIN,
    ),
    Mutant(
        "a block's number is free",
        "flockchain/chain/importer.py",
        "if header.number != parent.number + 1:",
        "if False:",
        _OF_CHAIN,
    ),
    Mutant(
        "what a refused block left behind is gone on with",
        "flockchain/chain/importer.py",
        "        took_ms = self._now_ms() - began_ms",
        "        self.runtimes.put(parent.state_root, runtime)\n"
        "        took_ms = self._now_ms() - began_ms",
        _OF_CHAIN,
    ),
    Mutant(
        "fallback slots count as much as those that were won",
        "flockchain/chain/tree.py",
        "node = TreeBlock(block, parent, number, above.primaries + is_primary)",
        "node = TreeBlock(block, parent, number, above.primaries)",
        _OF_CHAIN,
    ),
    Mutant(
        "the higher hash wins among equals",
        "flockchain/chain/tree.py",
        "return self.primaries, self.number, self.hash.translate(_INVERTED)",
        "return self.primaries, self.number, self.hash",
        _OF_CHAIN,
    ),
    Mutant(
        "finality is not on disk on return",
        "flockchain/chain/backend.py",
        "            self._put_best(batch, Head(best.hash, best.number), route)\n"
        "        self._write(batch)",
        "            self._put_best(batch, Head(best.hash, best.number), route)\n"
        "        self._write(batch, sync=False)",
        _OF_CHAIN,
    ),
    Mutant(
        "a write is synced without those before it",
        "flockchain/storage/gathered.py",
        "if sync and not self._writes:",
        "if sync:",
        _OF_STORAGE,
    ),
    Mutant(
        "an answer may hold other blocks than were asked for",
        "flockchain/sync/block_sync.py",
        "if block.header.number != start + offset or block.body is None:",
        "if block.body is None:",
        _OF_SYNC,
    ),
    Mutant(
        "false blocks cost a peer nothing",
        "flockchain/sync/block_sync.py",
        'self._network.report(peer, MALFORMED_CHANGE, f"false blocks: {error}")',
        "pass",
        _OF_SYNC,
    ),
    Mutant(
        "whoever promises most is asked first for ever",
        "flockchain/sync/block_sync.py",
        "(-state.failures, state.best_number, name)",
        "(0, state.best_number, name)",
        _OF_SYNC,
    ),
    Mutant(
        "past blocks need no proof",
        "flockchain/chain/past_blocks.py",
        "if wanted is None or block != wanted:",
        "if wanted is None:",
        _OF_SYNC,
    ),
    Mutant(
        "a flood of early blocks is free",
        "flockchain/node.py",
        "if self._early.is_flood(peer, self.clock.now_ms()):",
        "if False:",
        ("tests/flockchain/test_node_fuzz.py",),
    ),
    Mutant(
        "an answer about another set ends the silence",
        f"{GRANDPA}/voter.py",
        "return request.set_id == own_set == view.set_id and view.round <= self.round_number",
        "return own_set == view.set_id and view.round <= self.round_number",
        _OF_GRANDPA,
    ),
    Mutant(
        "an answer from rounds ahead ends the silence",
        f"{GRANDPA}/voter.py",
        "return request.set_id == own_set == view.set_id and view.round <= self.round_number",
        "return request.set_id == own_set == view.set_id",
        _OF_GRANDPA,
    ),
    Mutant(
        "a proven round does not keep a voter silent",
        f"{GRANDPA}/voter.py",
        "self._observation.show(now_ms, catch_up.round_number)",
        "pass",
        _OF_GRANDPA,
    ),
    Mutant(
        "only who claims to be ahead is asked",
        f"{GRANDPA}/neighbours.py",
        "if not ahead or not others:",
        "if True:",
        _OF_GRANDPA,
    ),
    Mutant(
        "who was asked about an earlier set is not believed",
        f"{GRANDPA}/voter.py",
        "return is_ahead and request.set_id == view.set_id and shown is None",
        "return is_ahead and shown is None",
        _OF_GRANDPA,
    ),
    Mutant(
        "a completed round's blocks are not asked for",
        f"{GRANDPA}/voter.py",
        "self._rounds.waiting.hold_completed(catch_up.votes())",
        "pass",
        _OF_GRANDPA,
    ),
    Mutant(
        "votes are never repeated",
        f"{GRANDPA}/voter.py",
        "age_ms >= self._config.repeat_ms and",
        "False and",
        _OF_GRANDPA,
    ),
    Mutant(
        "a newer release executes the past too",
        "flockchain/sync/warp_sync.py",
        "return gain >= GAIN_MIN or ends_release(self._backend, self._backend.genesis)",
        "return gain >= GAIN_MIN",
        _OF_SYNC,
    ),
)
