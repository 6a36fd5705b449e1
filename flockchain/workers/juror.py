"""A juror: judge the cases that a key is drawn for, seal the verdicts, open them.

What a case's opener withholds is asked for until the last call, and answered NoData then; what this
worker cannot compute for faults of its own is not answered at all, since a guess may cost somebody
a stake. Invariant: a verdict is on disk before its seal is submitted, and is never changed.
Source: WP V.B (selection rises with stake), V.D (seal and open), III.B.2 (hosts stake).
"""

from __future__ import annotations

import enum
import logging
import secrets
from collections.abc import Sequence
from typing import Final

from flockchain.workers.court import Court, Opinion
from flockchain.workers.desk import Desk
from flockchain.workers.moment import Moment
from flockchain.workers.state_file import SealedVerdict
from runtime.economy.tasks import Role
from runtime.frame.pallet import encode_call
from runtime.pallets.delegation import Delegation
from runtime.pallets.marketplace import Marketplace
from runtime.pallets.marketplace.case_records import (
    VERDICT,
    Case,
    CaseStage,
    Disputed,
    Juror,
    LiveCase,
    Matter,
    NoData,
)
from runtime.pallets.marketplace.seals import seal_verdict
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.scale import Codec, codec_of

log = logging.getLogger(__name__)

LAST_CALL_BLOCKS_MAX: Final = 10
_MATTER: Final[Codec[Matter]] = codec_of(Matter)


class Juries(enum.StrEnum):
    """What a key does about juries."""

    OFF = "off"  # nothing: another worker does
    DRAWN = "drawn"  # judges what it is drawn for
    ENLIST = "enlist"  # stands ready as well


