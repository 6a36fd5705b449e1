"""Scores, their recovery, and bans."""

from p2p.interface import BAN_MS
from p2p.reputation import ENTRIES_MAX, RECOVERY_MS, Reputations


def test_scores_recover_towards_zero_from_both_sides() -> None:
    table = Reputations()
    assert not table.change("bad", -10, 0)
    assert not table.change("good", 500, 0)
    assert (table.score("bad", 0), table.score("good", 0)) == (-10, 100)
    assert table.score("bad", 4 * RECOVERY_MS) == -6
    assert table.score("good", 4 * RECOVERY_MS) == 96
    assert table.score("bad", 1_000 * RECOVERY_MS) == 0
    assert table.score("good", 1_000 * RECOVERY_MS) == 0


def test_the_threshold_bans_for_ten_minutes() -> None:
    table = Reputations()
    assert not table.change("peer", -99, 0)
    assert table.change("peer", -1, 0)
    assert table.banned_until_ms("peer", BAN_MS - 1) == BAN_MS
    assert table.banned_until_ms("peer", BAN_MS) is None
    assert table.score("peer", BAN_MS) == 0


def test_tables_are_bounded() -> None:
    table = Reputations()
    for number in range(ENTRIES_MAX + 1):
        table.change(str(number), -1, 0)
        table.ban(str(number), 0)
    assert table.score("0", 0) == 0
    assert table.score("1", 0) == -1
    assert table.banned_until_ms("0", 0) is None
    assert table.banned_until_ms("1", 0) == BAN_MS
