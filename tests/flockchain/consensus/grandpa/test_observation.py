"""Observation: silent until a peer has answered; a lost journal costs a round more."""

from flockchain.consensus.grandpa.observation import RECOVERY_MS, SHOWN_MS, Observation


def update(
    observation: Observation, now_ms: int, round_number: int, *, alone: bool = False
) -> bool:
    observation.update(now_ms, round_number, decides_alone=alone)
    return observation.is_over


def test_it_ends_with_the_quiet_time_and_an_answer():
    observation = Observation(0, 1_500, is_recovery=False)
    assert not update(observation, 2_000, 4)
    observation.hear(0, 4)
    assert observation.is_heard
    assert update(observation, 2_000, 4)
    early = Observation(0, 1_500, is_recovery=False)
    early.hear(0, 1)
    assert not update(early, 1_499, 1)
    assert update(early, 1_500, 1)


def test_who_decides_alone_needs_no_answer():
    observation = Observation(0, 1_500, is_recovery=False)
    assert not update(observation, 1_499, 1, alone=True)
    assert update(observation, 1_500, 1, alone=True)


def test_an_answer_of_another_set_does_not_count():
    observation = Observation(0, 0, is_recovery=False)
    observation.hear(0, 7)
    observation.enter_set()
    assert not update(observation, 5_000, 1)
    observation.hear(0, 1)
    assert update(observation, 5_000, 1)
    observation.enter_set()
    assert observation.is_over


def test_while_a_later_round_is_proven_an_answer_from_ours_does_not_count():
    observation = Observation(0, 0, is_recovery=False)
    observation.hear(0, 1)
    observation.show(10, 7)
    assert not observation.is_heard
    observation.hear(20, 7)
    assert not update(observation, 20, 7)
    observation.hear(30, 8)
    assert update(observation, 30, 8)


def test_a_proven_round_that_nobody_can_show_is_not_waited_for_for_ever():
    observation = Observation(0, 0, is_recovery=False)
    observation.show(0, 7)
    observation.hear(SHOWN_MS - 1, 7)
    assert not update(observation, SHOWN_MS - 1, 7)
    observation.hear(SHOWN_MS, 7)
    assert update(observation, SHOWN_MS, 7)


def test_another_set_has_rounds_of_its_own():
    observation = Observation(0, 0, is_recovery=False)
    observation.show(0, 7)
    observation.enter_set()
    observation.hear(1, 1)
    assert update(observation, 1, 1)


def test_recovery_skips_the_rounds_in_which_the_key_can_have_voted():
    observation = Observation(0, 1_000, is_recovery=True)
    observation.hear(0, 7)
    assert [update(observation, 1_000, number) for number in (5, 8)] == [False, False]
    observation.hear(0, 30)  # too late: what others do now is none of our past
    assert observation.takes_votes_over
    assert update(observation, 2_000, 9)
    assert not observation.takes_votes_over


def test_recovery_speaks_in_a_round_that_does_not_end_without_it():
    observation = Observation(0, 1_000, is_recovery=True)
    observation.hear(0, 7)
    assert not update(observation, 1_000, 7)
    assert not update(observation, 999 + RECOVERY_MS, 7)
    assert update(observation, 1_000 + RECOVERY_MS, 7)