class JurorDuty:
    """One key's part in juries."""

    def __init__(self, desk: Desk, court: Court, juries: Juries) -> None:
        self._desk = desk
        self._court = court
        self._juries = juries
        self._told: set[tuple[str, int]] = set()  # what was said once of a case already
        self._stands_by: str | None = None  # why it does not stand ready, as it was last said
        self.is_sitting = False  # in some case

    async def step(self, now: Moment, tasks: Sequence[int], live: Sequence[LiveCase]) -> None:
        """Stand ready, seal, open: whatever the block calls for. Raises SdkError."""
        if self._juries is Juries.ENLIST:
            await self._enlist(now, tasks)
        open_cases = {each.case for each in live}
        self._told = {(what, case) for what, case in self._told if case in open_cases}
        numbers = [each.case for each in live if not each.is_drawing]
        found = await now.view.query_many(Marketplace.cases, numbers)
        self.is_sitting = any(case and self._place_in(case) for case in found)
        for number, case in zip(numbers, found, strict=True):
            mine = None if case is None else self._place_in(case)
            if case is None or mine is None or now.next_number >= case.until:
                continue
            if case.stage is CaseStage.SEALING:
                await self._seal(now, number, case, mine)
            elif case.stage is CaseStage.OPENING:
                self._open(now, number, case, mine)

    def _place_in(self, case: Case) -> Juror | None:
        return next((each for each in case.jurors if each.who == self._desk.key.account), None)

    # -- verdicts

    async def _seal(self, now: Moment, number: int, case: Case, mine: Juror) -> None:
        desk = self._desk
        kept = self._kept(number, case)
        if kept is None:
            opinion = await self._opinion(now, number, case)
            if opinion is None:
                return
            kept = self._keep(number, case, opinion, mine.seal or b"")
        if mine.seal == self._seal_of(number, kept):
            return
        if mine.seal is not None and mine.seal.hex() != kept.replaces:
            text = "its verdict was sealed by another worker with this key; one of them should run "
            self._tell_once("foreign", number, text + "with --juries off")
            return
        desk.actions.act(
            ("seal verdict", desk.key.account, number),
            now.head.number,
            desk.key,
            encode_call(Marketplace.seal_verdict, number, self._seal_of(number, kept)),
            f"{desk.name} sealed its verdict on case {number}",
        )

    def _open(self, now: Moment, number: int, case: Case, mine: Juror) -> None:
        desk = self._desk
        if mine.verdict is not None:
            return
        kept = self._kept(number, case)
        if mine.seal is None:
            text = "no verdict in time: the key is struck off the jurors for some days"
            self._tell_once("late", number, text)
            return
        if kept is None or mine.seal != self._seal_of(number, kept):
            text = "the sealed verdict is not in the state directory, it cannot be opened"
            self._tell_once("lost", number, text)
            return
        verdict = VERDICT.decode_all(bytes.fromhex(kept.verdict))
        desk.actions.act(
            ("open verdict", desk.key.account, number),
            now.head.number,
            desk.key,
            encode_call(Marketplace.open_verdict, number, verdict, bytes.fromhex(kept.salt)),
            f"{desk.name} opened its verdict on case {number}: {type(verdict).__name__}",
        )

    async def _opinion(self, now: Moment, number: int, case: Case) -> Opinion | None:
        """What is found of a case; None while it is computed, or cannot be."""
        matter = case.matter
        if not isinstance(matter, Disputed):
            text = "it measures a data set: judge it with `flockchain market judge`"
            self._tell_once("by hand", number, text)
            return None
        answer, jobs, block = matter.answer, self._desk.jobs, now.head.number
        name = ("judge", number, bytes.fromhex(_named(matter)))  # once for all keys of a worker
        found = jobs.poll(name, block, lambda: self._court.judge(answer, block))
        if found is not None:
            return found
        calls = last_call_blocks((await now.view.query(Marketplace.parameters)).jury.verdict_blocks)
        last_call = case.until - calls
        if now.next_number < last_call:
            return None
        if jobs.failures(name) and ("called", number) not in self._told:
            self._told.add(("called", number))
            jobs.forget(name)  # no pause now
            jobs.poll(name, block, lambda: self._court.judge(answer, block))
        missing = self._court.missing(answer)
        if missing is None:
            return None
        tried, what = missing
        # The seal needs the rest of the time: half of it is left to an attempt that is under way.
        is_late = now.next_number >= case.until - max(2, calls // 2)
        return Opinion(NoData(), what) if is_late or tried + 1 >= last_call else None

    # -- what was decided

    def _kept(self, number: int, case: Case) -> SealedVerdict | None:
        kept = self._desk.state.find_verdict(number)
        return kept if kept is not None and kept.matter == _named(case.matter) else None

    def _keep(self, number: int, case: Case, opinion: Opinion, replaced: bytes) -> SealedVerdict:
        """`replaced`: a seal whose verdict is not in this state directory."""
        verdict, salt = VERDICT.encode(opinion.verdict).hex(), secrets.token_hex(32)
        kept = SealedVerdict(_named(case.matter), verdict, salt, opinion.why, replaced.hex())
        self._desk.state.put_verdict(number, kept)
        said = type(opinion.verdict).__name__
        log.info("%s on case %d: %s, since %s", self._desk.name, number, said, opinion.why)
        return kept

    def _seal_of(self, number: int, kept: SealedVerdict) -> bytes:
        verdict = VERDICT.decode_all(bytes.fromhex(kept.verdict))
        account, genesis = self._desk.key.account, self._desk.client.genesis
        return seal_verdict(genesis, number, account, verdict, bytes.fromhex(kept.salt))

    # -- standing ready

    async def _enlist(self, now: Moment, tasks: Sequence[int]) -> None:
        """Stand ready as the validator of one of these live tasks. Raises SdkError."""
        desk, account = self._desk, self._desk.key.account
        listed = await now.view.find(Marketplace.jurors, account)
        if listed in tasks:
            return
        silent = await now.view.query(Marketplace.silent)
        struck = next((each.until_day for each in silent if each.who == account), 0)
        if now.day < struck:
            text = f"was silent when it was drawn, and cannot stand ready before day {struck}"
            self._stand_by(text)
            return
        keys = [(task, account) for task in tasks]
        operators = await now.view.query_many(Delegation.operators, keys)
        able = [
            task
            for task, operator in zip(tasks, operators, strict=True)
            if operator is not None
            and operator.role is Role.TASK_VALIDATOR
            and operator.own.at(now.day)
        ]
        if not able:
            self._stand_by("validates in no live task with a stake from before today")
            return
        desk.actions.act(
            ("enlist", account),
            now.head.number,
            desk.key,
            encode_call(Marketplace.enlist, able[0]),
            f"{desk.name} stands ready for juries, as a validator of task {able[0]}",
        )

    def _stand_by(self, why: str) -> None:
        if why != self._stands_by:
            self._stands_by = why
            log.warning("%s: %s", self._desk.name, why)

    def _tell_once(self, what: str, case: int, text: str) -> None:
        if (what, case) not in self._told:
            self._told.add((what, case))
            log.warning("%s: case %d: %s", self._desk.name, case, text)


def last_call_blocks(verdict_blocks: int) -> int:
    """How long before its stage ends a verdict is sealed although something is missing."""
    return max(2, min(LAST_CALL_BLOCKS_MAX, verdict_blocks // 4))


def _named(matter: Matter) -> str:
    """What a case is about, by hash: after a fork a number may be another case's."""
    return blake2b_256(_MATTER.encode(matter)).hex()
