"""The voter on a virtual network: it finalizes, recovers, and never contradicts itself."""

from dataclasses import replace

import pytest

from flockchain.consensus.grandpa.effects import (
    AskCatchUp,
    Finalize,
    Gossip,
    ReportConflict,
    ReportEquivocation,
)
from flockchain.consensus.grandpa.journal import MemoryJournal
from flockchain.consensus.grandpa.messages import (
    BlockRef,
    CatchUpRequest,
    CatchUpResponse,
    View,
    VoteMessage,
    signed_precommit,
    signed_prevote,
)
from flockchain.consensus.grandpa.voter import VoterConfig
from flockchain.consensus.grandpa.voting_rule import SPAN_MAX, compute_target_number
from p2p.interface import PeerId, Verdict
from runtime.primitives.types import Hash
from tests.flockchain.consensus.grandpa.alone import FIRST, FOUR, PEER, Alone, catch_up, votes_in
from tests.flockchain.consensus.grandpa.keys import (
    authority,
    authority_set,
    precommit,
    prevote,
    signer,
)
from tests.flockchain.consensus.grandpa.network import Network
from tests.flockchain.consensus.grandpa.tree import fork_tree


def network(seed: int, names: str = "alice bob carol dave", **options: float) -> Network:
    made = Network(FOUR, seed, **options)
    for name in names.split():
        made.add(name)
    made.start_all()
    made.make_blocks(fork_chance=0.1)
    return made


def heights(made: Network) -> list[int]:
    return [node.finalized.number for node in made.nodes.values()]


# -- on a network


def test_four_voters_and_an_observer_finalize_close_to_the_head():
    made = network(1, "alice bob carol dave observer")
    made.run(30_000)
    best = max(header.number for header in made.all_blocks.headers())
    assert min(heights(made)) >= best - 6
    made.check_votes()
    assert made.evidence == []
    assert made.nodes["observer"].sent_votes == []


def test_three_of_four_go_on_and_the_fourth_rejoins_within_five_seconds():
    made = network(2)
    made.run(10_000)
    made.nodes["dave"].stop()
    made.run(30_000)
    assert made.nodes["dave"].finalized.number + 10 < made.nodes["alice"].finalized.number
    made.nodes["dave"].start()
    made.run(35_000)
    assert max(heights(made)) - min(heights(made)) <= 3
    assert made.nodes["dave"].voter.is_voting
    made.run(40_000)
    assert any(vote.round >= 25 for vote in made.nodes["dave"].sent_votes)
    made.check_votes()


def test_finality_stands_still_without_two_thirds_and_resumes_in_five_seconds():
    made = network(3)
    made.run(10_000)
    made.nodes["carol"].stop()
    made.nodes["dave"].stop()
    made.run(15_000)
    halted = max(heights(made))
    made.run(60_000)
    assert max(heights(made)) == halted
    made.nodes["dave"].start()
    made.run(65_000)
    assert made.nodes["alice"].finalized.number > halted + 20
    made.check_votes()


def test_all_voters_killed_at_once_take_up_their_round():
    made = network(4)
    made.run(12_345)
    before = [node.voter.round_number for node in made.nodes.values()]
    for node in made.nodes.values():
        node.stop()
    made.run(15_000)
    made.start_all()
    assert [node.voter.round_number for node in made.nodes.values()] == before
    made.run(25_000)
    assert min(heights(made)) > 15
    made.check_votes()
    assert all(node.stops == [] for node in made.nodes.values())


def test_a_partition_is_safe_and_heals():
    made = network(5)
    made.run(8_000)
    halves = {"alice": 0, "bob": 0, "carol": 1, "dave": 1}
    made.can_reach = lambda one, other: halves[one] == halves[other]
    made.run(40_000)
    halted = max(heights(made))
    assert halted < 12
    made.can_reach = lambda one, other: True
    made.run(50_000)
    assert min(heights(made)) > halted + 15
    made.check_votes()


