"""Seen and bad messages."""

from p2p import seen
from p2p.seen import BAD_MAX, SEEN_MS, SeenMessages, message_id


def test_ids_are_of_topic_and_content() -> None:
    assert len(message_id("a", b"b")) == 20
    assert len({message_id("a", b"b"), message_id("b", b"a"), message_id("ab", b"")}) == 3


def test_a_message_is_new_again_after_a_while() -> None:
    known = SeenMessages()
    assert known.add(b"x", 0)
    assert not known.add(b"x", SEEN_MS - 1)
    assert known.add(b"x", SEEN_MS)
    assert known.is_seen(b"x", 2 * SEEN_MS - 1)
    assert not known.is_seen(b"x", 2 * SEEN_MS)


def test_tables_are_bounded() -> None:
    known = SeenMessages()
    for number in range(seen.SEEN_MAX + 1):
        known.add(number.to_bytes(4, "big"), 0)
    assert not known.is_seen(bytes(4), 0)
    assert known.is_seen((1).to_bytes(4, "big"), 0)
    for number in range(BAD_MAX + 1):
        known.add_bad(number.to_bytes(4, "big"))
    assert not known.is_bad(bytes(4))
    assert known.is_bad((1).to_bytes(4, "big"))
