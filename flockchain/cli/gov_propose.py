"""`flockchain gov propose`: what the chain should do, as a call of one track.

Source: WP VII (proposals).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flockchain.cli.amounts import AmountArgument, TaskArgument, shown
from flockchain.cli.chain_access import (
    AccountArgument,
    address,
    event_of,
    parse_planck,
    print_facts,
    read_account,
)
from flockchain.cli.gov_rules import RuleError, changed_rules
from flockchain.cli.gov_text import read_text, upload
from flockchain.cli.refusal import refuse
from flockchain.cli.signing import Signer, with_signer
from runtime.economy.governance import Track
from runtime.frame.call import RUNTIME_CALL
from runtime.frame.pallet import encode_call
from runtime.pallets.fl_alliance import FlAlliance
from runtime.pallets.governance import Governance, events
from runtime.pallets.marketplace import Marketplace
from runtime.pallets.staking import Staking
from runtime.pallets.tasks import Tasks
from runtime.pallets.treasury import Treasury
from runtime.pallets.trends import Trends
from runtime.pallets.upgrades import Upgrades
from runtime.primitives.content_id import cid_text
from runtime.primitives.scale import DecodeError
from runtime.primitives.types import Hash
from runtime.version import SPEC_VERSION

app = typer.Typer(
    help="Propose something: needs a deposit, and a text that says why.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)

AboutOption = Annotated[Path, typer.Option("--about", help="File that says why.")]


@app.command()
@with_signer
def spend(
    signer: Signer,
    beneficiary: AccountArgument,
    amount: AmountArgument,
    about: AboutOption,
) -> None:
    """Pay an account out of the treasury."""
    call = encode_call(Treasury.spend, read_account(beneficiary), parse_planck(amount))
    _propose(signer, Track.TREASURY, call, about)


@app.command()
@with_signer
def verify(
    signer: Signer,
    task: TaskArgument,
    about: AboutOption,
    is_alliance: Annotated[
        bool, typer.Option("--alliance", help="A task of the Alliance.")
    ] = False,
    is_verified: Annotated[bool, typer.Option("--verified/--unverified", help="Which.")] = True,
) -> None:
    """Let emission pay for a task, or no longer."""
    tasks = FlAlliance if is_alliance else Tasks
    call = encode_call(tasks.verify_task if is_verified else tasks.unverify_task, task)
    _propose(signer, Track.TASKS, call, about)


@app.command()
@with_signer
def attest(
    signer: Signer,
    account: AccountArgument,
    about: AboutOption,
    is_creator: Annotated[
        bool, typer.Option("--creator/--voter", help="Creates tasks, or counts in roots.")
    ] = True,
    is_attested: Annotated[bool, typer.Option("--attested/--revoked", help="Which.")] = True,
) -> None:
    """Recognise a task creator, or an account that counts in quadratic votes."""
    function = Tasks.attest_creator if is_creator else Governance.attest_account
    call = encode_call(function, read_account(account), is_attested)
    _propose(signer, Track.ATTESTATION, call, about)


@app.command()
@with_signer
def cancel_slash(
    signer: Signer,
    era: Annotated[int, typer.Argument(min=0, max=2**32 - 1, help="The era of the offence.")],
    validator: AccountArgument,
    about: AboutOption,
) -> None:
    """Forgive what is due now of a slash of a chain's validator that waits for its era."""
    who = read_account(validator)
    with signer.open() as client:
        if client.find(Staking.deferred_slashes, (era, who)) is None:
            refuse(f"no slash of {address(who)} in era {era} waits for a later era")
        due = client.query(Staking.fractions, (era, who)).due
    _propose(signer, Track.SLASHES, encode_call(Staking.cancel_slash, era, who, due), about)