def test_a_third_of_all_messages_lost_only_slows_down():
    made = network(6, loss=0.3)
    made.run(60_000)
    assert min(heights(made)) > 30
    made.check_votes()


@pytest.mark.parametrize("later_ms", [0, 150, 400, 900, 1_700])
def test_a_second_node_with_the_same_key_stops_before_it_votes(later_ms):
    made = network(7)
    made.run(10_000 + later_ms)
    twin = made.add("dave'")
    twin.start()
    made.run(20_000 + later_ms)
    assert twin.sent_votes == []
    assert not twin.voter.is_voting
    assert "another node signed a" in twin.stops[0].reason
    assert made.evidence == []


@pytest.mark.parametrize("later_ms", range(0, 4_000, 400))
def test_a_copy_of_a_running_node_stops_before_it_votes(later_ms):
    """It knows all that was said so far: only what the other says next can warn it."""
    made = network(7)
    made.run(10_000 + later_ms)
    running, twin = made.nodes["dave"], made.add("dave'")
    twin.journal._sets, twin.finalized = dict(running.journal._sets), running.finalized
    for header in running.tree.headers():
        if header.number:
            twin.tree.add(header)
    known = {vote for held in twin.journal._sets.values() for vote in held.votes}
    twin.start()
    made.run(20_000 + later_ms)
    assert set(twin.sent_votes) <= known
    assert not twin.voter.is_voting
    assert made.evidence == []


def test_a_restored_backup_refuses_to_vote():
    made = network(8)
    made.run(5_000)
    node = made.nodes["dave"]
    backup = MemoryJournal()
    backup._sets = dict(node.journal._sets)
    made.run(20_000)
    node.stop()
    sent = len(node.sent_votes)
    node.journal = backup
    node.start()
    made.run(30_000)
    assert len(node.sent_votes) == sent
    assert not node.voter.is_voting
    assert made.evidence == []


# -- one voter, by hand


def test_the_rule_stays_behind_the_best_block_and_below_three_quarters():
    assert compute_target_number(base=10, best=10, distance=2) == 10
    assert compute_target_number(base=10, best=12, distance=2) == 10
    assert compute_target_number(base=10, best=14, distance=2) == 12
    assert compute_target_number(base=10, best=20, distance=2) == 18
    assert compute_target_number(base=0, best=100, distance=2) == 75
    assert compute_target_number(base=10, best=12, distance=0) == 12
    assert compute_target_number(base=10, best=9_000, distance=2) == 10 + SPAN_MAX


def test_a_round_goes_by_its_timers():
    alone = Alone()
    assert alone.voter.on_tick(0) == []
    assert alone.voter.next_wake_ms == 666
    assert votes_in(alone.voter.on_tick(665)) == []
    own = prevote("alice", BlockRef(alone.tree["E"].hash, 5))
    assert alone.tree.best_containing(alone.tree["C"].hash).number == 9
    (cast,) = votes_in(alone.voter.on_tick(666))
    assert cast.message.target_number == 7  # 3/4 of the 6 blocks above C, which is also 2 behind
    target = cast.message.target
    assert own.id == cast.id
    best = alone.tree.best_containing(target.hash)
    assert best is not None
    for name, voted in (("bob", target), ("carol", best)):
        assert alone.hear(700, prevote(name, voted)).verdict is Verdict.ACCEPT
    assert alone.voter.next_wake_ms == 1_000
    alone.voter.on_tick(1_000)
    assert alone.voter.next_wake_ms == 1_332
    assert precommit("alice", target) in votes_in(alone.voter.on_tick(1_332))
    alone.hear(1_400, precommit("bob", target))
    handled = alone.hear(1_401, precommit("carol", target))
    (final,) = [effect for effect in handled.effects if isinstance(effect, Finalize)]
    assert final.block == target
    assert alone.voter.round_number == 2
    assert alone.voter.finalized == target


