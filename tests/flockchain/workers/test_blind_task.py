"""A whole task under aliases on a real chain: who is paid, and what the aliases' node hears."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from flockchain.devnet.arena.record import Record
from flockchain.devnet.arena.traces import check_aliases
from flockchain.devnet.checks import CheckFailed
from flockchain.keys import key_pair_from_uri
from flockchain.sdk import Client
from flockchain.workers.ring_key import ring_secret
from flockchain.workers.strengths import Method, Strength
from flockchain.workers.worker import Member, WorkerRole
from runtime.economy.tasks import TaskStatus
from runtime.pallets.arena.alias_events import AliasOpened, HeldSettled, NodesHeld
from runtime.pallets.arena.events import Paid, SubmissionCommitted
from runtime.pallets.arena.records import Alias, DayKey
from runtime.primitives.ring_signature import public_key
from tests.flockchain.fast_chain import FastChain, fast_chain
from tests.flockchain.workers.digits_world import (
    BUDGET,
    CREATOR,
    create_task,
    events_of,
    step,
    working,
)
from tests.flockchain.workers.recording_relay import RecordingRelay, relaying

STRONG, WEAK = (key_pair_from_uri(f"//Trainer{n}", "sr25519") for n in (1, 2))
VALIDATORS = [key_pair_from_uri(f"//Validator{n}", "ed25519") for n in (1, 2, 3)]
KEYS = [CREATOR, STRONG, WEAK, *VALIDATORS]
DAYS, LAST_BUT_ONE, FINAL = 3, 2, 3
MEMBERS = [
    Member(CREATOR, WorkerRole.CREATOR),
    Member(STRONG, WorkerRole.TRAINER, Method(Strength.STRONG), is_blind=True),
    Member(WEAK, WorkerRole.TRAINER, Method(Strength.WEAK), is_blind=True),
    *(Member(key, WorkerRole.VALIDATOR) for key in VALIDATORS),
]


async def run_task(directory: Path) -> tuple[FastChain, RecordingRelay, RecordingRelay]:
    """The chain after the task's end, what was said to its node, and what aliases said."""
    async with fast_chain(directory / "node", KEYS) as chain:
        chain.seal()
        async with (
            relaying(chain.url) as own,
            relaying(chain.url) as blind,
            await Client.connect(own.url) as client,
        ):
            await create_task(client, chain, directory / "state", DAYS)
            async with working(
                client, MEMBERS, directory / "state", blind_rpc=blind.url, random=Random(3)
            ) as worker:
                while chain.runtime().tasks.get_task(0).status.is_live():
                    ensure_owners_are_hidden(chain)
                    await step(chain, worker)
            await check_record(client, chain)
        return chain, own, blind


async def check_record(client: Client, chain: FastChain) -> None:
    """The devnet's check of what the chain told holds here too, and can fail."""
    record = Record()
    for event in events_of(chain, object):
        record.note(event)
    verdict = await check_aliases(client, record)
    assert verdict.text == (
        "3 models of 2 trainers were scored under aliases: until the scores were fixed no "
        "extrinsic and no state told whose; 1 of them stayed hidden for the final day"
    )
    late = next(event for event in record.aliases.values() if event.day == LAST_BUT_ONE)
    # Had it been opened on its own day, the final day's openings would come too late to hide it.
    early = next(event for event in record.aliases.values() if event.day == 1)
    record.aliases[0, early.submission] = replace(early, day=LAST_BUT_ONE)
    with pytest.raises(CheckFailed, match="the state of block 76 tells whose submission"):
        await check_aliases(client, record)
    record.aliases = {(0, early.submission): early}
    with pytest.raises(CheckFailed, match="nobody opened an alias of a task's last day but one"):
        await check_aliases(client, record)
    record.aliases = {(0, late.submission): late}
    with pytest.raises(CheckFailed, match=r"trainer 1 \(strong\) opened no alias"):
        await check_aliases(client, record)
    record.aliases = {}
    with pytest.raises(CheckFailed, match="no alias was opened"):
        await check_aliases(client, record)


def ensure_owners_are_hidden(chain: FastChain) -> None:
    """Until the opening window of a day the chain knows no owner of the day's submissions."""
    runtime, number = chain.runtime(), chain.backend.best.number
    calendar = runtime.preset.calendar
    day, position = calendar.day_of(number), calendar.position_of(number)
    if position < calendar.score_reveal_end or day == LAST_BUT_ONE:
        first = calendar.first_block(LAST_BUT_ONE if day == FINAL else day)
        for _, made in runtime.arena.submissions.items_of(0):
            assert made.owner is None or made.committed_at < first


def check_days(chain: FastChain) -> None:
    """Everybody ranks each day as under a name, the last day but one is paid with the final."""
    runtime, calendar = chain.runtime(), chain.runtime().preset.calendar
    for day in (1, LAST_BUT_ONE, FINAL):
        ranking = runtime.arena.day_results.get(DayKey(0, day)).ranking
        assert [node.owner for node in ranking] == [STRONG.account, WEAK.account]
    assert [event.day for event in events_of(chain, NodesHeld)] == [LAST_BUT_ONE]
    assert [event.day for event in events_of(chain, HeldSettled)] == [LAST_BUT_ONE]
    opened = events_of(chain, AliasOpened)
    assert {event.owner for event in opened if event.day == 1} == {STRONG.account, WEAK.account}
    # The strong node keeps its model of the first day.
    assert {event.owner for event in opened if event.day == LAST_BUT_ONE} == {WEAK.account}
    for number in range(1, chain.backend.best.number + 1):
        days = {event.day for event in events_of(chain, AliasOpened, [number])}
        today = calendar.day_of(number)
        assert days <= {LAST_BUT_ONE if today == FINAL else today}


def test_a_task_under_aliases_pays_as_under_names_and_names_nobody(tmp_path: Path) -> None:
    chain, own, blind = asyncio.run(run_task(tmp_path))
    runtime = chain.runtime()
    assert runtime.tasks.get_task(0).status is TaskStatus.COMPLETED
    made = [event.submitter for event in events_of(chain, SubmissionCommitted)]
    aliases = [submitter.key for submitter in made if isinstance(submitter, Alias)]
    assert len(aliases) == len(made) == len(set(aliases))
    assert len(made) >= 3
    check_days(chain)
    rewards: dict[bytes, int] = {}
    for event in events_of(chain, Paid):
        rewards[event.who] = rewards.get(event.who, 0) + event.amount
    assert rewards[STRONG.account] > rewards[WEAK.account] > 0
    assert sum(rewards.values()) == BUDGET
    assert chain.announced == []  # an announcement is signed by the account

    heard = blind.everything
    for alias in aliases:  # the relay hears all that they say, and one connection one alias
        assert alias.hex().encode() in heard
        assert sum(alias.hex().encode() in b"".join(each) for each in blind.sent) >= 2
    for connection in blind.sent:
        assert sum(alias.hex().encode() in b"".join(connection) for alias in aliases) == 1
    assert all(own.names(key) for key in KEYS)
    for key in (STRONG, WEAK):
        assert not blind.names(key)
        ring_key = public_key(ring_secret(key, chain.backend.genesis))
        assert ring_key.hex().encode() not in heard
    assert not any(alias.hex().encode() in own.everything for alias in aliases)
    runtime.try_state()
