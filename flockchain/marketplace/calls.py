"""A call from its charge to its signed answer, the same for every path.

Owns the order: who, what, limits, payment, documents, inference, signature; a failure is borne by
the host. Invariant: a call that fails on the host's side is not charged; one whose caller does not
take its answer is.
Source: WP II.C, III.B.2.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field

from flockchain.clock import Clock
from flockchain.marketplace.accounts import Accounts, Caller
from flockchain.marketplace.answered import Json, usage_of
from flockchain.marketplace.answering import Answering, documents_of
from flockchain.marketplace.asked import Embed, Generate, Predict
from flockchain.marketplace.catalogue import Catalogue, ServedModel
from flockchain.marketplace.errors import ApiError, bad_request, failed
from flockchain.marketplace.inference import Inference, InferenceFailed, InferenceRefused
from flockchain.marketplace.ledger import Charge
from flockchain.marketplace.limits import Limits, RunningCalls
from flockchain.marketplace.retrieval import Library
from flockchain.marketplace.signed_answers import AnswerSigner, labels_bytes


@dataclass(slots=True)
class Paid:
    """A call that may go on: whose, of which model, what it cost.

    `is_callers_turn`: a piece of the answer is there, and is being handed to the caller.
    """

    caller: Caller
    model: ServedModel
    charge: Charge
    is_callers_turn: bool = False

    @property
    def headers(self) -> dict[str, str]:
        """What the caller is told of its account. Planck."""
        return {
            "X-Flock-Charge": str(self.charge.amount),
            "X-Flock-Spent": str(self.charge.spent),
            "X-Flock-Price": str(self.model.price),
        }


@dataclass(slots=True)
class Generated:
    """An answer as it grows. `tail` is what a response's field `flock` says in the end."""

    text: list[str] = field(default_factory=list)
    finish: str = ""
    usage: Json = field(default_factory=dict)
    tail: Json = field(default_factory=dict)
    citations: list[Json] = field(default_factory=list)


class Calls:
    """Makes calls for the server."""

    def __init__(
        self,
        accounts: Accounts,
        catalogue: Catalogue,
        inference: Inference,
        library: Library,
        signer: AnswerSigner,
        limits: Limits,
        clock: Clock,
    ) -> None:
        self.accounts = accounts
        self.catalogue = catalogue
        self.limits = limits
        self.clock = clock
        self.running = RunningCalls(limits, clock)
        self._inference = inference
        self._answering = Answering(inference, library)
        self._signer = signer

    @asynccontextmanager
    async def enter(self, caller: Caller, name: str) -> AsyncIterator[Paid]:
        """Within the limits and charged; what fails inside is refunded. Raises ApiError."""
        model = self.catalogue.find(name)
        with self.running.enter(caller.account):
            charge = await self.accounts.charge(caller, model.offer)
            paid = Paid(caller, model, charge)
            try:
                async with asyncio.timeout(self.limits.call_s_max):
                    yield paid
            except InferenceRefused as error:
                await self.accounts.refund(charge)
                raise bad_request(str(error)) from error
            except InferenceFailed as error:
                await self.accounts.refund(charge)
                raise failed(f"the model could not answer: {error}") from error
            except TimeoutError as error:
                if paid.is_callers_turn:
                    text = f"the answer was not taken in {self.limits.call_s_max:g} s"
                    raise ApiError(408, text, "invalid_request_error") from error
                await self.accounts.refund(charge)
                raise failed(f"no answer in {self.limits.call_s_max:g} s", 504) from error
            except ConnectionError:
                raise  # the caller went away
            except Exception:
                await self.accounts.refund(charge)
                raise

    async def generate(
        self, paid: Paid, asked: Generate, body: bytes
    ) -> AsyncGenerator[tuple[str, Generated], None]:
        """Pieces of text with the answer so far; the last one has `finish`, `usage`, `tail`.

        Raises ApiError, InferenceRefused, InferenceFailed.
        """
        found = Generated()
        passages = await self._answering.passages(asked)
        found.citations = [each.citation(at) for at, each in enumerate(passages, 1)]
        seed = secrets.randbits(63) if asked.seed is None else asked.seed
        answer = self._answering.generate(paid.model, asked, passages, seed)
        async with aclosing(answer) as events:
            async for event in events:
                if event["event"] == "piece":
                    found.text.append(event["text"])
                    paid.is_callers_turn = True
                    yield event["text"], found
                    paid.is_callers_turn = False
                    continue
                found.finish = event["finish"]
                found.usage = usage_of(event["prompt_tokens"], event["completion_tokens"])
        found.tail = self._signer.sign(
            paid.caller.account,
            paid.model.digest,
            body,
            "".join(found.text).encode(),
            seed=seed,
            documents=documents_of(asked),
        )
        paid.is_callers_turn = True  # to the end: nothing is computed any more
        yield "", found

    async def embed(self, paid: Paid, asked: Embed) -> Json:
        """`vectors` and `prompt_tokens`. Raises InferenceRefused, InferenceFailed."""
        return await self._inference.embed(paid.model, asked.texts)

    async def predict(self, paid: Paid, asked: Predict, body: bytes) -> tuple[list[Json], Json]:
        """Predictions, and the field `flock`. Raises InferenceRefused, InferenceFailed."""
        answered = await self._inference.predict(paid.model, asked.rows)
        found = answered["predictions"]
        account, digest = paid.caller.account, paid.model.digest
        return found, self._signer.sign(account, digest, body, labels_bytes(found))