def test_a_precommit_does_not_wait_for_prevotes_that_change_nothing():
    alone = Alone()
    (cast,) = votes_in(alone.voter.on_tick(666))
    target = cast.message.target
    assert votes_in(alone.hear(700, prevote("bob", target)).effects) == []
    assert votes_in(alone.hear(701, prevote("carol", target)).effects) == [
        precommit("alice", target)
    ]


def final_at(alone: Alone) -> int:
    """When the voter's second round begins, with all up to two blocks behind the best one final."""
    (cast,) = votes_in(alone.voter.on_tick(666))
    for vote in (prevote, precommit):
        for name in ("bob", "carol"):
            alone.hear(700, vote(name, cast.message.target))
    assert (alone.voter.round_number, alone.voter.finalized) == (2, cast.message.target)
    return 700


def test_a_round_over_nothing_waits_for_a_block():
    alone = Alone()
    begun = final_at(alone)
    assert alone.voter.next_wake_ms == 1_000
    assert votes_in(alone.voter.on_tick(begun + 1_500)) == []
    alone.tree.push("FC", "FD")
    (cast,) = votes_in(alone.voter.on_block_imported(begun + 1_501, alone.tree["FD"].hash))
    assert cast == prevote("alice", alone.tree["FB"], 2)


def test_a_round_over_nothing_does_not_wait_for_ever():
    alone = Alone()
    begun = final_at(alone)
    alone.voter.on_tick(4_000)
    assert votes_in(alone.voter.on_tick(begun + 12 * 333 - 1)) == []
    assert alone.voter.next_wake_ms == begun + 12 * 333
    (cast,) = votes_in(alone.voter.on_tick(begun + 12 * 333))
    assert cast == prevote("alice", alone.tree["FA"], 2)


def test_every_vote_is_in_the_journal_before_it_is_sent():
    alone = Alone()
    (sent,) = votes_in(alone.voter.on_tick(700))
    assert [vote.message for vote in alone.journal.load(0).votes] == [sent]


def test_own_votes_are_repeated_in_new_envelopes():
    alone = Alone()
    alone.voter.on_peer_connected(0, PEER)
    alone.voter.on_tick(0)
    alone.voter.on_tick(700)
    repeated = [alone.voter.on_tick(now) for now in (1_000, 2_000, 3_000)]
    envelopes = [one.envelope for effects in repeated for one in effects if isinstance(one, Gossip)]
    assert len({envelope.beat for envelope in envelopes}) == 3
    assert len({votes_in(effects)[0] for effects in repeated}) == 1


def test_votes_of_a_round_that_has_just_begun_are_not_repeated():
    alone = Alone()
    alone.voter.on_peer_connected(0, PEER)
    begun = final_at(alone)
    assert votes_in(alone.voter.on_tick(begun + 999)) == []
    again = votes_in(alone.voter.on_tick(begun + 1_999))
    assert [vote.id for vote in again] == [authority("alice")] * len(again) != []


@pytest.mark.parametrize(
    ("slot_ms", "gossip_ms", "quiet_ms"),
    [
        (500, 83, 2_500),
        (1_000, 166, 2_500),
        (3_000, 500, 7_500),
        (6_000, 1_000, 15_000),
        (60_000, 1_000, 15_000),
    ],
)
def test_gossip_has_a_sixth_of_a_slot_and_a_start_listens_for_over_two(
    slot_ms, gossip_ms, quiet_ms
):
    config = VoterConfig.for_slots(slot_ms)
    assert (config.gossip_ms, config.quiet_ms) == (gossip_ms, quiet_ms)


