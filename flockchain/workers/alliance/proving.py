"""Commitments, sums and proofs as jobs of the training process: what goes in, what comes out.

Owns the requests and the functions that the process runs. Invariant: the secrets of keys stay with
the worker; the process gets points that are shared, and the one secret that a sending uses up.

Source: WP VI.H; zkFL (arXiv 2310.02554) 4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from flockchain.workers.alliance.chain_string import StringFile
from flockchain.workers.alliance.computing import Findings, Says, Surroundings
from flockchain.workers.alliance.zk_files import encode_pieces
from ml.attacks.sums import SumCheat
from ml.zk.sent import Sent
from runtime.economy.alliance import is_good_enough
from runtime.primitives.rational import Rational
from runtime.primitives.types import Hash
from runtime.primitives.zk_aggregation import OFFSET, hash_of_sum
from runtime.primitives.zk_delivery import NUMBER_BYTES, Delivery, deliver
from runtime.primitives.zk_transcript import Statement

if TYPE_CHECKING:
    from ml.zk.openings import Opening

ETHEREUM: Final = StringFile()


@dataclass(frozen=True, slots=True)
class Mask:
    """How a client masks: its weight, the secrets of its masks, its place, all clients' keys."""

    weight: int
    secrets: tuple[bytes, bytes]
    place: int
    keys: Mapping[int, bytes]


@dataclass(frozen=True, slots=True)
class Unmasking:
    """What strips masks off a sum: keys of all clients, b of those in it, s of the others.

    `weights`: Σ a of those in it.
    """

    keys: Mapping[int, bytes]
    own: Mapping[int, bytes]
    pair: Mapping[int, bytes]
    weights: int


@dataclass(frozen=True, slots=True)
class CommitTo:
    """Commit to an update of the base, masked or as it is."""

    around: Surroundings
    base: bytes
    update: bytes
    mask: Mask | None = None
    string: StringFile = ETHEREUM


@dataclass(frozen=True, slots=True)
class Committed:
    """The opening's file and the points of its chunks."""

    opening: bytes
    points: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Send:
    """Encrypt an opening to a receiver. `context`: what it is bound to; `secret`: for it alone."""

    opening: bytes
    parameters: int
    receiver: bytes
    context: bytes
    secret: bytes
    cheat: SumCheat | None = None
    number_bytes: int = NUMBER_BYTES
    string: StringFile = ETHEREUM


@dataclass(frozen=True, slots=True)
class SumUp:
    """Check what the statement's clients sent, in their order; sum and prove."""

    statement: Statement
    sent: tuple[Sent, ...]
    cheat: SumCheat | None = None
    is_masked: bool = False
    string: StringFile = ETHEREUM


@dataclass(frozen=True, slots=True)
class Faults:
    """Clients whose chunks are wrong: their place in the statement, and the chunk's."""

    found: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Summed:
    """The proof, and the file of the sum's opening."""

    proof: bytes
    opening: bytes


@dataclass(frozen=True, slots=True)
class OpenSum:
    """What model an opening makes of the base, if it opens the sum that was `proved`."""

    around: Surroundings
    base: bytes
    statement: Statement
    proved: Hash
    opening: bytes
    unmasking: Unmasking | None = None
    string: StringFile = ETHEREUM


@dataclass(frozen=True, slots=True)
class MadeModel:
    """The model's file. `is_in_range`: whether updates in range can have this sum."""

    model: bytes
    is_in_range: bool


@dataclass(frozen=True, slots=True)
class JudgeModel:
    """Judge a model. `models`: the previous and the best; `tolerance`: ε of the task; `friends`:
    which updates of the sum are of an attacker's friends."""

    around: Surroundings
    models: tuple[bytes, bytes]
    model: bytes
    tolerance: Rational
    attack: str | None = None
    friends: tuple[bool, ...] = ()


# -- run in the training process


def commit_to(request: CommitTo) -> Committed:
    """Raises `ArtifactError`, `OpeningError`."""
    from ml.round_files import read_update
    from ml.zk.masks import masked_update
    from ml.zk.opening_files import encode_opening
    from ml.zk.openings import commit, fresh_opening, opening_of

    start, setup = request.around.open().read(request.base), request.string.open()
    update, mask = read_update(request.update, start.layout), request.mask
    if mask is None:
        opening = opening_of(update, setup)
    else:
        numbers = masked_update(update, mask.weight, mask.secrets, mask.place, mask.keys)
        opening = fresh_opening(numbers, setup)
    return Committed(encode_opening(opening), commit(opening, setup))


