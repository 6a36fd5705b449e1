"""Vote policies: what each says where an honest voter would have rejected."""

from __future__ import annotations

from ml.attacks.votes import (
    Judgement,
    vote_for_friends,
    vote_for_nobody,
    vote_honestly,
    vote_lazily,
    vote_within_half,
)

HONEST = Judgement(accepts=False, marks=(True, False, False))


def test_policies() -> None:
    friends = (True, False, False)
    assert vote_honestly(HONEST, friends) is HONEST
    assert vote_lazily(HONEST, friends) == Judgement(True, (False, False, False))
    assert vote_for_friends(HONEST, friends) == Judgement(True, (False, True, True))
    assert vote_for_friends(HONEST, (False,) * 3) == Judgement(False, (True, True, True))
    assert vote_within_half(HONEST, friends) == Judgement(True, (False, True, False))
    noticed = Judgement(accepts=True, marks=(False, False, False, True))
    four = vote_within_half(noticed, (True, False, False, False))
    assert four == Judgement(True, (False, True, False, True))
    assert vote_for_nobody(HONEST, friends) is None
