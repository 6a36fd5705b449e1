"""`flockchain stake`: bond for the chain's proof of stake, validate, nominate, and be paid.

Source: WP II.A (proof of stake); Substrate `pallet_staking`, `pallet_session`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flockchain.cli.amounts import AmountArgument, shown
from flockchain.cli.chain_access import (
    DEFAULT_RPC,
    AccountArgument,
    JsonFlag,
    KeyFileFlag,
    KeyFlag,
    RpcFlag,
    SchemeFlag,
    SchemeName,
    address,
    open_client,
    parse_planck,
    print_facts,
    read_account,
    read_key,
    read_secret,
)
from flockchain.cli.refusal import refuse
from flockchain.keys import KeyPair
from flockchain.keystore import FileKeystore, KeystoreError
from runtime.economy.authorities import SessionKeys, SessionKeysProof, ownership_message
from runtime.frame.pallet import encode_call
from runtime.pallets.session import Session
from runtime.pallets.staking import Staking, ValidatorPrefs
from runtime.primitives.per_things import Perbill
from runtime.primitives.types import AccountId

app = typer.Typer(
    help="Stake for the chain's validators.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)


@app.command()
def bond(
    amount: AmountArgument,
    rpc: RpcFlag = DEFAULT_RPC,
    key: KeyFlag = None,
    key_file: KeyFileFlag = None,
    scheme: SchemeFlag = SchemeName.SR25519,
    as_json: JsonFlag = False,
) -> None:
    """Bond an amount, or that much more."""
    planck, pair = parse_planck(amount), read_key(key, key_file, scheme)
    with open_client(rpc) as client:
        known = client.find(Staking.ledger, pair.account)
    made = Staking.bond if known is None else Staking.bond_extra
    _act(rpc, pair, encode_call(made, planck), as_json=as_json)


@app.command()
def unbond(
    amount: AmountArgument,
    rpc: RpcFlag = DEFAULT_RPC,
    key: KeyFlag = None,
    key_file: KeyFileFlag = None,
    scheme: SchemeFlag = SchemeName.SR25519,
    as_json: JsonFlag = False,
) -> None:
    """Begin to take an amount back; until it matures it can be slashed."""
    planck, pair = parse_planck(amount), read_key(key, key_file, scheme)
    _act(rpc, pair, encode_call(Staking.unbond, planck), as_json=as_json)


@app.command()
def withdraw(
    rpc: RpcFlag = DEFAULT_RPC,
    key: KeyFlag = None,
    key_file: KeyFileFlag = None,
    scheme: SchemeFlag = SchemeName.SR25519,
    as_json: JsonFlag = False,
) -> None:
    """Get back what has matured."""
    pair = read_key(key, key_file, scheme)
    _act(rpc, pair, encode_call(Staking.withdraw_unbonded), as_json=as_json)


@app.command()
def set_keys(
    keystore: Annotated[
        Path, typer.Option(help="The node's keystore, with its babe and gran key.")
    ],
    password_file: Annotated[Path, typer.Option(help="File with the keystore's password.")],
    rpc: RpcFlag = DEFAULT_RPC,
    key: KeyFlag = None,
    key_file: KeyFileFlag = None,
    scheme: SchemeFlag = SchemeName.SR25519,
    as_json: JsonFlag = False,
) -> None:
    """Have a node's keys act for the account, two sessions from now on."""
    pair, password = read_key(key, key_file, scheme), read_secret(password_file)
    babe, gran = (_session_key(keystore, kind, password) for kind in ("babe", "gran"))
    keys = SessionKeys(babe.public, gran.public)
    with open_client(rpc) as client:
        message = ownership_message(client.client.genesis, pair.account, keys)
    proof = SessionKeysProof(babe.sign(message), gran.sign(message))
    _act(rpc, pair, encode_call(Session.set_keys, keys, proof), as_json=as_json)


@app.command()
def validate(
    commission: Annotated[
        float, typer.Option(min=0, max=100, help="Percent of rewards kept before nominators.")
    ] = 0,
    rpc: RpcFlag = DEFAULT_RPC,
    key: KeyFlag = None,
    key_file: KeyFileFlag = None,
    scheme: SchemeFlag = SchemeName.SR25519,
    as_json: JsonFlag = False,
) -> None:
    """Be a candidate from the next election on."""
    pair = read_key(key, key_file, scheme)
    prefs = ValidatorPrefs(Perbill(round(commission * 10**7)))
    _act(rpc, pair, encode_call(Staking.validate, prefs), as_json=as_json)


@app.command()
def nominate(
    targets: Annotated[list[str], typer.Argument(help="One to four candidates.")],
    rpc: RpcFlag = DEFAULT_RPC,
    key: KeyFlag = None,
    key_file: KeyFileFlag = None,
    scheme: SchemeFlag = SchemeName.SR25519,
    as_json: JsonFlag = False,
) -> None:
    """Back candidates from the next election on; what they lose by a slash is lost pro rata."""
    pair, named = read_key(key, key_file, scheme), [read_account(each) for each in targets]
    _act(rpc, pair, encode_call(Staking.nominate, named), as_json=as_json)


@app.command()
def chill(
    rpc: RpcFlag = DEFAULT_RPC,
    key: KeyFlag = None,
    key_file: KeyFileFlag = None,
    scheme: SchemeFlag = SchemeName.SR25519,
    as_json: JsonFlag = False,
) -> None:
    """Be neither candidate nor nominator from the next election on."""
    pair = read_key(key, key_file, scheme)
    _act(rpc, pair, encode_call(Staking.chill), as_json=as_json)


@app.command()
def payout(
    validator: AccountArgument,
    era: Annotated[int, typer.Argument(min=0, max=2**32 - 1, help="The era's number.")],
    rpc: RpcFlag = DEFAULT_RPC,
    key: KeyFlag = None,
    key_file: KeyFileFlag = None,
    scheme: SchemeFlag = SchemeName.SR25519,
    as_json: JsonFlag = False,
) -> None:
    """Have a validator and its nominators paid for an era; anybody may."""
    pair, who = read_key(key, key_file, scheme), read_account(validator)
    _act(rpc, pair, encode_call(Staking.payout_stakers, who, era), as_json=as_json)


@app.command()
def show(account: AccountArgument, rpc: RpcFlag = DEFAULT_RPC, as_json: JsonFlag = False) -> None:
    """Show an account's bond, role, keys, and the era."""
    _show(rpc, read_account(account), as_json=as_json)


def _act(rpc: str, pair: KeyPair, call: bytes, *, as_json: bool) -> None:
    """Submit a call and show what the account has then."""
    with open_client(rpc) as client:
        client.submit(call, pair)
    _show(rpc, pair.account, as_json=as_json)


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


def _session_key(directory: Path, key_type: str, password: str) -> KeyPair:
    """The node's one key of a type."""
    keystore = FileKeystore(directory)
    entries = [entry for entry in keystore.list() if entry.key_type == key_type]
    if len(entries) != 1:
        refuse(f"{directory} has {len(entries)} keys of type {key_type}, one is needed")
    try:
        return keystore.unlock(key_type, entries[0].public, password)
    except KeystoreError as error:
        refuse(error)