def send(request: Send) -> tuple[Delivery, bytes]:
    """What is posted, and the file that travels. Raises `OpeningError`, CryptoError."""
    from ml.zk.opening_files import read_opening
    from ml.zk.receiving import chunks_of

    setup = request.string.open()
    opening = read_opening(request.opening, request.parameters, setup)
    if request.cheat is SumCheat.OTHER_NUMBER:
        opening = _altered(opening)
    chunks = chunks_of(opening, setup)
    named = (request.receiver, request.context, request.secret, request.number_bytes)
    delivery, pieces = deliver(chunks, *named)
    return delivery, encode_pieces(pieces)


def sum_up(request: SumUp) -> Faults | Summed:
    """Raises `OpeningError`."""
    from ml.zk.opening_files import encode_masked_sum, encode_opening
    from ml.zk.openings import add_up
    from ml.zk.prover import prove_aggregation
    from ml.zk.receiving import open_all

    statement, setup = request.statement, request.string.open()
    openings, faults = open_all(request.sent, statement.context.parameters, setup)
    if faults:
        return Faults(tuple(faults))
    proved = _with_other_weight(statement) if _is(request, SumCheat.OTHER_WEIGHT) else statement
    total = add_up(openings, [client.weight for client in proved.clients])
    if _is(request, SumCheat.OTHER_SUM):
        total = _altered(total)
    encode = encode_masked_sum if request.is_masked else encode_opening
    return Summed(prove_aggregation(proved, openings, setup), encode(total))


def open_sum(request: OpenSum) -> MadeModel | None:
    """The model; None if the opening is not that of the commitments' sum.

    Raises `ArtifactError` if the base is none.
    """
    from ml.aggregate import apply_sum
    from ml.round_files import encode_model
    from ml.zk.masks import unmask
    from ml.zk.opening_files import read_opening
    from ml.zk.openings import OpeningError, is_opening, update_in

    statement, setup = request.statement, request.string.open()
    if hash_of_sum(statement) != request.proved:
        return None
    masks, parameters = request.unmasking, statement.context.parameters
    weights = sum(client.weight for client in statement.clients)
    try:
        is_masked = masks is not None
        opening = read_opening(request.opening, parameters, setup, is_masked_sum=is_masked)
        if not is_opening(statement.totals, opening, setup):
            return None
    except OpeningError:
        return None
    if masks is not None:
        numbers = unmask(opening.numbers, masks.keys, masks.own, masks.pair)
        opening, weights = replace(opening, numbers=numbers), masks.weights
    start = request.around.open().read(request.base)
    model = apply_sum(start.vector, update_in(opening, weights), weights)
    is_in_range = int(opening.numbers.max()) <= (2 * OFFSET - 1) * weights
    return MadeModel(encode_model(model, start.layout)[0], is_in_range)


def judge_sum(request: JudgeModel) -> Findings:
    """Raises `ArtifactError`."""
    from ml.attacks.catalogue import find_attack
    from ml.attacks.votes import Judgement
    from ml.round_work import judge_model

    judged = judge_model(request.around.open(), request.models, request.model)
    best = max(judged.previous, judged.best)
    accepts = is_good_enough(judged.score, judged.previous, best, request.tolerance)
    if request.attack is None:
        return Findings(judged, Says(accepts, ()))
    honest = Judgement(accepts, (False,) * len(request.friends))
    said = find_attack(request.attack).vote(honest, request.friends)
    return Findings(judged, None if said is None else Says(said.accepts, ()))


# -- cheats


def _is(request: SumUp, cheat: SumCheat) -> bool:
    return request.cheat is cheat


def _altered(opening: Opening) -> Opening:
    """With its first number changed by one."""
    numbers = opening.numbers.clone()
    numbers[0] += 1 if int(numbers[0]) == 0 else -1
    return replace(opening, numbers=numbers)


def _with_other_weight(statement: Statement) -> Statement:
    first, *others = statement.clients
    return Statement(statement.context, (replace(first, weight=first.weight + 1), *others))
