"""Requests by the chain: a host computes what it is asked for, uploads it, and answers in time.

The question is a request's body as over HTTP, by content id; its seed is the request's number, and
it names no documents, since that is what a host signs there. What it cannot serve so it refuses,
once, in the log; the fee returns to the caller when the time is over. Nothing is kept on disk: an
answer follows from the request, and the chain pays for it once.
Invariant: an answer is at the node before the chain is told of it; a request is forgotten once it
is gone from the final state, so one that a lost fork had answered is answered again.
Source: WP II.C (inference for what runs on the chain).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from functools import partial
from typing import Final

from flockchain.keys import KeyPair
from flockchain.marketplace.answering import Answering, documents_of, read_request
from flockchain.marketplace.asked import Generate
from flockchain.marketplace.catalogue import Catalogue, ServedModel
from flockchain.marketplace.credentials import sign
from flockchain.marketplace.errors import ApiError
from flockchain.marketplace.inference import InferenceRefused
from flockchain.marketplace.limits import Limits
from flockchain.sdk import BlobTooLarge, Client, Head, StateView
from flockchain.workers.actions import Actions
from flockchain.workers.jobs import Jobs
from runtime.frame.pallet import encode_call
from runtime.pallets.marketplace import Marketplace
from runtime.pallets.marketplace.records import Request
from runtime.primitives.content_id import ContentId, cid_text
from runtime.primitives.types import ZERO_HASH, Hash
from runtime.primitives.vouchers import Answer

log = logging.getLogger(__name__)

AT_ONCE_MAX: Final = 2  # callers over HTTP want answers as well
CONSIDERED_MAX: Final = 32  # of those that it can answer
_Name = tuple[str, int, bytes, bytes]


class _Refused(Exception):
    """The question is none that this host answers."""


class RequestAnswers:
    """Answers requests for the models that a host serves."""

    def __init__(
        self,
        client: Client,
        key: KeyPair,
        served: tuple[Catalogue, Answering],
        work: tuple[Jobs, Actions],
        limits: Limits,
    ) -> None:
        self._client, self._key = client, key
        self._catalogue, self._answering = served
        self._jobs, self._actions = work
        self._limits = limits
        self._turns = asyncio.Semaphore(AT_ONCE_MAX)
        self._waiting: set[int] = set()
        self._refused: set[_Name] = set()
        self._seen = 0  # requests below this number were looked at

    async def step(self, head: Head, state: StateView) -> None:
        """Answer what can be answered on top of this block. Raises SdkError."""
        asked = await self._ours(state)
        self._refused &= {_name_of(number, request) for number, request in asked.items()}
        for number, request, model in self._next(head, asked):
            name = _name_of(number, request)
            start = partial(self._answer, number, request, model)
            found = self._jobs.poll(name, head.number, start)
            if found:
                self._send(head, number, request, ContentId(found))
            elif found is not None:
                self._refused.add(name)

    def _next(
        self, head: Head, asked: Mapping[int, Request]
    ) -> list[tuple[int, Request, ServedModel]]:
        """What can still be answered: what failed least comes first, then what ends soonest."""
        able = [
            (number, request, model)
            for number, request in asked.items()
            if head.number + 1 < request.deadline
            and _name_of(number, request) not in self._refused
            and (model := self._model_for(request)) is not None
        ]
        able.sort(
            key=lambda each: (
                self._jobs.failures(_name_of(each[0], each[1])),
                each[1].deadline,
                each[0],
            )
        )
        return able[:CONSIDERED_MAX]

    async def _ours(self, state: StateView) -> Mapping[int, Request]:
        """The requests that wait and that this host may answer."""
        ended = await state.query(Marketplace.next_request)
        if not self._seen:
            final = await self._client.at_finalized()
            self._seen = await final.query(Marketplace.next_request)
            self._waiting = {number async for number, _ in final.query_map(Marketplace.requests)}
        self._seen = min(self._seen, ended)  # a fork may have fewer
        self._waiting.update(range(self._seen, ended))
        self._seen = ended
        asked = await self._asked_in(state, self._waiting)
        if gone := self._waiting - asked.keys():
            final = await self._client.at_finalized()
            unmade = await final.query(Marketplace.next_request)  # there, a fork may remake them
            kept = await self._asked_in(final, gone)
            self._waiting -= {each for each in gone if each < unmade and each not in kept}
        return asked

    async def _asked_in(self, state: StateView, numbers: AbstractSet[int]) -> dict[int, Request]:
        """Those of these requests that wait in a state for this host."""
        ordered = sorted(numbers)
        found = await state.query_many(Marketplace.requests, ordered)
        return {
            number: request
            for number, request in zip(ordered, found, strict=True)
            if request is not None and request.host in (None, self._key.account)
        }

    def _model_for(self, request: Request) -> ServedModel | None:
        if request.caller == self._key.account:
            return None
        return next(
            (
                model
                for model in self._catalogue.all()
                if model.offer == request.model and model.price <= request.max_fee
            ),
            None,
        )

    async def _answer(self, number: int, request: Request, model: ServedModel) -> bytes:
        """The content id of the answer, which is at the node; nothing if it is refused.

        Raises SdkError, InferenceFailed, ApiError, TimeoutError: these are tried again.
        """
        async with self._turns, asyncio.timeout(self._limits.call_s_max):
            try:
                said = await self._compute(number, request, model)
            except (_Refused, InferenceRefused, BlobTooLarge) as error:
                log.warning("request %d is not answered: %s", number, error)
                return b""
        return await self._client.put_blob(said, self._key)

    async def _compute(self, number: int, request: Request, model: ServedModel) -> bytes:
        body = await self._client.get_blob(request.question, self._limits.body_bytes_max)
        try:
            asked = read_request(model.kind, body, self._limits)
        except ApiError as error:
            raise _Refused(str(error)) from error
        if documents_of(asked):
            raise _Refused("it names documents, which are not signed in answers to the chain")
        if isinstance(asked, Generate) and asked.seed not in (None, number):
            raise _Refused(f"it names seed {asked.seed}; a request's seed is its number")
        return await self._answering.whole(model, asked, number)

    def _send(self, head: Head, number: int, request: Request, said: ContentId) -> None:
        record = Answer(
            genesis=self._client.genesis,
            host=self._key.account,
            caller=request.caller,
            model=request.model,
            request=Hash(request.question),
            documents=ZERO_HASH,
            seed=number,
            answer=Hash(said),
        )
        call = encode_call(Marketplace.answer_request, number, Hash(said), sign(self._key, record))
        text = f"{self._key.address()[:8]} answered request {number}: {cid_text(said)}"
        self._actions.act(("answer request", number), head.number, self._key, call, text)


def _name_of(number: int, request: Request) -> _Name:
    """A job's name: on another fork the number may be another question's."""
    return "request", number, request.question, request.model
