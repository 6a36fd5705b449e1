"""The order of duties."""

from __future__ import annotations

from flockchain.workers.rota import Rota


def test_every_duty_is_served_although_each_tick_is_cut_short() -> None:
    rota: Rota[int] = Rota()
    served: list[int] = []
    for _ in range(4):
        chunk = rota.order(range(10))[:3]
        rota.served(chunk)
        served += chunk
    assert served == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]


def test_new_duties_come_first_and_ended_ones_are_forgotten() -> None:
    rota: Rota[str] = Rota()
    rota.served(rota.order("ab"))
    assert rota.order("abc") == ["c", "a", "b"]
    rota.served(["c"])
    assert rota.order("bc") == ["b", "c"]
    assert rota.order("abc") == ["a", "b", "c"]  # `a` was away and is new again
