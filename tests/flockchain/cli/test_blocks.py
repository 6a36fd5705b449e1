"""The commands on a stopped node's blocks, run as their users run them, on chains on disk."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from flockchain.chain.builder import build_block
from flockchain.cli import blocks as commands
from flockchain.cli.spec import spec_hash
from flockchain.consensus.grandpa.messages import BlockRef
from flockchain.consensus.grandpa.warp_proof import Fragment
from flockchain.resting_chain import importer_of, resting_chain
from flockchain.simulation.long_chain import LongChain
from flockchain.storage.kv import WriteBatch
from flockchain.storage.trie_download import TrieDownload
from genesis.raw import RawGenesis
from genesis.spec import load_chain_spec
from runtime.frame.executive import verify_signature
from runtime.primitives.babe_digest import instant_log

SPEC = load_chain_spec("dev")
COUNT = 6
app = typer.Typer()
for _name, _command in (
    ("export-blocks", commands.export_blocks),
    ("import-blocks", commands.import_blocks_command),
    ("check-block", commands.check_block),
    ("revert", commands.revert),
    ("export-state", commands.export_state),
    ("replay", commands.replay),
    ("spec-hash", spec_hash),
):
    app.command(_name)(_command)


def run(*arguments: str, stdin: bytes | None = None) -> Result:
    return CliRunner(env={"NO_COLOR": "1"}).invoke(app, list(arguments), input=stdin)


def refusal(*arguments: str) -> str:
    result = run(*arguments)
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    return result.stderr.removeprefix("error: ").removesuffix("\n")


def grow(base: Path, final: int, states_max: int | None = None) -> list[str]:
    """Six blocks, the first `final` of them final. Their state roots."""
    roots = []
    with resting_chain(SPEC, base, states_max, is_made=True) as backend:
        importer, _ = importer_of(backend, is_instant=True)
        for number in range(1, COUNT + 1):
            parent, now_ms = backend.best.hash, 1_700_000_000_000 + 6_000 * number
            state = backend.state_at(parent)
            built = build_block(
                *(state, parent, number, [instant_log(0)], now_ms, (), verify_signature),
                lambda: False,
                lambda _: None,
            )
            header, delta = importer.prepare(built)
            imported = importer.import_own(header, built.body, delta)
            roots.append(f"0x{header.state_root.hex()}")
            if number == final:
                backend.finalize(imported.hash)
    return roots


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A chain of six blocks, two of them final."""
    grow(tmp_path / "one", 2)
    return tmp_path / "one"


def on(base: Path) -> tuple[str, ...]:
    return ("--chain", "dev", "--base-path", str(base))


def test_blocks_go_from_one_node_to_another(base: Path, tmp_path: Path) -> None:
    file, other = tmp_path / "blocks", tmp_path / "two"
    assert run("export-blocks", str(file), *on(base)).exit_code == 0
    first = run("import-blocks", str(file), "--dev", *on(other))
    assert first.exit_code == 0, first.output
    assert "6 blocks read, 6 imported" in first.stdout
    again = run("import-blocks", str(file), "--dev", *on(other))
    assert "6 blocks read, 0 imported" in again.stdout
    checked = run("check-block", "6", *on(base)).stdout
    assert checked.split("(")[0] == run("check-block", "best", *on(other)).stdout.split("(")[0]


def test_a_part_of_the_chain_is_exported_and_joins_only_there(base: Path, tmp_path: Path) -> None:
    file = tmp_path / "blocks"
    exported = run("export-blocks", str(file), "--from", "3", "--to", "4", *on(base))
    assert exported.stderr == "2 blocks exported\n"
    refused = refusal("import-blocks", str(file), "--dev", *on(tmp_path / "two"))
    assert refused.startswith("block 3: block 0x")
    assert "is not known" in refused
    assert refusal("export-blocks", str(file), "--to", "7", *on(base)) == (
        "the best block is 6, there is no block 7 to export"
    )


def test_blocks_of_another_consensus_are_refused(base: Path, tmp_path: Path) -> None:
    file = tmp_path / "blocks"
    run("export-blocks", str(file), *on(base))
    assert refusal("replay", str(file), "--chain", "dev") == (
        "block 1 is false: block 1 claims no slot"
    )


def test_replay_compares_every_root(base: Path, tmp_path: Path) -> None:
    file, expected = tmp_path / "blocks", tmp_path / "roots"
    run("export-blocks", str(file), *on(base))
    roots = grow(tmp_path / "same", 0)
    expected.write_text("\n".join(roots))
    arguments = ("replay", str(file), "--chain", "dev", "--dev", "--expect-roots", str(expected))
    found = json.loads(run(*arguments, "--json").stdout)
    assert (found["blocks"], found["state_root"]) == (COUNT, roots[-1])
    expected.write_text("\n".join([*roots[:3], roots[0], *roots[4:]]))
    assert refusal(*arguments) == "the roots differ from block 4 on: 6 blocks, 6 roots"
    expected.write_text("\n".join(roots[:5]))
    assert refusal(*arguments) == "the roots differ from block 6 on: 6 blocks, 5 roots"


