"""`flockchain market rate`, `challenge`, `enlist` and `case`: what becomes of answers.

A rating or a verdict is sealed with a salt that the command prints, and opened with it later.
Source: WP II.C, II.D.6.
"""

from __future__ import annotations

import re
import secrets
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Final

import orjson
import typer

from flockchain.cli.amounts import TaskArgument, shown, shown_all
from flockchain.cli.chain_access import (
    DEFAULT_RPC,
    JsonFlag,
    RpcFlag,
    address,
    event_of,
    open_client,
    print_facts,
    read_account,
)
from flockchain.cli.market_text import HostOption, SaltOption, read_salt
from flockchain.cli.refusal import refuse, why
from flockchain.cli.signing import Signer, with_signer
from flockchain.marketplace.evidence import answer_blobs, answer_record
from runtime.economy.parameters import SCORE_MAX
from runtime.frame.pallet import encode_call
from runtime.pallets.marketplace import Marketplace, case_records, events
from runtime.pallets.marketplace.seals import seal_rating, seal_verdict
from runtime.pallets.system import System
from runtime.primitives.content_id import cid_text
from runtime.primitives.multi import MULTI_SIGNATURE
from runtime.primitives.scale import ScaleError
from runtime.primitives.types import ZERO_HASH

PERCENT = SCORE_MAX // 100
_SCORE: Final = r"(1(?:\.0{1,9})?|0(?:\.[0-9]{1,9})?)"
_SCORES: Final = re.compile(f"{_SCORE}/{_SCORE}", re.ASCII)
RatingArgument = Annotated[int, typer.Argument(min=0, max=100, help="In percent.")]
CaseArgument = Annotated[int, typer.Argument(min=0, max=2**32 - 1, help="Its number.")]
VerdictArgument = Annotated[
    str,
    typer.Argument(
        help="right, wrong or no-data; of a data set no-data, or the scores with and without it, "
        "as 0.95/0.93."
    ),
]
_VERDICTS: dict[str, case_records.Verdict] = {
    "right": case_records.Right(),
    "wrong": case_records.Wrong(),
    "no-data": case_records.NoData(),
}


def mount_cases(app: typer.Typer) -> None:
    """Add the commands about answers."""
    for command in (rate, open_rating, challenge, enlist, stand_down, judge, open_verdict, case):
        app.command()(command)


@with_signer
def rate(signer: Signer, host: HostOption, rating: RatingArgument) -> None:
    """Seal what yesterday's answers of a host were worth; open it in the day's second half."""
    pair, who, salt = signer.pair, read_account(host), secrets.token_bytes(32)
    with signer.open() as client:
        calendar = client.client.preset.calendar
        day = calendar.day_of(client.query(System.number) + 1) - 1
        if day < 0:
            refuse("there was no day before this one")
        genesis = client.client.genesis
        seal = seal_rating(genesis, pair.account, who, day, rating * PERCENT, salt)
        receipt = client.submit(encode_call(Marketplace.seal_rating, who, seal), pair)
    told = event_of(receipt, events.RatingSealed, "rating")
    if told.day != day:
        refuse(f"day {told.day + 1} began meanwhile, and this seal cannot be opened; rate again")
    facts = {"host": address(told.host), "day": told.day, "salt": "0x" + salt.hex()}
    print_facts(facts, as_json=signer.as_json)


