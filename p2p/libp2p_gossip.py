"""Gossip over py-libp2p's gossipsub 1.1, judged by the node.

It owns the router's parameters and `NodePubsub`: content message ids, three verdicts, limits per
peer and bounded send queues. Invariant: the node judges a message at most once at a time, only an
accepted message is forwarded, and no frame of a peer ends the service.
Source: WP II.A (peer-to-peer layer); libp2p gossipsub 1.1
"""

import logging
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final, cast

import libp2p.pubsub.pubsub as library
import trio
from libp2p.custom_types import TProtocol
from libp2p.exceptions import ValidationError
from libp2p.pubsub.gossipsub import GossipSub
from libp2p.pubsub.rpc_queue import RpcQueue
from libp2p.pubsub.score import ScoreParams, TopicScoreParams

from p2p.interface import Verdict
from p2p.seen import SeenMessages, message_id

MESHSUB: Final = TProtocol("/meshsub/1.1.0")
RPC_SIZE_MAX: Final = 1024 * 1024
"""One gossip frame; the largest message is half of it."""
JUDGED_MAX: Final = 256
JUDGED_PER_PEER_MAX: Final = 64
JUDGE_TIMEOUT_S: Final = 10.0
MESSAGES_PER_S_MAX: Final = 300
"""Messages a second that a peer may send in the long run, duplicates included."""
MESSAGES_BURST: Final = 1_500
QUEUED_RPCS_MAX: Final = 1_024
QUEUED_BYTES_MAX: Final = 8 * 1024 * 1024
"""What waits to be sent to one peer; more is dropped, as gossip may be."""
RECENT_IDS_MAX: Final = 8_192
"""Peers offer what came in the last three seconds."""
GRAYLIST_SCORE: Final = -80.0
BAD_FRAME_PENALTY: Final = 10.0

Judge = Callable[[Any, str, bytes], Awaitable[Verdict]]
"""(forwarding peer, topic name, data) to the node's verdict."""

logger = logging.getLogger(__name__)


class Ignored(Exception):
    """A message that is neither delivered nor held against anyone."""


class _BoundedQueue(RpcQueue):
    """The library's send queue, with a limit in bytes."""

    def __init__(self) -> None:
        super().__init__(QUEUED_RPCS_MAX)
        self._bytes = 0

    def push(self, rpc: Any, priority: bool = False) -> bool:
        size = rpc.ByteSize()
        if self._bytes + size > QUEUED_BYTES_MAX or not super().push(rpc, priority):
            return False
        self._bytes += size
        return True

    async def pop(self) -> Any:
        rpc = await super().pop()
        if rpc is not None:
            self._bytes -= rpc.ByteSize()
        return rpc


class _RecentIds:
    """The ids by which peers offer what they have: what is here is not asked for again.

    They name the sender and its count, unlike ours. The library's table has no bound.
    """

    def __init__(self) -> None:
        self._ids: OrderedDict[bytes, None] = OrderedDict()

    def has(self, identity: bytes) -> bool:
        return identity in self._ids

    def add(self, identity: bytes) -> None:
        self._ids[identity] = None
        if len(self._ids) > RECENT_IDS_MAX:
            self._ids.popitem(last=False)


