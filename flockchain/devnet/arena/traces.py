"""What the chain told of an alias's owner before it was opened: nothing, block by block.

Looked at are the bytes of all extrinsics from an alias's day up to the last block before its
opening window, and the state after that block, when all scores are open and fixed.

Source: WP V.B (blind validation), Table I (free riders).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from flockchain.devnet.arena.cast import HONEST, VERIFIED_TASK, name_of
from flockchain.devnet.arena.record import Record
from flockchain.devnet.checks import Verdict, ensure
from flockchain.sdk.client import Client
from runtime.frame.extrinsic import decode_extrinsic
from runtime.pallets.arena import Arena
from runtime.pallets.arena.alias_events import AliasOpened
from runtime.pallets.arena.records import Alias
from runtime.pallets.tasks import Tasks
from runtime.primitives.types import AccountId

_OF_ALIASES: Final = frozenset({"commit_alias", "reveal_alias", "share_keys_of_alias"})


async def check_aliases(client: Client, record: Record) -> Verdict:
    """Nobody could know whose the models under aliases were while they were scored.

    Raises CheckFailed, SdkError.
    """
    openings = list(record.aliases.values())
    ensure(bool(openings), "no alias was opened")
    honest = [event for event in openings if event.owner == HONEST.account]
    ensure(any(event.task == VERIFIED_TASK for event in honest), f"{HONEST.name} opened no alias")
    finals = {task: (await client.query(Tasks.tasks, task)).final_day() for task in _tasks(record)}
    late = [event for event in openings if event.day == finals[event.task] - 1]
    ensure(bool(late), "nobody opened an alias of a task's last day but one")
    for event in openings:
        await _check_opening(client, record, event, finals[event.task])
    owners = {name_of(event.owner) for event in openings}
    return Verdict(
        f"{len(openings)} models of {len(owners)} trainers were scored under aliases: until the "
        "scores were fixed no extrinsic and no state told whose; "
        f"{len(late)} of them stayed hidden for the final day"
    )


def _tasks(record: Record) -> set[int]:
    return {task for task, _ in record.aliases}


async def _check_opening(
    client: Client, record: Record, event: AliasOpened, final_day: int
) -> None:
    calendar = client.preset.calendar
    first = calendar.first_block(event.day)
    opened_on = final_day if event.day == final_day - 1 else event.day
    last = calendar.first_block(opened_on) + calendar.score_reveal_end - 1
    made = record.submissions[event.task, event.submission]
    who = f"submission {event.submission} of task {event.task}"
    ensure(isinstance(made.submitter, Alias), f"{who} was no alias's")
    assert isinstance(made.submitter, Alias)
    marks = made.submitter.key, made.content, made.ciphertext
    for number in range(first, last + 1):
        block = await client.chain.block_hash(number)
        found = None if block is None else await client.chain.block(block)
        assert found is not None, "the chapter followed it"
        traces = find_traces(found.extrinsics, marks, event.owner)
        ensure(not traces, f"block {number} tells whose {who} is: {traces}")
        if number == last:
            state = client.at(found.hash)
            before = await state.query(Arena.submissions, (event.task, event.submission))
            standing = await state.find(Arena.standing, (event.task, event.owner))
            hidden = before.owner is None and standing != event.submission
            ensure(hidden, f"the state of block {number} tells whose {who} is")


def find_traces(
    extrinsics: Iterable[bytes], marks: tuple[bytes, ...], owner: AccountId
) -> list[str]:
    """Which calls tie an owner to a model: signed ones that name it, aliases' that name the owner.

    `marks` are the bytes by which the model is known: the alias, content id and ciphertext.
    """
    found: list[str] = []
    for data in extrinsics:
        extrinsic = decode_extrinsic(data)
        name, is_signed = extrinsic.call.entry.name, extrinsic.preamble is not None
        is_about = name in _OF_ALIASES or any(mark in data for mark in marks)
        if is_about and (is_signed or bytes(owner) in data):
            found.append(name)
    return found
