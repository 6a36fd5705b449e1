"""`flockchain release`: the version and the hash by which the DAO names this release.

Source: WP VII (protocol upgrades).
"""

from __future__ import annotations

from flockchain.cli.chain_access import JsonFlag, print_facts
from flockchain.release import release_hash
from runtime.version import SPEC_VERSION, TRANSACTION_VERSION


def release(as_json: JsonFlag = False) -> None:
    """Print what a proposal to upgrade to this release would name."""
    print_facts(
        {
            "spec_version": SPEC_VERSION,
            "transaction_version": TRANSACTION_VERSION,
            "release": f"0x{release_hash().hex()}",
        },
        as_json=as_json,
    )
