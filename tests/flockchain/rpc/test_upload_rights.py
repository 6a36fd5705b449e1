"""Aliases may upload what they revealed on the chain, and nothing else."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiohttp import ClientSession
from nacl.signing import SigningKey

from flockchain.blobs import BlobStore
from flockchain.rpc.blobs import BlobRoutes
from flockchain.rpc.upload_rights import UploadRefused, UploadRights, upload_message
from runtime.primitives.content_id import ContentId
from tests.flockchain.rpc.dev_node import DevNode, build, dev_node
from tests.flockchain.rpc.played_node import CODE_ONLY, insert_state
from tests.runtime.pallets.alias_world import alias_of, commit_alias, reveal_alias
from tests.runtime.pallets.arena.blind_task import running
from tests.runtime.pallets.world import World, submitted
from tests.runtime.played_state import top_of

DAY = 1
ALIAS, OTHER = alias_of("n1", "good"), alias_of("n2", "good")
MADE = submitted("good")
CIPHERTEXT = ContentId(MADE.ciphertext)


def world_at(position: int, *, is_revealed: bool) -> World:
    """A day on which n1 sealed a model under an alias, and revealed it if there was time."""
    world = running()
    world.go_to(DAY, 0)
    commit_alias(world, "n1", 0, "good")
    if is_revealed:
        world.go_to(DAY, 8)
        reveal_alias(world, "n1", 0, "good")
    world.go_to(DAY, position)
    return world


def node_of(world: World) -> DevNode:
    """A node whose best block has the world's number and state."""
    node = build(CODE_ONLY)
    for _ in range(world.number - 1):
        insert_state(node, CODE_ONLY, CODE_ONLY)
    insert_state(node, CODE_ONLY, top_of(world))
    return node


def headers(
    node: DevNode, blob: ContentId, key: SigningKey = ALIAS, task: str = "0"
) -> dict[str, str]:
    message = upload_message(node.backend.genesis, blob)
    return {
        "X-Flock-Account": "0x" + key.verify_key.encode().hex(),
        "X-Flock-Signature": "0x" + key.sign(message).signature.hex(),
        "X-Flock-Task": task,
    }


def ensure(node: DevNode, blob: ContentId, given: dict[str, str]) -> int | None:
    return UploadRights(node.backend).ensure(given, blob)


def test_an_alias_brings_the_ciphertext_that_it_revealed_in_its_size() -> None:
    node = node_of(world_at(9, is_revealed=True))
    assert ensure(node, CIPHERTEXT, headers(node, CIPHERTEXT)) == MADE.size_bytes


def test_an_alias_of_the_last_day_but_one_brings_it_on_the_final_day_too() -> None:
    world = world_at(9, is_revealed=True)
    world.go_to(DAY + 1, 11)
    node = node_of(world)
    assert ensure(node, CIPHERTEXT, headers(node, CIPHERTEXT)) == MADE.size_bytes
    world.go_to(DAY + 2, 0)
    later = node_of(world)
    with pytest.raises(UploadRefused, match="no alias of this key"):
        ensure(later, CIPHERTEXT, headers(later, CIPHERTEXT))


@pytest.mark.parametrize(
    ("blob", "key", "task", "message"),
    [
        (CIPHERTEXT, ALIAS, "1", "no alias of this key has revealed a model in task 1"),
        (CIPHERTEXT, ALIAS, "x", "X-Flock-Task is a task's number, not 'x'"),
        (CIPHERTEXT, ALIAS, "4294967296", "X-Flock-Task is a task's number, not '4294967296'"),
        (CIPHERTEXT, OTHER, "0", "no alias of this key has revealed a model in task 0"),
        (ContentId(MADE.content), ALIAS, "0", "the alias revealed another ciphertext"),
    ],
)
def test_what_an_alias_may_not_bring(
    blob: ContentId, key: SigningKey, task: str, message: str
) -> None:
    node = node_of(world_at(9, is_revealed=True))
    with pytest.raises(UploadRefused) as refused:
        ensure(node, blob, headers(node, blob, key, task))
    assert str(refused.value) == message


def test_a_seal_alone_gives_no_right() -> None:
    node = node_of(world_at(9, is_revealed=False))
    with pytest.raises(UploadRefused, match="no alias of this key has revealed a model in task 0"):
        ensure(node, CIPHERTEXT, headers(node, CIPHERTEXT))


def test_an_alias_without_the_tasks_number_is_an_account_without_money() -> None:
    node = node_of(world_at(9, is_revealed=True))
    given = headers(node, CIPHERTEXT)
    del given["X-Flock-Task"]
    with pytest.raises(UploadRefused, match="no more than the existential deposit"):
        ensure(node, CIPHERTEXT, given)


def test_another_signature_gives_no_right() -> None:
    node = node_of(world_at(9, is_revealed=True))
    given = headers(node, CIPHERTEXT)
    given["X-Flock-Account"] = headers(node, CIPHERTEXT, OTHER)["X-Flock-Account"]
    with pytest.raises(UploadRefused, match="does not verify"):
        ensure(node, CIPHERTEXT, given)


def test_an_upload_of_another_size_is_refused_before_it_is_read(tmp_path: Path) -> None:
    async def run() -> tuple[int, str]:
        node = node_of(world_at(9, is_revealed=True))
        store = BlobStore(tmp_path / "blobs", 1 << 20, 1 << 20)
        routes = BlobRoutes(
            store,
            UploadRights(node.backend),
            blob_max_bytes=1 << 20,
            upload_directory=tmp_path,
        )
        async with dev_node(blobs=routes, made=node) as running_node, ClientSession() as session:
            url = running_node.http_url + "blobs/" + CIPHERTEXT.hex()
            given, data = headers(node, CIPHERTEXT), bytes(MADE.size_bytes + 1)
            async with session.put(url, data=data, headers=given) as answer:
                return answer.status, await answer.text()

    assert asyncio.run(run()) == (422, "The alias revealed 1000 bytes.\n")