@pytest.mark.parametrize(
    ("signed", "round_number", "set_id", "verdict"),
    [
        (lambda tree: prevote("mallory", tree["E"]), 1, 0, Verdict.REJECT),
        (lambda tree: prevote("bob", tree["E"], 2), 1, 0, Verdict.REJECT),
        (lambda tree: prevote("bob", BlockRef(tree["E"].hash, 6)), 1, 0, Verdict.REJECT),
        (lambda tree: prevote("bob", tree["E"], 1, 1), 1, 1, Verdict.IGNORE),
        (lambda tree: prevote("bob", tree["A"]), 1, 0, Verdict.IGNORE),
        (lambda tree: prevote("bob", tree["E"], 5), 5, 0, Verdict.IGNORE),
        (lambda tree: prevote("bob", tree["E"], 2), 2, 0, Verdict.ACCEPT),
        (lambda tree: prevote("bob", BlockRef(Hash(b"?" * 32), 9)), 1, 0, Verdict.ACCEPT),
    ],
)
def test_verdicts_on_votes(signed, round_number, set_id, verdict):
    alone = Alone()
    assert alone.hear(0, signed(alone.tree), round_number, set_id).verdict is verdict


def test_a_repeated_vote_is_forwarded_at_most_twice_an_interval():
    alone = Alone()
    signed = prevote("bob", alone.tree["E"])
    verdicts = [alone.hear(now, signed).verdict for now in range(0, 2_000, 100)]
    assert verdicts.count(Verdict.ACCEPT) == 4


def test_an_equivocation_is_reported_once():
    alone = Alone()
    alone.hear(0, prevote("bob", alone.tree["EA"]))
    handled = alone.hear(1, prevote("bob", alone.tree["F"]))
    (report,) = handled.effects
    assert isinstance(report, ReportEquivocation)
    assert (report.evidence.authority, report.evidence.round_number) == (authority("bob"), 1)
    third = alone.hear(2, prevote("bob", alone.tree["FA"]))
    assert (third.verdict, third.effects) == (Verdict.IGNORE, [])


def test_votes_for_unknown_blocks_count_when_the_block_comes():
    alone = Alone()
    fresh = fork_tree()
    fresh.push("ED", "EE")
    for name in ("bob", "carol", "dave"):
        alone.hear(0, prevote(name, fresh["EE"]))
    assert alone.voter.round.prevotes.weight == 0
    alone.tree.push("ED", "EE")
    alone.voter.on_block_imported(1, alone.tree["EE"].hash)
    assert alone.voter.round.state().prevote_ghost == fresh["EE"]


def test_an_authority_cannot_fill_the_memory_with_votes():
    alone = Alone()
    for number in range(50):
        alone.hear(0, prevote("bob", BlockRef(Hash(number.to_bytes(32, "big")), 9)))
        alone.hear(0, prevote("bob", BlockRef(Hash(number.to_bytes(32, "big")), 9), 2), 2)
    assert len(alone.voter._rounds.waiting) == 2
    assert sum(len(votes) for votes in alone.voter._rounds._early.values()) == 2
    assert len(alone.voter._forwarded_ms) == 4


def test_a_commit_finalizes_for_a_node_that_lags():
    alone = Alone()
    tree = alone.tree
    others = ("bob", "carol", "dave")
    votes = [precommit(name, tree["EB"], 7) for name in others]
    handled = alone.hear_commit(0, "EA", votes, 7)
    assert handled.verdict is Verdict.ACCEPT
    (final,) = handled.effects
    assert isinstance(final, Finalize)
    assert final.block == tree["EA"]
    assert alone.hear_commit(1, "EA", votes, 7).verdict is Verdict.IGNORE
    assert alone.hear_commit(1, "EB", votes[:2], 7).verdict is Verdict.REJECT
    assert alone.hear_commit(1, "EB", votes, 8).verdict is Verdict.REJECT


def test_a_commit_for_unknown_blocks_waits():
    alone = Alone()
    fresh = fork_tree()
    fresh.push("ED", "EE")
    alone_tree, alone.tree = alone.tree, fresh
    votes = [precommit(name, fresh["EE"], 7) for name in ("bob", "carol", "dave")]
    assert alone.hear_commit(0, "EE", votes, 7).effects == []
    alone_tree.push("ED", "EE")
    effects = alone.voter.on_block_imported(1, fresh["EE"].hash)
    assert [effect.block for effect in effects if isinstance(effect, Finalize)] == [fresh["EE"]]