@with_signer
def open_rating(signer: Signer, host: HostOption, rating: RatingArgument, salt: SaltOption) -> None:
    """Open a sealed rating."""
    call = encode_call(
        Marketplace.open_rating, read_account(host), rating * PERCENT, read_salt(salt)
    )
    told = signer.send(call, events.Rated, "rating")
    facts = {"host": address(told.host), "day": told.day, "rating": told.rating // PERCENT}
    print_facts(facts, as_json=signer.as_json)


@with_signer
def challenge(
    signer: Signer,
    file: Annotated[Path, typer.Argument(help="A signed answer that the gateway kept.")],
) -> None:
    """Doubt an answer: a jury of five validators runs the model again. Holds a bond and fees.

    Uploads what was asked and said: jurors call what they cannot have withheld, which costs the
    bond. Documents and the model's files must be at a node already.
    """
    pair = signer.pair
    with signer.open() as client:
        try:
            evidence = orjson.loads(file.read_bytes())
            record = answer_record(evidence, client.client.genesis)
            blobs = answer_blobs(evidence, record)
            signature = MULTI_SIGNATURE.decode_all(
                bytes.fromhex(evidence["flock"]["signature"][2:])
            )
        except OSError as error:
            refuse(f"cannot read {file}: {why(error)}")
        except (ValueError, LookupError, TypeError, ScaleError) as error:
            refuse(f"{file} is no signed answer: {error}")
        for blob in blobs:
            client.run(client.client.put_blob(blob, pair))
        receipt = client.submit(encode_call(Marketplace.challenge, record, signature), pair)
        told = event_of(receipt, events.CaseOpened, "case")
        opened = client.find(Marketplace.cases, told.case)
    held = 0 if opened is None else opened.held()
    facts = {"case": told.case, "held": shown(held, as_json=signer.as_json)}
    print_facts(facts, as_json=signer.as_json)


@with_signer
def enlist(signer: Signer, task: TaskArgument) -> None:
    """Stand ready for juries, as a validator of a live task."""
    told = signer.send(encode_call(Marketplace.enlist, task), events.JurorEnlisted, "juror")
    print_facts({"account": address(told.who), "task": told.task}, as_json=signer.as_json)


@with_signer
def stand_down(signer: Signer) -> None:
    """Stand ready no more."""
    told = signer.send(encode_call(Marketplace.stand_down), events.JurorStruck, "juror")
    print_facts({"account": address(told.who)}, as_json=signer.as_json)


@with_signer
def judge(signer: Signer, number: CaseArgument, verdict: VerdictArgument) -> None:
    """Seal a verdict on a challenge; open it when all have had their time."""
    pair, said, salt = signer.pair, _verdict(verdict), secrets.token_bytes(32)
    with signer.open() as client:
        seal = seal_verdict(client.client.genesis, number, pair.account, said, salt)
        receipt = client.submit(encode_call(Marketplace.seal_verdict, number, seal), pair)
    told = event_of(receipt, events.VerdictSealed, "verdict")
    print_facts({"case": told.case, "salt": "0x" + salt.hex()}, as_json=signer.as_json)


@with_signer
def open_verdict(
    signer: Signer, number: CaseArgument, verdict: VerdictArgument, salt: SaltOption
) -> None:
    """Open a sealed verdict."""
    call = encode_call(Marketplace.open_verdict, number, _verdict(verdict), read_salt(salt))
    told = signer.send(call, events.VerdictOpened, "verdict")
    print_facts({"case": told.case, "verdict": verdict}, as_json=signer.as_json)


def case(number: CaseArgument, rpc: RpcFlag = DEFAULT_RPC, as_json: JsonFlag = False) -> None:
    """Show a case: what it is about, its jury and their verdicts, and what comes next."""
    with open_client(rpc) as client:
        found = client.find(Marketplace.cases, number)
        next_block = client.query(System.number) + 1
    if found is None:
        refuse(f"there is no case {number}, or it ended long ago")
    is_live = found.stage.value < case_records.CaseStage.UPHELD.value
    jurors = [
        {"account": address(each.who), "sealed": each.seal is not None, "said": _said(each)}
        for each in found.jurors
    ]
    facts: dict[str, object] = {
        "case": number,
        **_matter(found.matter),
        "opener": address(found.opener),
        **shown_all({"bond": found.bond, "juror_fee": found.fee}, as_json=as_json),
        "stage": found.stage.name.lower(),
        "until_block": found.until,
        "blocks_left": max(found.until - next_block, 0) if is_live else 0,
        "jurors": jurors,
    }
    if not as_json:
        facts["jurors"] = len(jurors)
    print_facts(facts, as_json=as_json)
    if not as_json:
        for each in jurors:
            told = each["said"] or ("sealed" if each["sealed"] else "nothing yet")
            print(f"  {each['account']}  {told}")


def _matter(matter: case_records.Matter) -> dict[str, object]:
    """What a case is about; blobs by their content ids."""
    if isinstance(matter, case_records.Measured):
        return {
            "matter": "data set",
            "dataset": cid_text(matter.dataset),
            "task": matter.task,
            "model_without": cid_text(matter.without),
        }
    assert isinstance(matter, case_records.Disputed), "there are two kinds of matters"
    answer = matter.answer
    is_cited = answer.documents != ZERO_HASH
    return {
        "matter": "answer",
        "host": address(answer.host),
        "caller": address(answer.caller),
        "model": cid_text(answer.model),
        "request": cid_text(answer.request),
        "documents": cid_text(answer.documents) if is_cited else None,
        "seed": answer.seed,
        "answer": cid_text(answer.answer),
    }


def _said(juror: case_records.Juror) -> str | None:
    verdict = juror.verdict
    if isinstance(verdict, case_records.Scores):
        return f"{verdict.with_set / SCORE_MAX:.9f}/{verdict.without_set / SCORE_MAX:.9f}"
    return None if verdict is None else type(verdict).__name__.lower()


def _verdict(text: str) -> case_records.Verdict:
    found = _VERDICTS.get(text)
    if found is not None:
        return found
    scores = _SCORES.fullmatch(text)
    if scores is None:
        known = ", ".join(_VERDICTS)
        raise typer.BadParameter(f"{text!r} is none of {known}, and no two scores as 0.95/0.93")
    with_set, without_set = (int(Decimal(each) * SCORE_MAX) for each in scores.groups())
    return case_records.Scores(with_set, without_set)
