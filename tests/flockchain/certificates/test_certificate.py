"""Certificates over a chain whose voters changed: written from a node, checked without one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from typer.testing import Result

from flockchain.certificates.certificate import (
    Certificate,
    CertificateError,
    read_certificate,
    verify,
    verify_lineage,
)
from flockchain.certificates.writing import voters_proof
from flockchain.cli import model
from flockchain.simulation import long_chain
from flockchain.simulation.long_chain import LongChain
from genesis.raw import RawGenesis
from genesis.spec import load_chain_spec
from runtime import frame
from runtime.api import preset_of
from runtime.economy.tasks import TaskStatus
from runtime.frame.externalities import DictState, Externalities
from runtime.pallets.fl_alliance.events import EndReason
from runtime.pallets.fl_alliance.terms import RoundWindows
from runtime.pallets.model_registry import ModelRegistry
from runtime.primitives.content_id import cid_text, content_id
from runtime.primitives.header import Header
from runtime.primitives.types import FML, Hash
from runtime.runtime import Runtime
from tests.flockchain.cli.test_chain_commands import RUNNER
from tests.flockchain.rpc.dev_node import build, dev_node
from tests.runtime.pallets.fl_alliance.alliance_world import alliance_terms
from tests.runtime.pallets.world import account, terms

FIRST, SECOND = b"weights of the arena's model", b"weights of the alliance's model"
OTHER = b"weights that nobody trained"
WINDOWS = RoundWindows(6, 6, 6, 6, 0, 6, 6)


@dataclass
class Story:
    """What is known of the chain: by its node, by who checks, and in files."""

    genesis: Hash
    certificate: Path
    weights: Path
    written: Result
    refusals: list[Result]


def with_models(top: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """Two finished tasks: one of the Arena, and one of the FL Alliance that started from it."""
    state = DictState(top)
    ext = Externalities(state)
    runtime, creator = Runtime(ext, preset_of(state)), account("creator")
    runtime.balances.genesis_build({creator: 100_000 * FML})
    runtime.tasks.create_verified_task(frame.ROOT, creator, terms())
    runtime.tasks.end_task(0, TaskStatus.COMPLETED)
    first, second = content_id(FIRST), content_id(SECOND)
    runtime.models.record_model(0, first, 3, account("n1"), (19, 20), [])
    runtime.alliance.create_verified_task(frame.ROOT, creator, alliance_terms(windows=WINDOWS))
    runtime.alliance.tasks.put(1, replace(runtime.alliance.get_task(1), ended=EndReason.ALL_ROUNDS))
    runtime.alliance.live.put([])
    runtime.models.record_model(1, second, 4, creator, (0, 1), [first])
    changed = {**top, **ext.changes()}
    return {key: value for key, value in changed.items() if value is not None}


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    folder, usual = tmp_path_factory.mktemp("certificate"), long_chain.staked_genesis
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(long_chain, "staked_genesis", lambda *given: with_models(usual(*given)))
        chain = LongChain(changes_every=40)
        chain.grow(150)
    assert chain.set_id >= 2, "voters changed more than once"
    spec, file = folder / "spec.json", folder / "certificate.json"
    raw = replace(load_chain_spec("devnet"), genesis=RawGenesis(chain.genesis))
    spec.write_text(raw.to_json(is_raw=True))
    (folder / "weights").write_bytes(SECOND)
    made = build()
    made.context = replace(made.context, backend=chain.backend)

    async def run() -> tuple[Result, list[Result]]:
        async with dev_node(made=made) as node:

            def ask(what: str, where: str, on: str) -> Result:
                words = ["certificate", what, "--out", where, "--chain", on, "--json"]
                return RUNNER.invoke(model.app, [*words, "--rpc", node.ws_url])

            written = await asyncio.to_thread(
                ask, cid_text(content_id(SECOND)), str(file), str(spec)
            )
            again = folder / "again.json"
            refusals = [
                await asyncio.to_thread(ask, *given)
                for given in (
                    ("1", str(again), str(spec)),
                    ("7", str(again), str(spec)),
                    (cid_text(content_id(OTHER)), str(again), str(spec)),
                    ("1", str(again), "dev"),
                )
            ]
            return written, refusals

    written, refusals = asyncio.run(run())
    return Story(chain.backend.genesis, file, folder / "weights", written, refusals)


def check(story: Story, *changes: str, weights: Path | None = None) -> Result:
    words = ["verify", str(story.certificate), str(weights or story.weights)]
    return RUNNER.invoke(model.app, [*words, "--genesis", f"0x{story.genesis.hex()}", *changes])


def test_a_certificate_is_written_and_holds_without_a_node(story: Story) -> None:
    assert story.written.exit_code == 0, story.written.output
    told = json.loads(story.written.stdout)
    assert told["genesis"] == f"0x{story.genesis.hex()}"
    assert told["proofs_of_finality"] >= 3
    result = check(story, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["final_block"] == told["block"]
    alliance, arena = found["lineage"]
    assert alliance["content"] == cid_text(content_id(SECOND))
    assert alliance["parents"] == [arena["content"]] == [cid_text(content_id(FIRST))]
    assert (alliance["kind"], alliance["round"], alliance["origin_task"]) == ("alliance", 4, 0)
    assert alliance["votes"] is None, "the chain keeps no round of it any more"
    assert (arena["kind"], arena["submission"], arena["score"]) == ("arena", 3, "19/20")
    assert arena["training_data"] == [cid_text(each) for each in terms().training]
    assert cid_text(content_id(FIRST)) in check(story).stdout


def test_a_task_names_its_model_and_what_is_not_there_is_refused(story: Story) -> None:
    by_task, unknown, nobody, elsewhere = story.refusals
    assert by_task.exit_code == 0, by_task.output
    assert unknown.stderr == "error: task 7 has no model, or has not ended\n"
    assert nobody.stderr == "error: no task of the chain ended with this model\n"
    assert elsewhere.stderr.startswith("error: the chain spec gives genesis 0x")


def test_other_weights_and_other_chains_are_refused(story: Story, tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(OTHER)
    result = check(story, weights=tmp_path / "other")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: the file's content id is ")
    result = check(story, weights=tmp_path / "none")
    assert result.stderr.startswith("error: cannot read ")
    words = ["verify", str(story.certificate), str(story.weights), "--genesis"]
    foreign = RUNNER.invoke(model.app, [*words, "0x" + "11" * 32])
    assert foreign.stderr.startswith("error: the certificate is of the chain 0x")
    assert RUNNER.invoke(model.app, [*words, "0x11"]).exit_code == 2
    assert RUNNER.invoke(model.app, [*words, "genesis"]).exit_code == 2
    (tmp_path / "text").write_text("{}")
    broken = RUNNER.invoke(
        model.app, ["verify", str(tmp_path / "text"), *words[2:], "0x" + "11" * 32]
    )
    assert broken.stderr == (
        "error: the file is no certificate: a field is missing or of a wrong form\n"
    )


def without_votes(made: Certificate) -> Certificate:
    """A justification of one vote less than a majority's is nobody's."""
    last = made.fragments[-1]
    return replace(made, fragments=[*made.fragments[:-1], replace(last, justification=b"")])


def of_no_voters(made: Certificate) -> Certificate:
    return replace(made, voters_proof=made.voters_proof[:-1])


def of_another_state(made: Certificate) -> Certificate:
    last = made.fragments[-1]
    forged = replace(last.header, state_root=Hash(bytes(32)))
    return replace(made, fragments=[*made.fragments[:-1], replace(last, header=forged)])


FORGERIES: list[tuple[Callable[[Certificate], Certificate], str]] = [
    (lambda made: replace(made, fragments=[]), "the certificate has no proof of finality"),
    (lambda made: replace(made, fragments=made.fragments[1:]), "the proofs of finality: "),
    (without_votes, "the proofs of finality: "),
    (of_another_state, "the proofs of finality: "),
    (of_no_voters, "the voters of block 0: "),
    (lambda made: replace(made, proof=made.proof[:-1]), "the state of block "),
    (lambda made: replace(made, proof=[*made.proof, b"more"]), "the state of block "),
    (lambda made: replace(made, keys=made.keys[:-1]), "the state of block "),
]


@pytest.mark.parametrize(("forge", "reason"), FORGERIES)
def test_forged_certificates_prove_nothing(
    story: Story, forge: Callable[[Certificate], Certificate], reason: str
) -> None:
    made = read_certificate(story.certificate.read_text())
    assert verify(made, story.genesis, SECOND).lineage
    with pytest.raises(CertificateError) as caught:
        verify(forge(made), story.genesis, SECOND)
    assert str(caught.value).startswith(reason)


def test_a_model_that_never_won_is_proven_to_be_none(story: Story) -> None:
    made = read_certificate(story.certificate.read_text())
    claimed = replace(made, content=content_id(OTHER))
    with pytest.raises(CertificateError, match="the certificate does not prove key 0x"):
        verify_lineage(claimed, story.genesis)
    path = ModelRegistry.by_content.path(content_id(OTHER))
    assert path not in made.keys


def test_the_first_voters_follow_from_the_genesis_hash() -> None:
    top = load_chain_spec("devnet").genesis_top()
    header, proof = voters_proof(top)
    assert isinstance(header, Header)
    assert proof
    made = Certificate(header, proof, [], b"", [], [])
    assert read_certificate(made.to_json()) == made
