"""The network that a soak runs on: a chain spec with its authorities and payers, and transfers.

Everything is signed before the load begins, so that the sender's processor time is the sockets'.
Invariant: a payer speaks to one node only, in the order of its nonces; nobody pays itself.

Source: reliability goals for real processes; Substrate chain specs.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from flockchain.devnet.processes import AUTHORITIES
from flockchain.keys import KeyPair, key_pair_from_seed, key_pair_from_uri
from flockchain.sdk.hex import to_hex
from flockchain.sdk.signing import Validity, sign_call
from genesis.spec import load_chain_spec
from runtime.frame.pallet import encode_call
from runtime.pallets.balances import Balances
from runtime.primitives.era import IMMORTAL
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.multi import Id
from runtime.primitives.ss58 import encode_address
from runtime.primitives.types import FML, Hash

_WEIGHT: Final = 500 * 10**9  # 500 FML
_ENDOWMENT: Final = "1000 FML"


def make_payers(count: int) -> list[KeyPair]:
    """Accounts of the soak alone."""
    return [
        key_pair_from_seed(blake2b_256(f"soak payer {index}".encode()), "ed25519")
        for index in range(count)
    ]


def write_spec(path: Path, nodes: int, payers: Sequence[KeyPair]) -> Hash:
    """Write a chain spec with `nodes` authorities and endowed payers; the genesis hash.

    Slots of 1 s, epochs of 10 slots, eras of 30: sessions and elections are part of the load.
    """
    document: dict[str, Any] = json.loads(load_chain_spec("local").to_json(is_raw=False))
    document |= {"name": "FLock Soak", "id": "flock_soak", "protocolId": "flocksoak"}
    patch = document["genesis"]["runtimeGenesis"]["patch"]
    patch["balances"]["balances"] += [[encode_address(key.account), _ENDOWMENT] for key in payers]
    patch["babe"]["authorities"] = []
    patch["grandpa"]["authorities"] = []
    for name in AUTHORITIES[:nodes]:
        uri = f"//{name.capitalize()}"
        account = encode_address(key_pair_from_uri(uri).account)
        key = encode_address(key_pair_from_uri(uri, "ed25519").account)
        seat = {"account": account, "key": key, "weight": _WEIGHT}
        patch["babe"]["authorities"].append(seat)
        patch["grandpa"]["authorities"].append([key, _WEIGHT])
    path.write_text(json.dumps(document))
    return load_chain_spec(path).genesis_hash()


def sign_requests(payers: Sequence[KeyPair], count: int, genesis: Hash) -> list[bytes]:
    """`count` JSON-RPC requests that submit a transfer each; the payers take turns."""
    forever = Validity(IMMORTAL, genesis)
    requests = []
    for place in range(count):
        nonce, turn = divmod(place, len(payers))
        dest = payers[(turn + 1 + nonce % (len(payers) - 1)) % len(payers)]
        call = encode_call(Balances.transfer_keep_alive, Id(dest.account), FML // 1_000)
        signed = sign_call(
            call, payers[turn], nonce=nonce, tip=0, validity=forever, genesis=genesis
        )
        requests.append(
            orjson.dumps(
                {
                    "jsonrpc": "2.0",
                    "id": place,
                    "method": "author_submitExtrinsic",
                    "params": [to_hex(signed)],
                }
            )
        )
    return requests
