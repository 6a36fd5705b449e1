"""Model registry: one model a task, lineage over tasks."""

from __future__ import annotations

import pytest

from runtime.pallets.model_registry import Model, ModelRecorded
from tests.runtime.pallets.world import account, content, new_world

OWNER = account("n1")


def test_a_model_is_recorded_once_with_its_parents() -> None:
    world = new_world()
    models = world.models
    models.record_model(3, content("child"), 5, OWNER, (7, 2), [content("parent")])
    assert models.model_of(3) == Model(content("child"), 3, 5, OWNER, 7, 2, [content("parent")], 1)
    assert models.model_of(4) is None
    assert world.events(ModelRecorded) == [ModelRecorded(3, content("child"), OWNER)]
    with pytest.raises(AssertionError, match="task 3 has a model"):
        models.record_model(3, content("other"), 5, OWNER, (7, 2), [])


def test_lineage_leads_back_through_tasks_without_repeating() -> None:
    models = new_world().models
    models.record_model(0, content("root"), 0, OWNER, (1, 1), [content("outside")])
    models.record_model(1, content("left"), 0, OWNER, (1, 1), [content("root")])
    models.record_model(2, content("right"), 0, OWNER, (1, 1), [content("root")])
    models.record_model(3, content("tip"), 0, OWNER, (1, 1), [content("left"), content("right")])
    assert [model.task for model in models.lineage(content("tip"))] == [3, 1, 2, 0]
    assert models.lineage(content("outside")) == []


def test_one_content_may_win_two_tasks() -> None:
    models = new_world().models
    models.record_model(8, content("same"), 0, OWNER, (1, 1), [])
    models.record_model(2, content("same"), 0, OWNER, (1, 1), [content("same")])
    models.try_state()
    assert [model.task for model in models.lineage(content("same"))] == [8]
