"""`flockchain stake`: bond for the chain's proof of stake, validate, nominate, and be paid.

Source: WP II.A (proof of stake); Substrate `pallet_staking`, `pallet_session`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from flockchain.cli.amounts import AmountArgument, shown
from flockchain.cli.chain_access import (
    DEFAULT_RPC,
    AccountArgument,
    JsonFlag,
    RpcFlag,
    address,
    open_client,
    parse_planck,
    print_facts,
    read_account,
    read_secret,
)
from flockchain.cli.refusal import refuse
from flockchain.cli.signing import Signer, with_signer
from flockchain.keys import KeyPair
from flockchain.keystore import FileKeystore, KeystoreError
from runtime.economy.authorities import SessionKeys, SessionKeysProof, ownership_message
from runtime.frame.pallet import encode_call
from runtime.pallets.session import Session
from runtime.pallets.staking import Staking, ValidatorPrefs
from runtime.pallets.staking.records import PayoutStarted
from runtime.primitives.per_things import Perbill
from runtime.primitives.scale import DecodeError, codec_of
from runtime.primitives.types import AccountId

_KEYS: Final = codec_of(SessionKeys)
_PROOF: Final = codec_of(SessionKeysProof)

app = typer.Typer(
    help="Stake for the chain's validators.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)


@app.command()
@with_signer
def bond(
    signer: Signer,
    amount: AmountArgument,
) -> None:
    """Bond an amount, or that much more."""
    planck, pair = parse_planck(amount), signer.pair
    with signer.open() as client:
        known = client.find(Staking.ledger, pair.account)
    made = Staking.bond if known is None else Staking.bond_extra
    _act(signer, encode_call(made, planck))


@app.command()
@with_signer
def unbond(
    signer: Signer,
    amount: AmountArgument,
) -> None:
    """Begin to take an amount back; until it matures it can be slashed."""
    planck = parse_planck(amount)
    _act(signer, encode_call(Staking.unbond, planck))


@app.command()
@with_signer
def withdraw(
    signer: Signer,
) -> None:
    """Get back what has matured."""
    _act(signer, encode_call(Staking.withdraw_unbonded))


@app.command()
@with_signer
def set_keys(
    signer: Signer,
    keystore: Annotated[
        Path, typer.Option(help="The node's keystore, with its babe and gran key.")
    ],
    password_file: Annotated[Path, typer.Option(help="File with the keystore's password.")],
    session_keys: Annotated[
        str | None,
        typer.Option("--keys", help="Which ones of several, as author_rotateKeys gave them."),
    ] = None,
) -> None:
    """Have a node's keys act for the account, two sessions from now on."""
    pair, password = signer.pair, read_secret(password_file)
    wanted = None if session_keys is None else _read_session_keys(session_keys)
    babe = _session_key(keystore, "babe", password, None if wanted is None else wanted.babe)
    gran = _session_key(keystore, "gran", password, None if wanted is None else wanted.grandpa)
    keys = SessionKeys(babe.public, gran.public)
    with signer.open() as client:
        message = ownership_message(client.client.genesis, pair.account, keys)
    proof = SessionKeysProof(babe.sign(message), gran.sign(message))
    _act(signer, encode_call(Session.set_keys, keys, proof))


@app.command()
@with_signer
def rotate_keys(signer: Signer) -> None:
    """Have the node make fresh keys, and have them act for the account, two sessions from now on.

    The node is the account's validator, and lets this machine use its unsafe methods.
    """
    pair = signer.pair
    with signer.open() as client:
        owner = f"0x{pair.account.hex()}"
        made = client.run(client.client.rpc("author_rotateKeysWithOwner", [owner]))
        keys, proof = (_from_hex(made[name]) for name in ("keys", "proof"))
        registered = _KEYS.decode_all(keys), _PROOF.decode_all(proof)
        client.submit(encode_call(Session.set_keys, *registered), pair)
    _show(signer.rpc, pair.account, as_json=signer.as_json)


