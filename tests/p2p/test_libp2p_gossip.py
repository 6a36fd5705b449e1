"""What a node does with copies of one message: judged once, and not sent to those who have it."""

import asyncio
from typing import Any

import libp2p.pubsub.pubsub as library
import pytest
import trio
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.peer.id import ID
from libp2p.pubsub.pb import rpc_pb2

from p2p.libp2p_gossip import RECENT_IDS_MAX, NodePubsub, _RecentIds
from tests.p2p.live import LiveNode, star

TOPIC = "transactions"


def outsiders_message(wire_topic: str, data: bytes) -> Any:
    """A message that somebody signed who is no peer of ours."""
    pair = create_new_key_pair(b"\x77" * 32)
    sender = ID.from_pubkey(pair.public_key).to_bytes()
    message = rpc_pb2.Message(data=data, topicIDs=[wire_topic], from_id=sender, seqno=bytes(8))
    signed = library.PUBSUB_SIGNING_PREFIX.encode() + message.SerializeToString()
    message.signature = pair.private_key.sign(signed)
    message.key = pair.public_key.serialize()
    return message


def pubsub_of(node: LiveNode) -> tuple[NodePubsub, Any, str]:
    """A node's pubsub, its router and the topic's name on the wire."""
    pubsub = node.network._pubsub
    return pubsub, pubsub.router, node.network._names.topic(TOPIC)


def test_copies_are_checked_once_and_sent_to_nobody_who_has_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    checked: list[bytes] = []
    check = library.signature_validator

    def counted(message: Any) -> bool:
        checked.append(message.data)
        return check(message)

    async def main() -> None:
        async with star(4) as nodes:
            pubsub, router, wire_topic = pubsub_of(nodes[0])
            copies, sent = outsiders_message(wire_topic, b"copied"), []
            monkeypatch.setattr(router, "_prune_idontwant_entries", lambda: None)  # a heartbeat
            monkeypatch.setattr(library, "signature_validator", counted)
            monkeypatch.setattr(router, "send_rpc", lambda peer, *_: sent.append(str(peer)))

            async def arrive() -> None:
                async with trio.open_nursery() as nursery:
                    for node in nodes[1:3]:
                        nursery.start_soon(pubsub.push_msg, ID.from_string(node.peer), copies)

            await nodes[0].on_trio(arrive)
            assert sent == [nodes[3].peer]
            monkeypatch.undo()

    asyncio.run(main())
    assert checked == [b"copied"]


def test_what_is_known_is_not_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with star(3) as nodes:
            pubsub, router, wire_topic = pubsub_of(nodes[0])
            known, peer = outsiders_message(wire_topic, b"known"), ID.from_string(nodes[1].peer)
            wanted: list[bytes] = []

            async def note(identities: list[bytes], _peer: ID) -> None:
                wanted.extend(identities)

            async def offer() -> None:
                await pubsub.push_msg(peer, known)
                monkeypatch.setattr(router, "emit_iwant", note)
                offered = [known.from_id + known.seqno, known.from_id + b"\x01" * 8]
                await router.handle_ihave(
                    rpc_pb2.ControlIHave(topicID=wire_topic, messageIDs=offered),
                    peer,
                )
                assert wanted == offered[1:]

            await nodes[0].on_trio(offer)
            monkeypatch.undo()

    asyncio.run(main())


def test_the_ids_of_recent_messages_are_bounded() -> None:
    recent = _RecentIds()
    for number in range(RECENT_IDS_MAX + 1):
        recent.add(number.to_bytes(4, "big"))
    assert not recent.has(bytes(4))
    assert recent.has((1).to_bytes(4, "big"))
    assert recent.has(RECENT_IDS_MAX.to_bytes(4, "big"))
