"""Observation: silent until a peer has answered; a lost journal costs a round more."""

from flockchain.consensus.grandpa.observation import RECOVERY_MS, Observation


def update(
    observation: Observation, now_ms: int, round_number: int, *, alone: bool = False
) -> bool:
    observation.update(now_ms, round_number, decides_alone=alone)
    return observation.is_over


def test_it_ends_with_the_quiet_time_and_an_answer():
    observation = Observation(0, 1_500, is_recovery=False)
    assert not update(observation, 2_000, 4)
    observation.hear(4)
    assert observation.is_heard
    assert update(observation, 2_000, 4)
    early = Observation(0, 1_500, is_recovery=False)
    early.hear(1)
    assert not update(early, 1_499, 1)
    assert update(early, 1_500, 1)


def test_who_decides_alone_needs_no_answer():
    observation = Observation(0, 1_500, is_recovery=False)
    assert not update(observation, 1_499, 1, alone=True)
    assert update(observation, 1_500, 1, alone=True)


def test_an_answer_of_another_set_does_not_count():
    observation = Observation(0, 0, is_recovery=False)
    observation.hear(7)
    observation.enter_set()
    assert not update(observation, 5_000, 1)
    observation.hear(1)
    assert update(observation, 5_000, 1)
    observation.enter_set()
    assert observation.is_over


def test_recovery_skips_the_rounds_in_which_the_key_can_have_voted():
    observation = Observation(0, 1_000, is_recovery=True)
    observation.hear(7)
    assert [update(observation, 1_000, number) for number in (5, 8)] == [False, False]
    observation.hear(30)  # too late: what others do now is none of our past
    assert observation.takes_votes_over
    assert update(observation, 2_000, 9)
    assert not observation.takes_votes_over


def test_recovery_speaks_in_a_round_that_does_not_end_without_it():
    observation = Observation(0, 1_000, is_recovery=True)
    observation.hear(7)
    assert not update(observation, 1_000, 7)
    assert not update(observation, 999 + RECOVERY_MS, 7)
    assert update(observation, 1_000 + RECOVERY_MS, 7)