def test_a_proof_against_finality_is_reported_and_not_followed():
    alone = Alone()
    tree = alone.tree
    alone.voter.on_finalized(0, tree["F"])
    votes = [precommit(name, tree["EC"], 7) for name in ("bob", "carol", "dave")]
    (conflict,) = alone.hear_commit(1, "EC", votes, 7).effects
    assert isinstance(conflict, ReportConflict)
    assert conflict.finalized == tree["F"]
    assert alone.hear_commit(2, "EC", votes, 7).effects == []
    assert alone.voter.finalized == tree["F"]


def test_a_higher_round_is_asked_for_and_entered():
    alone = Alone()
    handled = alone.hear(0, prevote("bob", alone.tree["E"], 10), 10)
    assert handled.effects == [AskCatchUp(PEER, CatchUpRequest(0, 1))]
    assert alone.hear(1, prevote("carol", alone.tree["E"], 10), 10).effects == []  # not yet again
    handled = alone.answer(2, CatchUpResponse(FIRST, catch_up(alone), []))
    assert handled.verdict is Verdict.ACCEPT
    assert alone.voter.round_number == 10
    assert alone.voter.finalized == alone.tree["EA"]
    assert alone.journal.load(0).completed == catch_up(alone)


def test_false_catch_ups_are_refused():
    alone = Alone()
    good = catch_up(alone)
    unsigned = replace(good, round_number=10)
    stranger = replace(
        good, prevotes=[signed_prevote(prevote("mallory", alone.tree["E"], 9)), *good.prevotes]
    )
    light = replace(good, precommits=good.precommits[1:])
    lost = replace(good, base_hash=Hash(b"?" * 32))
    verdicts = [
        alone.answer(0, CatchUpResponse(FIRST, one, [])).verdict
        for one in (unsigned, stranger, light, lost)
    ]
    assert verdicts == [Verdict.REJECT, Verdict.REJECT, Verdict.IGNORE, Verdict.IGNORE]
    assert alone.voter.round_number == 1
    late = CatchUpResponse(FIRST, None, [VoteMessage(1, 0, prevote("mallory", alone.tree["E"]))])
    assert alone.answer(0, late).verdict is Verdict.REJECT


def test_blocks_of_a_completed_round_are_asked_for_until_it_is_entered():
    """They may be on branches that lost, which no peer's best chain brings."""
    alone = Alone()
    whole, missing = catch_up(alone), [Hash(bytes([place]) * 32) for place in range(3)]
    votes = [signed_prevote(prevote("carol", BlockRef(block, 9), 9)) for block in missing]
    others = [vote for vote in whole.prevotes if vote.id != authority("carol")]
    unknown = CatchUpResponse(FIRST, replace(whole, prevotes=[*others, *votes]), [])
    assert alone.answer(0, unknown).verdict is Verdict.IGNORE
    named = {vote.precommit.target_hash for vote in whole.precommits} | set(missing[:2])
    assert set(alone.voter.awaited_blocks) == named, "two of a voter at most"
    alone.answer(1, CatchUpResponse(FIRST, whole, []))
    assert alone.voter.round_number == 10
    assert alone.voter.awaited_blocks == []


def test_answers_hold_what_the_peer_lacks():
    alone = Alone()
    alone.answer(0, CatchUpResponse(FIRST, catch_up(alone), []))
    alone.hear(1, prevote("bob", alone.tree["EB"], 10), 10)
    behind = alone.voter.answer_catch_up(CatchUpRequest(0, 9))
    assert behind == CatchUpResponse(
        View(10, 0, 6), catch_up(alone), [VoteMessage(10, 0, prevote("bob", alone.tree["EB"], 10))]
    )
    assert alone.voter.answer_catch_up(CatchUpRequest(0, 10)).catch_up is None
    assert alone.voter.answer_catch_up(CatchUpRequest(3, 1)) == CatchUpResponse(
        View(10, 0, 6), None, []
    )