def test_revert_stops_at_what_is_final(base: Path) -> None:
    assert run("revert", "1", *on(base)).stdout.startswith("1 blocks reverted, best 5 0x")
    assert refusal("check-block", "6", *on(base)) == "there is no block 6, the best one is 5"
    assert run("revert", *on(base)).stdout.startswith("3 blocks reverted, best 2 0x")
    assert refusal("revert", *on(base)) == (
        "block 2 is final, and so is all below it: there is nothing to revert"
    )


def test_an_exported_state_is_a_genesis_with_its_root(base: Path, tmp_path: Path) -> None:
    checked = run("check-block", "4", *on(base)).stdout
    file = tmp_path / "state.json"
    file.write_text(run("export-state", "4", *on(base)).stdout)
    root = json.loads(run("spec-hash", str(file), "--json").stdout)["state_root"]
    assert root in checked


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("check-block", "0"), "block 0 is not executed, it is the genesis of the chain spec"),
        (("check-block", "0x" + "0" * 64), f"block 0x{'0' * 64} is not known"),
        (("check-block", "0x" + "z" * 64), f"0x{'z' * 64} is no hash"),
        (
            ("check-block", "last"),
            "last is no block: give a number, a 0x hash of 32 bytes, best or finalized",
        ),
    ],
)
def test_a_block_that_is_none_is_refused(
    arguments: tuple[str, ...], message: str, base: Path
) -> None:
    assert refusal(*arguments, *on(base)) == message


def test_a_state_that_is_pruned_is_named(tmp_path: Path) -> None:
    base, file = tmp_path / "one", tmp_path / "blocks"
    grow(base, COUNT, states_max=1)
    said = "the state behind block 1 is kept no more: a node has those of its last final blocks"
    assert refusal("check-block", "2", *on(base)).startswith(said)
    assert refusal("export-state", "1", *on(base)).startswith(said)
    assert run("check-block", "best", *on(base)).exit_code == 1
    assert run("export-blocks", str(file), *on(base)).exit_code == 0


def test_a_missing_database_is_not_made(tmp_path: Path) -> None:
    assert refusal("revert", *on(tmp_path)).startswith("there is no database at ")
    assert not (tmp_path / "chains").exists()


def test_a_missing_file_makes_no_database(tmp_path: Path) -> None:
    file = tmp_path / "no.bin"
    said = refusal("import-blocks", str(file), *on(tmp_path / "other"))
    assert said == f"cannot use {file}: No such file or directory"
    assert not (tmp_path / "other").exists()


def test_a_wrong_pruning_is_refused(tmp_path: Path) -> None:
    refused = refusal("import-blocks", "-", "--state-pruning", "none", *on(tmp_path))
    assert refused == "--state-pruning: none is neither archive nor a number from 16"


def test_what_a_warp_sync_left_out_is_named(tmp_path: Path) -> None:
    chain = LongChain(changes_every=0)
    chain.grow(20)
    spec = tmp_path / "spec.json"
    raw = replace(load_chain_spec("devnet"), genesis=RawGenesis(chain.genesis))
    spec.write_text(raw.to_json(is_raw=True))
    target = chain.backend.header(chain.backend.best.hash)
    assert target is not None
    with resting_chain(load_chain_spec(str(spec)), tmp_path, is_made=True) as backend:
        batch = WriteBatch()
        walk = TrieDownload(target.state_root)
        entries = []
        for encoded, value in chain.backend.state_at(target.hash()).nodes():
            entries += [encoded] if value is None else [encoded, value]
        walk.take(entries, backend.state.take_stem(batch), batch)
        assert walk.root is not None
        proof = chain.prove(BlockRef(target.hash(), 20))
        backend.adopt(Fragment(target, proof), walk.root, [], batch)
    place = ("--chain", str(spec), "--base-path", str(tmp_path))
    lacking = (
        "block 7 is not here: the node began above it with --sync warp, and fetches earlier "
        "blocks while it runs, or it lets them go (--blocks-pruning); let it run on, or ask a node "
        "that has them"
    )
    assert refusal("export-blocks", str(tmp_path / "out"), "--from", "7", *place) == lacking
    assert refusal("check-block", "7", *place) == lacking
    assert refusal("check-block", "20", *place) == lacking.replace("block 7", "block 20")
    assert refusal("check-block", "21", *place).startswith("there is no block 21")
