"""`flockchain model`: certificates of models, and the check of who was drawn to make them.

Owns the questions to the node. The node is believed in nothing but the header of the block: values
are proven under its state root, VRF proofs are verified and the draw is made again here.
Source: WP VI.H (selection that anyone can verify).
"""

from __future__ import annotations

from typing import Annotated

import typer

from flockchain.cli.amounts import TaskArgument
from flockchain.cli.chain_access import (
    DEFAULT_RPC,
    JsonFlag,
    RpcFlag,
    address,
    open_client,
    print_facts,
)
from flockchain.cli.model_certificate import certificate, verify_file
from flockchain.cli.refusal import refuse
from flockchain.economics.role_proof import RolePage, RolesForged, check_roles, read_page
from flockchain.sdk import BlockingClient
from flockchain.storage.errors import ProofError
from runtime.primitives.types import Hash

app = typer.Typer(
    help="Check where models come from.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)


app.command("certificate")(certificate)
app.command("verify")(verify_file)


@app.callback()
def model() -> None:
    """Check where models come from."""


@app.command()
def roles(
    task: TaskArgument,
    round_: Annotated[int, typer.Argument(metavar="ROUND", min=0, max=2**32 - 1)],
    rpc: RpcFlag = DEFAULT_RPC,
    as_json: JsonFlag = False,
) -> None:
    """Verify who was drawn in a round: all VRF proofs, and the draw from their outputs.

    Proofs are kept for the open round and the one before.
    """
    with open_client(rpc) as client:
        block = client.run(client.client.at_finalized()).block
        header = client.run(client.client.chain.header(block))
        if header is None:
            refuse(f"the node does not know its last final block 0x{block.hex()}")
        pages = _pages(client, task, round_, block)
        genesis, preset = client.client.genesis, client.client.preset
    try:
        found = check_roles(pages, header.state_root, genesis, preset, task, round_)
    except (ProofError, RolesForged) as error:
        refuse(f"the roles of round {round_} do not hold: {error}")
    facts: dict[str, object] = {"task": task, "round": round_, "block": header.number}
    facts |= {
        "state_root": f"0x{header.state_root.hex()}",
        "seed": f"0x{found.seed.hex()}",
        "proofs_verified": found.checked,
        "absent": found.absent,
        "proposers": _shown([address(each) for each in found.proposers], as_json=as_json),
        "voters": _shown([address(each) for each in found.voters], as_json=as_json),
    }
    print_facts(facts, as_json=as_json)


def _pages(client: BlockingClient, task: int, round_: int, block: Hash) -> list[RolePage]:
    """All pages of the certificate, of one block."""
    pages: list[RolePage] = []
    start: int | None = 0
    while start is not None:
        asked = [task, round_, start, f"0x{block.hex()}"]
        answer = client.run(client.client.rpc("flock_roleProof", asked))
        if answer is None:
            refuse(f"the proofs of round {round_} of task {task} are not kept: ask for the last")
        pages.append(read_page(answer))
        if pages[-1].next is not None and pages[-1].next <= start:
            refuse("the node's pages do not go on")
        start = pages[-1].next
    return pages


def _shown(accounts: list[str], *, as_json: bool) -> object:
    return accounts if as_json else ", ".join(accounts)
