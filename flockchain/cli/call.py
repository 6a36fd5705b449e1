"""`flockchain call`: any call of the chain, alone, in a batch or for a derived account.

Source: WP II.B (everyone may take part with a small program); Substrate `pallet_utility`.
"""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated, Final

import typer

from flockchain.cli.call_text import (
    CallTextError,
    call_facts,
    call_hash,
    call_of_words,
    encode,
    name_of,
    pallet_title,
    parse_call,
    read_call,
)
from flockchain.cli.chain_access import (
    AccountArgument,
    JsonFlag,
    address,
    print_facts,
    print_json,
    print_table,
    read_account,
)
from flockchain.cli.refusal import refuse, why
from flockchain.cli.sent import print_sent, reason_of
from flockchain.cli.signing import Signer, with_signer
from runtime.frame.call import RuntimeCall, installed_pallets
from runtime.frame.pallet import encode_call
from runtime.pallets.utility import (
    BATCHED_CALLS_MAX,
    BatchCompleted,
    BatchCompletedWithErrors,
    BatchInterrupted,
    ItemFailed,
    Utility,
    derivative_account,
)

app = typer.Typer(
    help="Make any call of the chain.", no_args_is_help=True, pretty_exceptions_show_locals=False
)

FILE_BYTES_MAX: Final = 1 << 20
CallArgument = Annotated[
    str,
    typer.Argument(
        metavar="CALL",
        help="In one quoted word, as \"balances.burn value='1 FML' keep_alive=true\", or 0x.",
    ),
]


class Mode(enum.StrEnum):
    """What a batch does when one of its calls fails."""

    STOP = "stop"
    ALL = "all"
    FORCE = "force"


_BATCH_ENDS: Final = (BatchCompleted, BatchCompletedWithErrors, BatchInterrupted)
_FUNCTIONS: Final = {
    Mode.STOP: Utility.batch,
    Mode.ALL: Utility.batch_all,
    Mode.FORCE: Utility.force_batch,
}


@app.command("make")
@with_signer
def make_call(
    signer: Signer,
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME [PARAMETER=VALUE]...", help="As staking.bond 'value=5 FML'; or 0x bytes."
        ),
    ],
) -> None:
    """Make a call."""
    try:
        call = parse_call(words[0]) if words[0].startswith("0x") else call_of_words(words)
    except CallTextError as error:
        raise typer.BadParameter(str(error), param_hint="NAME") from None
    pair = signer.pair
    with signer.open() as client:
        receipt = client.submit(encode(call), pair)
    print_sent(receipt, {"call": name_of(call.entry)}, as_json=signer.as_json)


@app.command()
@with_signer
def batch(
    signer: Signer,
    calls: Annotated[list[str] | None, typer.Argument(metavar="[CALL]...")] = None,
    file: Annotated[
        Path | None, typer.Option("--file", help="A call in each line; # begins a remark.")
    ] = None,
    mode: Annotated[
        Mode,
        typer.Option(
            help="When a call fails: stop there and keep what is done, all or nothing, or go on."
        ),
    ] = Mode.ALL,
) -> None:
    """Make several calls in one extrinsic, signed and paid once."""
    made = [read_call(text) for text in [*(calls or ()), *_lines(file)]]
    if not 0 < len(made) <= BATCHED_CALLS_MAX:
        raise typer.BadParameter(f"a batch has 1 to {BATCHED_CALLS_MAX} calls")
    pair = signer.pair
    with signer.open() as client:
        receipt = client.submit(encode_call(_FUNCTIONS[mode], made), pair)
    # Batches among the calls leave such events too; that of the whole comes last.
    ended = [each for each in receipt.events if isinstance(each, _BATCH_ENDS)]
    interrupted = ended[-1] if ended else None
    if isinstance(interrupted, BatchInterrupted):
        refuse(
            f"call {interrupted.index} of {len(made)} failed, those before it are done: "
            f"{reason_of(interrupted.error)}"
        )
    failed = sum(isinstance(event, ItemFailed) for event in receipt.events)
    assert bool(failed) == (receipt.find(BatchCompletedWithErrors) is not None)
    facts = {"calls": len(made), "failed": failed}
    print_sent(receipt, facts, as_json=signer.as_json)


@app.command("as-derived")
@with_signer
def as_derived(
    signer: Signer,
    index: Annotated[int, typer.Argument(min=0, max=2**16 - 1, help="Which account.")],
    call: CallArgument,
) -> None:
    """Make a call as account number INDEX that follows from the signer's."""
    made, pair = read_call(call), signer.pair
    with signer.open() as client:
        receipt = client.submit(encode_call(Utility.as_derivative, index, made), pair)
    who = address(derivative_account(pair.account, index))
    print_sent(receipt, {"as": who, "call": name_of(made.entry)}, as_json=signer.as_json)


@app.command()
def derived(
    account: AccountArgument,
    index: Annotated[int, typer.Argument(min=0, max=2**16 - 1)],
    as_json: JsonFlag = False,
) -> None:
    """Show the address of an account that follows from another one."""
    who = address(derivative_account(read_account(account), index))
    print_facts({"account": who}, as_json=as_json)


@app.command()
def show(call: CallArgument) -> None:
    """Show what a call says, its bytes, hash and weight, without sending it."""
    print_json(shown_call(read_call(call)))


def shown_call(call: RuntimeCall) -> dict[str, object]:
    """All about a call, as JSON."""
    weight = call.info().weight
    return {
        **call_facts(call),
        "bytes": f"0x{encode(call).hex()}",
        "hash": f"0x{call_hash(call).hex()}",
        "weight": {"refTime": str(weight.ref_time), "proofSize": str(weight.proof_size)},
    }


@app.command("list")
def list_calls(
    pallet: Annotated[str | None, typer.Argument(help="As balances; all without it.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """List the chain's calls, what they take and what they do."""
    rows = [
        (name_of(entry), " ".join(name for name, _ in entry.parameters), entry.docs[0])
        for each in installed_pallets()
        if pallet in (None, pallet_title(each))
        for entry in each.calls.values()
    ]
    if not rows:
        refuse(f"there is no pallet {pallet!r} with calls")
    if as_json:
        print_json([dict(zip(("call", "takes", "does"), row, strict=True)) for row in rows])
    else:
        print_table("Calls", ("call", "takes", "does"), rows)


def _lines(path: Path | None) -> list[str]:
    """The calls of a file."""
    if path is None:
        return []
    try:
        with path.open() as file:
            text = file.read(FILE_BYTES_MAX + 1)
    except (OSError, UnicodeDecodeError) as error:
        refuse(f"cannot read {path}: {why(error)}")
    if len(text) > FILE_BYTES_MAX:
        refuse(f"{path} has more than {FILE_BYTES_MAX} characters")
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return [line for line in lines if line]