class _Allowance:
    """A token bucket for one peer."""

    def __init__(self) -> None:
        self._tokens = float(MESSAGES_BURST)
        self._at = trio.current_time()

    def take(self) -> bool:
        now = trio.current_time()
        gained = (now - self._at) * MESSAGES_PER_S_MAX
        self._tokens = min(float(MESSAGES_BURST), self._tokens + gained)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class NodePubsub(library.Pubsub):
    """The library's pubsub, with the node as the judge of every message."""

    def __init__(
        self, host: Any, router: GossipSub, judge: Judge, topics: dict[str, tuple[str, int]]
    ) -> None:
        """`topics` maps the topic on the wire to its name and size limit in bytes."""
        super().__init__(
            host,
            router,
            strict_signing=True,
            msg_id_constructor=_identify,
            max_inbound_rpc_size=RPC_SIZE_MAX,
            max_subscriptions_per_peer=32,
            allowed_topics=frozenset(topics),
        )
        self._judge = judge
        self._topics = topics
        self._known = SeenMessages()
        self.seen_messages.stop()  # the library's table, with a thread of its own
        self.seen_messages = _RecentIds()  # type: ignore[assignment]
        self._judged: set[bytes] = set()
        self._judged_by_peer: Counter[Any] = Counter()
        self._allowances: dict[Any, _Allowance] = {}

    def notify_subscriptions(self, publish_message: Any) -> None:
        """Do nothing: the node got the message when it judged it, no queue may overflow."""

    async def validate_msg(self, msg_forwarder: Any, msg: Any) -> None:
        """Ask the node. Raises: ValidationError: rejected; Ignored: not now."""
        if len(msg.topicIDs) != 1 or msg.topicIDs[0] not in self._topics:
            raise ValidationError("not one known topic")
        name, size_max = self._topics[msg.topicIDs[0]]
        identity = self.get_message_id(msg)
        if len(msg.data) > size_max or self._known.is_bad(identity):
            raise ValidationError("too large or known to be bad")
        if msg_forwarder == self.my_id:
            return
        verdict = await self._judge_once(msg_forwarder, identity, name, msg.data)
        # No checkpoint from here until the message is marked as seen.
        if verdict is Verdict.REJECT:
            self._known.add_bad(identity)
            raise ValidationError("rejected")
        if verdict is not Verdict.ACCEPT:
            raise Ignored

    async def push_msg(self, msg_forwarder: Any, msg: Any) -> None:
        """Take in one message; nothing a peer sends raises."""
        if msg_forwarder == self.my_id:
            with suppress(Ignored):
                await super().push_msg(msg_forwarder, msg)
            return
        if not self._allowances.setdefault(msg_forwarder, _Allowance()).take():
            self._penalize(msg_forwarder, 0.1)
            return
        # Whoever sent it need not get it from us; the router forgets that with each heartbeat.
        router: Any = self.router
        if msg_forwarder in router.dont_send_message_ids:
            router.dont_send_message_ids[msg_forwarder].add(self.get_message_id(msg))
        try:
            await super().push_msg(msg_forwarder, msg)
        except Ignored:
            return
        except Exception as error:  # noqa: BLE001  whatever the bytes provoked
            logger.info("malformed gossip message from %s: %r", msg_forwarder, error)
            self._penalize(msg_forwarder, BAD_FRAME_PENALTY)

    async def continuously_read_stream(self, stream: Any) -> None:
        """Read gossip frames of one peer until the stream ends or breaks the format."""
        peer = stream.muxed_conn.peer_id
        try:
            await super().continuously_read_stream(stream)
        except Exception as error:  # noqa: BLE001  whatever the bytes provoked
            logger.info("malformed gossip frame from %s: %r", peer, error)
            self._penalize(peer, BAD_FRAME_PENALTY)
            with suppress(Exception):
                await stream.reset()
            self._handle_dead_peer(peer)

    def forget(self, peer: Any) -> None:
        """Drop the allowance of a peer that is gone."""
        self._allowances.pop(peer, None)

    def score(self, peer: Any) -> float:
        """The router's score of a peer over all topics."""
        scorer: Any = self.router.scorer  # type: ignore[attr-defined]
        return float(scorer.score(peer, list(self._topics)))

    def is_in_mesh(self, peer: Any, topic: str) -> bool:
        """Whether messages of a topic on the wire go to `peer` directly."""
        router: Any = self.router
        return peer in router.mesh.get(topic, ())

    async def _judge_once(self, peer: Any, identity: bytes, name: str, data: bytes) -> Verdict:
        if (
            identity in self._judged
            or len(self._judged) >= JUDGED_MAX
            or self._judged_by_peer[peer] >= JUDGED_PER_PEER_MAX
        ):
            raise Ignored
        self._judged.add(identity)
        self._judged_by_peer[peer] += 1
        verdict = Verdict.IGNORE
        try:
            with trio.move_on_after(JUDGE_TIMEOUT_S):
                verdict = await self._judge(peer, name, data)
        finally:
            self._judged.discard(identity)
            self._judged_by_peer[peer] -= 1
            if not self._judged_by_peer[peer]:
                del self._judged_by_peer[peer]
        return verdict

    def _is_msg_seen(self, msg: Any) -> bool:
        """Also while it is judged: a copy's signature is not worth a check then."""
        identity = self.get_message_id(msg)
        return identity in self._judged or self._known.is_seen(identity, _now_ms())

    def _mark_msg_seen(self, msg: Any) -> None:
        self._known.add(self.get_message_id(msg), _now_ms())
        self.seen_messages.add(msg.from_id + msg.seqno)

    def _penalize(self, peer: Any, amount: float) -> None:
        scorer: Any = self.router.scorer  # type: ignore[attr-defined]
        scorer.penalize_behavior(peer, amount)


def build_router() -> GossipSub:
    """Gossipsub 1.1 with our parameters: what the library adds on top is off."""
    patched: Any = library
    patched.RpcQueue = _BoundedQueue
    patched.SUBSCRIPTION_CHANNEL_SIZE = 1
    router: Any = GossipSub(
        protocols=[MESHSUB],
        degree=6,
        degree_low=4,
        degree_high=12,
        heartbeat_interval=1,
        heartbeat_initial_delay=0.1,
        gossip_window=3,
        gossip_history=6,
        do_px=False,
        # Moves the heartbeat to 30 s on small networks.
        adaptive_gossip_enabled=False,
        # Drops our own messages above 10 a second.
        spam_protection_enabled=False,
        eclipse_protection_enabled=False,
        score_params=ScoreParams(
            p4_invalid_messages=TopicScoreParams(weight=10, cap=100, decay=0.99),
            p5_behavior_penalty_weight=1,
            p5_behavior_penalty_decay=0.99,
            publish_threshold=-40,
            gossip_threshold=-20,
            graylist_threshold=GRAYLIST_SCORE,
        ),
    )
    # Keeps up to 1,000 whole messages to detect what content ids make pointless.
    router._check_equivocation = lambda _message: True
    return cast(GossipSub, router)


def _identify(message: Any) -> bytes:
    topic = message.topicIDs[0] if message.topicIDs else ""
    return message_id(topic, message.data)


def _now_ms() -> int:
    return int(trio.current_time() * 1000)
