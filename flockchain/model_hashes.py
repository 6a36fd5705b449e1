"""Which model hashes a node forwards: signed, by participants, new, and not too many.

Owns the rule of the gossip topic `model-hashes`, with what it must remember: messages seen, the
newest period of each participant, the rates of accounts and peers. Invariant: only a message that
passed every other check counts against its account, so that nobody uses up another's rate; all
tables are bounded.
Source: WP V.C, V.D (submissions); libp2p gossipsub 1.1 (validators).
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from flockchain.clock import Clock
from flockchain.keyed_rate import KeyedRate
from flockchain.model_hash_message import (
    TOPIC,
    Kind,
    ModelHash,
    ModelHashError,
    decode_model_hash,
)
from p2p.interface import Network, PeerId, Verdict
from runtime.frame.executive import Verifier
from runtime.primitives.multi import MultiSignature
from runtime.primitives.types import AccountId, Hash

SEEN_MAX: Final = 65_536
PARTICIPANTS_MAX: Final = 16_384
PEERS_MAX: Final = 1_024

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rates:
    """How often accounts announce and peers forward: once an interval, in bursts after a rest."""

    account_interval_ms: int = 2_000
    account_burst: int = 16
    peer_interval_ms: int = 8
    peer_burst: int = 2_048
    """A round of 1,000 participants comes at once from a single honest peer."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the rule asks of the node."""

    genesis: Hash
    clock: Clock
    verify: Verifier
    is_participant: Callable[[int, AccountId], bool]
    """(task, account): whether it is registered for the task in the best block's state."""
    is_known_provider: Callable[[PeerId], bool]
    """Whether blobs could be had from this peer."""
    on_accepted: Callable[[ModelHash], None]
    """Called with each message that is forwarded or our own, once."""


class ModelHashes:
    """The topic's rule, and the door for this node's own announcements."""

    def __init__(self, around: Surroundings, rates: Rates = Rates()) -> None:
        self._around = around
        self._accounts = KeyedRate[AccountId](
            rates.account_interval_ms, rates.account_burst, PARTICIPANTS_MAX
        )
        self._peers = KeyedRate[PeerId](rates.peer_interval_ms, rates.peer_burst, PEERS_MAX)
        self._seen: OrderedDict[Hash, None] = OrderedDict()
        self._newest: OrderedDict[tuple[AccountId, int, Kind], int] = OrderedDict()

    def on_gossip(self, peer: PeerId, data: bytes) -> Verdict:
        """Judge a message that `peer` forwarded.

        REJECT: malformed or falsely signed. IGNORE: a replay, no participant, a provider that
        nobody here knows, or more than the rates allow.
        """
        if not self._peers.take(peer, self._around.clock.now_ms()):
            return Verdict.IGNORE
        try:
            message, signature = decode_model_hash(data)
        except ModelHashError as error:
            _LOG.debug("from %s: %s", peer, error)
            return Verdict.REJECT
        is_known = self._around.is_known_provider(message.provider)
        verdict, reason = self._judge(message, signature, is_known=is_known)
        if verdict is not Verdict.ACCEPT:
            _LOG.debug("model hash of 0x%s from %s: %s", message.account.hex(), peer, reason)
        return verdict

    def announce(self, network: Network, data: bytes) -> ModelHash:
        """Publish a message of this node's own user.

        Raises: ModelHashError: other nodes would refuse it, and why.
        """
        message, signature = decode_model_hash(data)
        verdict, reason = self._judge(message, signature, is_known=True)
        if verdict is not Verdict.ACCEPT:
            raise ModelHashError(reason)
        network.publish(TOPIC, data)
        return message

    def _judge(
        self, message: ModelHash, signature: MultiSignature, *, is_known: bool
    ) -> tuple[Verdict, str]:
        """The verdict and its reason; on ACCEPT the message is remembered and told."""
        around, account = self._around, message.account
        digest = message.signing_hash(around.genesis)
        if digest in self._seen:
            return Verdict.IGNORE, "it was announced already"
        if not around.verify(signature, account, digest):
            return Verdict.REJECT, "its signature is not its account's on this chain"
        if not around.is_participant(message.task, account):
            return Verdict.IGNORE, f"its account takes no part in task {message.task}"
        if not is_known:
            return Verdict.IGNORE, f"its provider {message.provider} is not known"
        place = (account, message.task, message.kind)
        if message.period < self._newest.get(place, 0):
            return Verdict.IGNORE, f"period {message.period} is over for its account"
        if not self._accounts.take(account, around.clock.now_ms()):
            return Verdict.IGNORE, "its account announces too often"
        self._newest[place] = message.period
        self._newest.move_to_end(place)
        self._seen[digest] = None
        if len(self._seen) > SEEN_MAX:
            self._seen.popitem(last=False)
        if len(self._newest) > PARTICIPANTS_MAX:
            self._newest.popitem(last=False)
        around.on_accepted(message)
        return Verdict.ACCEPT, ""
