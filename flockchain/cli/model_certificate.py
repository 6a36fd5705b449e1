"""`flockchain model certificate` and `verify`: what the chain says of weights, and the check.

Owns the files. `verify` opens no connection: it needs the certificate, the weights, and the genesis
hash, which whoever checks must have from a source of its own.
Source: WP VI.H (anyone can verify), WP V.H.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from flockchain.certificates.certificate import (
    Certificate,
    CertificateError,
    read_certificate,
    verify,
)
from flockchain.certificates.writing import NotProvable, make_certificate
from flockchain.cli.chain_access import (
    DEFAULT_RPC,
    JsonFlag,
    RpcFlag,
    open_client,
    print_facts,
    read_content_id,
)
from flockchain.cli.refusal import refuse, why
from flockchain.cli.spec import ChainFlag, load_spec
from genesis.errors import SpecError
from runtime.pallets.model_registry import ModelRegistry
from runtime.primitives.content_id import cid_text
from runtime.primitives.types import Hash

CERTIFICATE_BYTES_MAX: Final = 64 * 1024 * 1024


def certificate(
    model: Annotated[str, typer.Argument(help="A finished task's number, or a content id.")],
    file: Annotated[Path, typer.Option("--out", help="Where the certificate goes.")],
    chain: ChainFlag = "local",
    rpc: RpcFlag = DEFAULT_RPC,
    as_json: JsonFlag = False,
) -> None:
    """Write what the chain says of a model, provable to who knows only the genesis hash."""
    try:
        genesis = load_spec(chain).genesis_top()
    except SpecError as error:
        refuse(error)
    with open_client(rpc) as client:
        if model.isascii() and model.isdecimal() and len(model) <= 10:
            found = client.find(ModelRegistry.models, int(model))
            if found is None:
                refuse(f"task {model} has no model, or has not ended")
            content = found.content
        else:
            content = read_content_id(model)
        try:
            made = make_certificate(client, genesis, content)
        except (NotProvable, CertificateError) as error:
            refuse(error)
    try:
        file.write_text(made.to_json(), encoding="utf-8")
    except OSError as error:
        refuse(f"cannot write {file}: {why(error)}")
    head = made.fragments[-1].header
    print_facts(
        {
            "model": cid_text(made.content),
            "genesis": f"0x{made.genesis.hash().hex()}",
            "block": head.number,
            "proofs_of_finality": len(made.fragments),
            "bytes": file.stat().st_size,
        },
        as_json=as_json,
    )


def verify_file(
    file: Annotated[Path, typer.Argument(metavar="CERTIFICATE", help="The certificate.")],
    weights: Annotated[Path, typer.Argument(help="The model's file.")],
    genesis: Annotated[str, typer.Option(help="The chain's genesis hash, 0x and 64 digits.")],
    as_json: JsonFlag = False,
) -> None:
    """Check offline that a weights file is what a chain says; print where it comes from."""
    try:
        block = Hash(bytes.fromhex(genesis.removeprefix("0x")))
    except ValueError:
        raise typer.BadParameter(f"{genesis!r} is no hash", param_hint="--genesis") from None
    if len(block) != 32:
        raise typer.BadParameter("a genesis hash has 32 bytes", param_hint="--genesis")
    try:
        checked = verify(_read(file), block, weights.read_bytes())
    except CertificateError as error:
        refuse(error)
    except OSError as error:
        refuse(f"cannot read {weights}: {why(error)}")
    nodes = [node.as_document() for node in checked.lineage]
    facts: dict[str, object] = {
        "final_block": checked.block.number,
        "block": f"0x{checked.block.hash().hex()}",
    }
    if as_json:
        print_facts(facts | {"lineage": nodes}, as_json=True)
        return
    print_facts(facts, as_json=False)
    for node in nodes:
        print_facts(node, as_json=False)


def _read(file: Path) -> Certificate:
    try:
        if file.stat().st_size > CERTIFICATE_BYTES_MAX:
            refuse(f"{file} is larger than {CERTIFICATE_BYTES_MAX} bytes")
        return read_certificate(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        refuse(f"cannot read {file}: {why(error)}")