@app.command()
@with_signer
def validate(
    signer: Signer,
    commission: Annotated[
        float, typer.Option(min=0, max=100, help="Percent of rewards kept before nominators.")
    ] = 0,
) -> None:
    """Be a candidate from the next election on."""
    prefs = ValidatorPrefs(Perbill(round(commission * 10**7)))
    _act(signer, encode_call(Staking.validate, prefs))


@app.command()
@with_signer
def nominate(
    signer: Signer,
    targets: Annotated[list[str], typer.Argument(help="One to four candidates.")],
) -> None:
    """Back candidates from the next election on; what they lose by a slash is lost pro rata."""
    named = [read_account(each) for each in targets]
    _act(signer, encode_call(Staking.nominate, named))


@app.command()
@with_signer
def chill(
    signer: Signer,
) -> None:
    """Be neither candidate nor nominator from the next election on."""
    _act(signer, encode_call(Staking.chill))


@app.command()
@with_signer
def payout(
    signer: Signer,
    validator: AccountArgument,
    era: Annotated[int, typer.Argument(min=0, max=2**32 - 1, help="The era's number.")],
) -> None:
    """Have a validator and its nominators paid for an era; anybody may."""
    call = encode_call(Staking.payout_stakers, read_account(validator), era)
    told = signer.send(call, PayoutStarted, "payout")
    paid = shown(told.amount, as_json=signer.as_json)
    facts = {"validator": address(told.validator), "era": told.era, "paid": paid}
    print_facts(facts, as_json=signer.as_json)


@app.command()
def show(account: AccountArgument, rpc: RpcFlag = DEFAULT_RPC, as_json: JsonFlag = False) -> None:
    """Show an account's bond, role, keys, and the era."""
    _show(rpc, read_account(account), as_json=as_json)


def _act(signer: Signer, call: bytes) -> None:
    """Submit a call and show what the account has then."""
    pair = signer.pair
    with signer.open() as client:
        client.submit(call, pair)
    _show(signer.rpc, pair.account, as_json=signer.as_json)


def _show(rpc: str, who: AccountId, *, as_json: bool) -> None:
    with open_client(rpc) as client:
        ledger = client.find(Staking.ledger, who)
        is_candidate = client.find(Staking.validators, who) is not None
        nominations = client.find(Staking.nominators, who)
        keys = client.find(Session.next_keys, who)
        acting = client.query(Session.validators)
        era = client.query(Staking.active_era).index
    bonded = 0 if ledger is None else ledger.active
    leaving = [] if ledger is None else ledger.unlocking
    role = "candidate" if is_candidate else "nominator" if nominations is not None else "none"
    print_facts(
        {
            "account": address(who),
            "bonded": shown(bonded, as_json=as_json),
            "unbonding": [
                f"{shown(chunk.value, as_json=as_json)} until era {chunk.era}" for chunk in leaving
            ],
            "role": role,
            "backs": [] if nominations is None else [address(each) for each in nominations.targets],
            "session_keys": None if keys is None else f"0x{keys.babe.hex()} 0x{keys.grandpa.hex()}",
            "validates_now": who in acting,
            "era": era,
        },
        as_json=as_json,
    )


def _read_session_keys(text: str) -> SessionKeys:
    try:
        return _KEYS.decode_all(_from_hex(text))
    except (ValueError, DecodeError):
        raise typer.BadParameter("both public keys in hex, 0x and 128 digits") from None


def _from_hex(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def _session_key(
    directory: Path, key_type: str, password: str, public: bytes | None = None
) -> KeyPair:
    """The node's one key of a type, or the one with that public key."""
    keystore = FileKeystore(directory)
    try:
        entries = [
            entry
            for entry in keystore.list()
            if entry.key_type == key_type and public in (None, entry.public)
        ]
        if len(entries) == 1:
            return keystore.unlock(key_type, entries[0].public, password)
    except (KeystoreError, OSError) as error:
        refuse(error)
    if not entries:
        refuse(f"{directory} has no such key of type {key_type}: is it the node's keystore?")
    refuse(f"{directory} has {len(entries)} keys of type {key_type}: name one with --keys")
