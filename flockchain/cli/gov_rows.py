"""How proposals look to people and programs.

Source: WP VII.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flockchain.cli.amounts import shown, shown_all
from flockchain.cli.chain_access import address
from flockchain.sdk import BlockingClient
from runtime.frame.call import RUNTIME_CALL
from runtime.pallets.governance import Governance
from runtime.pallets.governance.records import Live, Proposal
from runtime.pallets.preimage import Preimage
from runtime.primitives.content_id import cid_text


def rows_of(
    found: Sequence[tuple[int, Proposal]], live: Mapping[int, Live], *, as_json: bool
) -> list[dict[str, object]]:
    """One row a proposal: number, track, stage, its last block, and the votes."""
    return [
        {
            "proposal": number,
            "track": proposal.track.name.lower(),
            "stage": proposal.stage.name.lower(),
            "until_block": live[number].until if number in live else None,
            **_votes(proposal, as_json=as_json),
        }
        for number, proposal in found
    ]


def facts_of(
    client: BlockingClient, number: int, proposal: Proposal, *, as_json: bool
) -> dict[str, object]:
    """All of one proposal; its call as long as the bytes are on the chain."""
    live = {each.proposal: each for each in client.query(Governance.live)}
    (row,) = rows_of([(number, proposal)], live, as_json=as_json)
    data = client.find(Preimage.preimage_for, (proposal.call, proposal.call_len))
    flags = proposal.flags
    return {
        **row,
        "proposer": address(proposal.proposer),
        "about": cid_text(proposal.description),
        "call": None if data is None else _told(data),
        "deposit": shown(proposal.deposit, as_json=as_json),
        "quadratic": proposal.is_quadratic,
        **shown_all({"flagged": flags.ayes, "defended": flags.nays}, as_json=as_json),
        "comments": [
            {"by": address(each.who), "text": cid_text(each.content)}
            for each in client.query(Governance.comments, number)
        ],
    }


def shown_weight(weight: int, *, is_quadratic: bool, as_json: bool) -> str:
    """What a vote counts, for the reader: an amount, or roots of planck, which are none."""
    return str(weight) if is_quadratic else shown(weight, as_json=as_json)


def _votes(proposal: Proposal, *, as_json: bool) -> dict[str, object]:
    votes = proposal.votes
    tokens = shown_all({"turnout": votes.turnout, "quorum": proposal.quorum}, as_json=as_json)
    sides = {
        name: shown_weight(weight, is_quadratic=proposal.is_quadratic, as_json=as_json)
        for name, weight in (("ayes", votes.ayes), ("nays", votes.nays))
    }
    return {**sides, **tokens}


def _told(data: bytes) -> str:
    call = RUNTIME_CALL.decode_all(data)
    return f"{call.entry.pallet.__name__}.{call.entry.name} 0x{data.hex()}"
