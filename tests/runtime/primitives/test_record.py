"""Records behave as frozen, slotted dataclasses do."""

import dataclasses

import pytest

from runtime.primitives.record import record


@record
class Point:
    x: int
    y: int = 7


@record
class Tags:
    names: list[str] = dataclasses.field(default_factory=list)


@record
class Even:
    value: int

    def __post_init__(self) -> None:
        if self.value % 2:
            raise ValueError("odd")


@record
class Nothing:
    pass


def test_fields_come_by_place_by_name_and_by_default() -> None:
    assert Point(1) == Point(x=1, y=7) == Point(y=7, x=1)
    assert (Point(1, 2).x, Point(1, 2).y) == (1, 2)
    assert repr(Point(1)) == "Point(x=1, y=7)"
    assert hash(Point(1)) == hash(Point(1, 7)) != hash(Point(1, 8))
    assert dataclasses.replace(Point(1), y=2) == Point(1, 2)
    assert Nothing() == Nothing()


def test_missing_and_unknown_fields_are_refused() -> None:
    with pytest.raises(TypeError, match=r"Point.__init__\(\) missing 1 required .*'x'"):
        Point()
    with pytest.raises(TypeError, match="unexpected keyword argument 'z'"):
        Point(1, z=3)


def test_records_cannot_be_changed() -> None:
    point = Point(1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        point.x = 2
    assert not hasattr(point, "__dict__")


def test_factories_and_checks_are_kept() -> None:
    first, second = Tags(), Tags()
    assert first.names == []
    assert first.names is not second.names
    with pytest.raises(ValueError, match="odd"):
        Even(3)
