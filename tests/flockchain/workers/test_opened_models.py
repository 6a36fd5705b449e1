"""Opened models in memory, and no more of them than fit."""

from __future__ import annotations

from flockchain.workers.opened_models import OpenedModels


def test_the_least_recently_used_make_room() -> None:
    models = OpenedModels(bytes_max=10)
    for name in (b"a", b"b"):
        models.put(name, name * 5)
    assert models.find(b"a") == b"aaaaa"
    models.put(b"a", b"aaaaa")
    models.put(b"c", b"ccccc")
    assert models.find(b"b") is None
    assert (models.find(b"a"), models.find(b"c")) == (b"aaaaa", b"ccccc")


def test_what_is_larger_than_all_room_is_not_kept() -> None:
    models = OpenedModels(bytes_max=10)
    models.put(b"a", b"a")
    models.put(b"b", b"b" * 11)
    assert (models.find(b"a"), models.find(b"b")) == (b"a", None)