@app.command()
@with_signer
def upgrade(
    signer: Signer,
    last_block: Annotated[int, typer.Argument(min=1, max=2**32 - 1, help="Of today's release.")],
    about: AboutOption,
    spec_version: Annotated[
        int | None, typer.Option(min=1, max=2**32 - 1, help="The next one by default.")
    ] = None,
    release: Annotated[
        str, typer.Option(help="What `flockchain release` of the new one prints.")
    ] = "",
) -> None:
    """Let a newer release go on after a block; nodes of the old one stop there."""
    try:
        digest = Hash(bytes.fromhex(release.removeprefix("0x")))
    except ValueError:
        raise typer.BadParameter(f"{release!r} is no hash", param_hint="--release") from None
    if len(digest) != 32:
        raise typer.BadParameter("a release's hash has 32 bytes", param_hint="--release")
    version = SPEC_VERSION + 1 if spec_version is None else spec_version
    call = encode_call(Upgrades.schedule, version, digest, last_block)
    _propose(signer, Track.UPGRADES, call, about)


@app.command()
@with_signer
def rules(
    signer: Signer,
    changes: Annotated[list[str], typer.Argument(help="As vesting.rank_ratio=0.9.")],
    about: AboutOption,
    is_dao: Annotated[bool, typer.Option("--dao", help="The DAO's own rules.")] = False,
    is_market: Annotated[bool, typer.Option("--market", help="The marketplace's.")] = False,
    is_trends: Annotated[bool, typer.Option("--models", help="The vote on models'.")] = False,
) -> None:
    """Change rules of the Arena, of governance, of the market or of the vote on models.

    All others stay.
    """
    with signer.open() as client:
        scheduled = client.find(Tasks.scheduled_parameters)
        arena = scheduled.parameters if scheduled else client.query(Tasks.parameters)
        dao, market = client.query(Governance.parameters), client.query(Marketplace.parameters)
        trends = client.query(Trends.parameters)
    try:
        if is_dao:
            call = encode_call(Governance.set_parameters, changed_rules(dao, changes))
        elif is_market:
            call = encode_call(Marketplace.set_parameters, changed_rules(market, changes))
        elif is_trends:
            call = encode_call(Trends.set_parameters, changed_rules(trends, changes))
        else:
            call = encode_call(Tasks.set_parameters, changed_rules(arena, changes))
    except RuleError as error:
        raise typer.BadParameter(str(error), param_hint="CHANGES") from None
    _propose(signer, Track.PARAMETERS, call, about)


@app.command()
@with_signer
def call(
    signer: Signer,
    track: Annotated[str, typer.Argument(help="Its name, as treasury.")],
    data: Annotated[str, typer.Argument(help="The call's bytes as 0x hexadecimal.")],
    about: AboutOption,
) -> None:
    """Make any call that a track may make."""
    chosen = next((each for each in Track if each.name.lower() == track), None)
    if chosen is None:
        names = ", ".join(each.name.lower() for each in Track)
        raise typer.BadParameter(f"{track!r} is none of {names}", param_hint="TRACK")
    try:
        encoded = bytes.fromhex(data.removeprefix("0x"))
        RUNTIME_CALL.decode_all(encoded)
    except (ValueError, DecodeError) as error:
        raise typer.BadParameter(str(error), param_hint="DATA") from None
    _propose(signer, chosen, encoded, about)


def _propose(signer: Signer, track: Track, call: bytes, about: Path) -> None:
    pair, text = signer.pair, read_text(about)
    with signer.open() as client:
        content = upload(client, text, pair)
        made = RUNTIME_CALL.decode_all(call)
        receipt = client.submit(encode_call(Governance.propose, track, content, made), pair)
        told = event_of(receipt, events.Proposed, "proposal")
        found = client.find(Governance.proposals, told.proposal)
        if found is None:
            refuse(f"proposal {told.proposal} is gone: was its block?")
    print_facts(
        {
            "proposal": told.proposal,
            "track": track.name.lower(),
            "about": cid_text(content),
            "deposit": shown(found.deposit, as_json=signer.as_json),
        },
        as_json=signer.as_json,
    )