def test_a_stalled_round_asks_the_peers_in_turn():
    alone = Alone()
    for name in ("one", "two"):
        assert len(alone.voter.on_peer_connected(0, PeerId(name))) == 1
    asked = [
        effect.peer
        for now in range(0, 11_000, 1_000)
        for effect in alone.voter.on_tick(now)
        if isinstance(effect, AskCatchUp)
    ]
    assert asked == ["two", "one", "two", "one", "two"]


def test_the_primary_hints_at_an_estimate_that_is_not_final():
    alone = Alone()
    tree = alone.tree
    alone.voter.on_finalized(0, tree["C"])
    open_round = catch_up(alone, 7, "EB")  # round 8 is alice's: 8 mod 4 is 0
    split = replace(
        open_round,
        prevotes=[signed_prevote(prevote(n, tree["EB"], 7)) for n in ("bob", "carol", "dave")],
        precommits=[
            signed_precommit(precommit("bob", tree["EB"], 7)),
            signed_precommit(precommit("carol", tree["EB"], 7)),
            signed_precommit(precommit("dave", tree["F"], 7)),
        ],
    )
    handled = alone.answer(1, CatchUpResponse(FIRST, split, []))
    (hint,) = votes_in(handled.effects)
    assert type(hint.message).__name__ == "PrimaryPropose"
    assert hint.message.target == tree["EB"]


def test_a_new_set_starts_over_and_an_outsider_falls_silent():
    alone = Alone()
    alone.voter.on_tick(700)
    without = authority_set({"bob": 1, "carol": 1}, set_id=1)
    alone.voter.enact(1_000, without, alone.tree["E"])
    assert (alone.voter.round_number, alone.voter.is_voting) == (1, False)
    assert votes_in(alone.voter.on_tick(5_000)) == []
    back = authority_set(FOUR, set_id=2)
    alone.voter.enact(6_000, back, alone.tree["E"])
    (cast,) = votes_in(alone.voter.on_tick(6_700))
    assert cast == prevote("alice", cast.message.target, 1, 2)


@pytest.mark.parametrize("is_new", [False, True])
def test_a_key_that_enters_the_voters_later_is_listened_for_unless_it_was_made_here(is_new: bool):
    alone = Alone()
    alone.voter._signers = [replace(signer("alice"), is_new=is_new)]
    alone.voter.enact(0, authority_set({"bob": 1, "carol": 1}, set_id=1), alone.tree["E"])
    assert not alone.journal.has_voted(signer("alice").authority)
    alone.voter.enact(1_000, authority_set(FOUR, set_id=2), alone.tree["E"])
    assert bool(votes_in(alone.voter.on_tick(1_700))) is is_new
    told = alone.answer(2_000, CatchUpResponse(View(1, 2, 0), None, []))
    assert bool(votes_in(told.effects)) is not is_new
    assert alone.journal.has_voted(signer("alice").authority)


def test_without_its_blocks_a_restarted_voter_watches_until_it_has_caught_up():
    alone = Alone()
    alone.answer(0, CatchUpResponse(FIRST, catch_up(alone), []))
    recorded = votes_in(alone.voter.on_tick(700))
    assert len(recorded) == 1
    alone.journal.record_completed(0, replace(catch_up(alone), base_hash=Hash(b"?" * 32)))
    lost = Alone(alone.journal)
    lost.voter.on_peer_connected(0, PEER)
    assert lost.voter.round_number == 1
    assert votes_in(lost.voter.on_tick(5_000)) == recorded  # said again, and nothing new
    lost.answer(5_001, CatchUpResponse(FIRST, catch_up(alone, 10), []))
    assert lost.voter.round_number == 11
    (cast,) = votes_in(lost.voter.on_tick(5_700))
    assert cast == prevote("alice", cast.message.target, 11)
