"""Chain specs: what loads, what is refused and in which words, and the raw form."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from flockchain.keys import key_pair_from_uri
from genesis.errors import SpecError
from genesis.spec import PRESET_NAMES, load_chain_spec, parse_chain_spec
from runtime.constants import PRESETS
from runtime.frame.externalities import DictState, Externalities
from runtime.genesis import GenesisConfig
from runtime.primitives.types import FML
from runtime.runtime import Runtime

DEV_NAMES = ("Alice", "Bob", "Charlie", "Dave", "Eve", "Ferdie")
DEV: dict[str, Any] = json.loads(load_chain_spec("dev").to_json(is_raw=False))
PATCH = "genesis.runtimeGenesis.patch"
ALICE = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
ALICE_ED25519 = "5FA9nQDVg267DEd8m1ZypXLBnvN7SFxYwV7ndqSYGiN9TTpu"


def refusal(text: str) -> str:
    with pytest.raises(SpecError) as caught:
        parse_chain_spec(text).genesis_top()
    return str(caught.value)


def refusal_with(path: str, value: object) -> str:
    """The refusal of the dev spec with another value at a path; `...` deletes the key."""
    document = copy.deepcopy(DEV)
    *parents, last = path.split("/")
    at: Any = document
    for name in parents:
        at = at[int(name)] if isinstance(at, list) else at[name]
    if value is ...:
        del at[last]
    else:
        at[int(last) if isinstance(at, list) else last] = value
    return refusal(json.dumps(document))


@pytest.mark.parametrize("name", PRESET_NAMES)
def test_presets_build_a_state_whose_invariants_hold(name: str) -> None:
    spec = load_chain_spec(name)
    assert isinstance(spec.genesis, GenesisConfig)
    ext = Externalities(DictState(spec.genesis_top()))
    runtime = Runtime(ext, PRESETS[spec.genesis.preset])
    runtime.try_state()
    assert runtime.balances.issuance() >= sum(spec.genesis.balances.values())
    assert len(runtime.grandpa.authorities.get()) == len(spec.genesis.authorities)


def test_presets_endow_the_development_accounts_of_both_schemes() -> None:
    for name in ("dev", "local", "devnet"):
        genesis = load_chain_spec(name).genesis
        assert isinstance(genesis, GenesisConfig)
        for person in DEV_NAMES:
            for scheme in ("ed25519", "sr25519"):
                account = key_pair_from_uri(f"//{person}", scheme).account
                assert genesis.balances[account] == 10_000_000 * FML


def test_the_devnet_is_of_four_authorities_and_the_people_of_a_task() -> None:
    genesis = load_chain_spec("devnet").genesis
    assert isinstance(genesis, GenesisConfig)
    keys = [key_pair_from_uri(f"//{name}", "ed25519").public for name in DEV_NAMES[:4]]
    assert [authority.key for authority in genesis.authorities] == keys
    assert [authority.key for authority in genesis.grandpa] == keys
    for uri in ("Trainer1", "Trainer2", "Trainer3", "Validator1", "Validator3", "Creator"):
        assert key_pair_from_uri(f"//{uri}").account in genesis.balances


def test_mainnet_says_that_its_authorities_are_examples() -> None:
    spec = load_chain_spec("mainnet")
    assert "Example" in spec.name
    assert spec.id.endswith("_example")


def test_properties_and_names() -> None:
    spec = load_chain_spec("dev")
    assert (spec.name, spec.id) == ("FLock Development", "flock_dev")
    assert spec.chain_type == "Development"
    assert spec.properties == {"ss58Format": 42, "tokenDecimals": 18, "tokenSymbol": "FML"}
    assert (spec.boot_nodes, spec.protocol_id) == ((), "flockdev")


def test_the_raw_form_is_the_same_network_and_is_stable() -> None:
    spec = load_chain_spec("dev")
    raw = spec.to_json(is_raw=True)
    again = parse_chain_spec(raw)
    assert again.genesis_hash() == spec.genesis_hash()
    assert again.to_json(is_raw=True) == raw
    assert load_chain_spec("dev").to_json(is_raw=True) == raw
    keys = list(json.loads(raw)["genesis"]["raw"]["top"])
    assert keys == sorted(keys)


def test_amounts_in_planck_and_in_fml_are_the_same() -> None:
    amounts: tuple[object, ...] = (12_500_000_000_000_000_000, "12500000000000000000", "12.5 FML")
    hashes = set()
    for amount in amounts:
        document = copy.deepcopy(DEV)
        patch = document["genesis"]["runtimeGenesis"]["patch"]
        patch["balances"]["balances"][0][1] = amount
        hashes.add(parse_chain_spec(json.dumps(document)).genesis_hash())
    assert len(hashes) == 1


def test_addresses_may_be_hexadecimal() -> None:
    document = copy.deepcopy(DEV)
    balances = document["genesis"]["runtimeGenesis"]["patch"]["balances"]["balances"]
    balances[1][0] = f"0x{key_pair_from_uri('//Alice').public.hex()}"
    assert parse_chain_spec(json.dumps(document)).genesis_hash() == (
        load_chain_spec("dev").genesis_hash()
    )


IN_PATCH = "genesis/runtimeGenesis/patch"
AMOUNT_RULE = (
    "an amount is planck as an integer or its digits, or FML with at most 18 decimals as "
    '"12.5 FML", not '
)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("nmae", "x", "nmae: unknown key; known are bootNodes, chainType, genesis, id, name, "
         "properties, protocolId"),
        ("bootnodes", [], "bootnodes: unknown key; is bootNodes meant?"),
        ("id", ..., "id: the key is missing"),
        ("id", "../evil", "id: 1 to 64 letters, digits, _, - and . are needed, no . in "
         "front, not \"../evil\""),
        ("name", 5, "name: a string is needed, not 5"),
        ("chainType", "Prod", "chainType: \"Prod\" is none of Development, Local, Live"),
        ("bootNodes", ["localhost"], "bootNodes[0]: a multiaddress /.../p2p/<peer id> is needed, "
         "not \"localhost\""),
        ("properties", [], "properties: an object is needed, not []"),
        ("genesis", {}, "genesis.runtimeGenesis: the key is missing"),
        ("genesis", {"stateRootHash": "0x00"}, "genesis.stateRootHash: this is a light "
         "client's spec; the state of block 0 is needed, as genesis.raw.top"),
        ("chainType", None, "chainType: a string is needed, not null"),
        (f"{IN_PATCH}/babe", ..., f"{PATCH}.babe: the key is missing"),
        (f"{IN_PATCH}/sudo", {}, f"{PATCH}.sudo: unknown key; known are babe, balances, emission, "
         "flAlliance, grandpa, staking, system, tasks"),
        (f"{IN_PATCH}/system/preset", "paseo", f"{PATCH}.system.preset: \"paseo\" is none of "
         "devnet, mainnet"),
        (f"{IN_PATCH}/balances/balances/3/1", "12,5 FML", f"{PATCH}.balances.balances[3][1]: "
         + AMOUNT_RULE + '"12,5 FML"'),
        (f"{IN_PATCH}/balances/balances/3/1", -1, f"{PATCH}.balances.balances[3][1]: -1 is outside "
         f"of 0 to {2**128 - 1}"),
        (f"{IN_PATCH}/balances/balances/3/1", 1.5, f"{PATCH}.balances.balances[3][1]: "
         + AMOUNT_RULE + "1.5"),
        (f"{IN_PATCH}/balances/balances/3/1", True, f"{PATCH}.balances.balances[3][1]: "
         + AMOUNT_RULE + "true"),
        (f"{IN_PATCH}/balances/balances/3/1", 1, f"{PATCH}.balances.balances[3][1]: 1 planck is "
         "below the existential deposit of 1000000000000000 planck"),
        (f"{IN_PATCH}/balances/balances/3/1", "1000000000 FML", f"{PATCH}.balances.balances[3][1]: "
         "the sum up to here is 1030000000000000000000000000 planck, the cap is "
         "1000000000000000000000000000"),
        (f"{IN_PATCH}/balances/balances/3/0", ALICE, f"{PATCH}.balances.balances[3][0]: the "
         "account is endowed twice"),
        (f"{IN_PATCH}/balances/balances/3/0", ALICE[:-1] + "Z",
         f"{PATCH}.balances.balances[3][0]: the checksum of address {ALICE[:-1]}Z is wrong"),
        (f"{IN_PATCH}/balances/balances/3", [ALICE], f"{PATCH}.balances.balances[3]: "
         f"[address, amount] is needed, not [\"{ALICE[:38]}..."),
        (f"{IN_PATCH}/babe/authorities", [], f"{PATCH}.babe.authorities: 1 to 1000 entries are "
         "needed, not 0"),
        (f"{IN_PATCH}/babe/authorities/0/weight", 0, f"{PATCH}.babe.authorities[0].weight: 0 is "
         f"outside of 1 to {2**53}"),
        (f"{IN_PATCH}/babe/authorities/0/key", ALICE, f"{PATCH}.babe.authorities[0].key: the 32 "
         "bytes are no ed25519 public key (sr25519 keys do not serve here)"),
        (f"{IN_PATCH}/grandpa/authorities", [[ALICE_ED25519, 1], [ALICE_ED25519, 1]],
         f"{PATCH}.grandpa.authorities[1][0]: the key is listed twice"),
    ],
)  # fmt: skip
def test_a_wrong_spec_names_the_key_and_the_rule(path: str, value: object, message: str) -> None:
    assert refusal_with(path, value) == message


def test_an_address_of_another_network_is_refused() -> None:
    polkadot = key_pair_from_uri("//Alice").address(0)
    assert refusal_with(f"{IN_PATCH}/balances/balances/3/0", polkadot) == (
        f"{PATCH}.balances.balances[3][0]: address {polkadot} is of network 0, not of 42"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": {"b": 1, "b": 2}}', "a.b: the key appears twice"),
        ("[", "no JSON document: Expecting value: line 1 column 2 (char 1)"),
        ("[]", "an object is needed, not []"),
        ('{"name": NaN}', "no JSON document: NaN is no JSON value"),
    ],
)
def test_documents_that_are_none(text: str, message: str) -> None:
    assert refusal(text) == message


def test_deep_and_huge_documents_are_refused() -> None:
    assert refusal("[" * 200_000).startswith("no JSON document: ")
    assert refusal('{"name": ' + "9" * 10_000 + "}").startswith("no JSON document: ")
    assert refusal(b"\xff\xfe\xff".decode("latin-1")).startswith("no JSON document: ")


FOREIGN_RAW = {
    "name": "Elsewhere",
    "id": "elsewhere",
    "chainType": {"Custom": "Test"},
    "bootNodes": ["/dns/example.org/tcp/30333/p2p/12D3KooWExample"],
    "telemetryEndpoints": None,
    "protocolId": None,
    "properties": {"ss58Format": 2},
    "forkBlocks": None,
    "para_id": 1000,
    "genesis": {"raw": {"top": {"0x02": "0x0304", "0x01": "0x"}, "childrenDefault": {}}},
}


def test_raw_specs_of_other_networks_keep_their_own_keys() -> None:
    spec = parse_chain_spec(json.dumps(FOREIGN_RAW))
    assert spec.genesis_top() == {b"\x02": b"\x03\x04", b"\x01": b""}
    assert json.loads(spec.to_json(is_raw=True))["para_id"] == 1000
    assert spec.genesis_hash(0) == spec.genesis_hash(1)


def test_a_raw_spec_that_does_not_say_what_it_is_is_live() -> None:
    document = {name: value for name, value in FOREIGN_RAW.items() if name != "chainType"}
    assert parse_chain_spec(json.dumps(document)).chain_type == "Live"


def test_the_id_of_a_raw_spec_is_harmless_too() -> None:
    message = refusal(json.dumps({**FOREIGN_RAW, "id": "x/../../y"}))
    assert message.startswith("id: 1 to 64 letters")


@pytest.mark.parametrize(
    ("top", "message"),
    [
        ({"01": "0x"}, "genesis.raw.top.01: 0x and pairs of hexadecimal digits are needed, not "
         '"01"'),
        ({"0x01": "0x0"}, "genesis.raw.top.0x01: 0x and pairs of hexadecimal digits are needed, "
         'not "0x0"'),
        ({"0xab": "0x", "0xAB": "0x"}, "genesis.raw.top.0xAB: the key appears twice, in another "
         "case"),
        ([], "genesis.raw.top: an object is needed, not []"),
    ],
)  # fmt: skip
def test_raw_storage_is_checked(top: object, message: str) -> None:
    document = {**FOREIGN_RAW, "genesis": {"raw": {"top": top}}}
    assert refusal(json.dumps(document)) == message


def test_a_missing_file_says_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        load_chain_spec(tmp_path / "none.json")
    assert str(caught.value) == (
        f"cannot read chain spec {tmp_path}/none.json: No such file or directory; "
        "give a file or one of dev, local, devnet, mainnet"
    )


DEVNET: dict[str, Any] = json.loads(load_chain_spec("devnet").to_json(is_raw=False))


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("terms/metric", "speed", "terms.metric: \"speed\" is none of accuracy, loss, "
         "bits_per_byte, r_squared, auc, mean_absolute_error"),
        ("terms/baseline", 10**9 + 1, "terms.baseline: 1000000001 is outside of 0 to 1000000000"),
        ("terms/spec", "bafy", "terms.spec: "),
        ("terms/validationB", {}, "terms.validationB."),
        ("terms/hardware", {"kind": "tpu", "memoryGib": 1}, "terms.hardware.kind: \"tpu\" is none "
         "of cpu, gpu"),
        ("terms/duplicateDistance", 17, "terms.duplicateDistance: 17 is outside of 0 to 16"),
        ("startDay", 0, "startDay: 0 is outside of 1 to 65535"),
        ("creator", "5G", "creator: "),
    ],
)  # fmt: skip
def test_a_wrong_task_names_the_key_and_the_rule(path: str, value: object, message: str) -> None:
    document = copy.deepcopy(DEVNET)
    task = document["genesis"]["runtimeGenesis"]["patch"]["tasks"]["verified"][0]
    at = task["terms"] if "/" in path else task
    at[path.rpartition("/")[2]] = value
    assert refusal(json.dumps(document)).startswith(f"{PATCH}.tasks.verified[0].{message}")


def test_a_task_may_compare_behaviour() -> None:
    document = copy.deepcopy(DEVNET)
    task = document["genesis"]["runtimeGenesis"]["patch"]["tasks"]["verified"][0]
    task["terms"]["duplicateDistance"] = 6
    for text, distance in ((json.dumps(document), 6), (json.dumps(DEVNET), None)):
        genesis = parse_chain_spec(text).genesis
        assert isinstance(genesis, GenesisConfig)
        assert genesis.tasks[0].terms.duplicate_distance == distance


def test_what_a_pallet_refuses_is_told_in_its_words() -> None:
    document = copy.deepcopy(DEVNET)
    patch = document["genesis"]["runtimeGenesis"]["patch"]
    patch["tasks"]["verified"][0]["terms"]["days"] = 1
    assert refusal(json.dumps(document)) == f"{PATCH}: tasks: A task runs for 2 to 365 days."


def test_the_emission_may_be_given() -> None:
    document = copy.deepcopy(DEV)
    emission = {
        "daily": "100000 FML",
        "decay": "99/100",
        "stakeExponent": "1",
        "hostShare": "0.05",
        "hostDecay": "0.9",
    }
    patch = document["genesis"]["runtimeGenesis"]["patch"]
    patch["emission"] = emission
    same = parse_chain_spec(json.dumps(document)).genesis_hash()
    assert same == load_chain_spec("dev").genesis_hash()
    emission["decay"] = "2"
    assert refusal(json.dumps(document)).startswith(f"{PATCH}: emission: A parameter lies outside")


DEVNET: dict[str, Any] = json.loads(load_chain_spec("devnet").to_json(is_raw=False))
ALICE_HEX = key_pair_from_uri("//Alice", "sr25519").account.hex()
STAKING = f"{PATCH}.staking"


@pytest.mark.parametrize(
    ("section", "key", "value", "message"),
    [
        ("staking", "validatorCount", 17, f"{STAKING}.validatorCount: 17 is outside of 1 to 16"),
        ("staking", "validatorCount", ..., f"{STAKING}.validatorCount: the key is missing"),
        ("staking", "slashBurnPercent", 70, f"{STAKING}: shares of slashes exceed 100 percent, or "
         "the minima of bonds do not fit"),
        ("staking", "nominatorBondMin", "501 FML", f"{STAKING}: shares of slashes exceed 100 "
         "percent, or the minima of bonds do not fit"),
        ("staking", "commissions", [[ALICE_ED25519, 1]], f"{STAKING}.commissions[0][0]: the "
         "account is no authority"),
        ("staking", "commissions", [[ALICE, 10**9 + 1]], f"{STAKING}.commissions[0][1]: 1000000001 "
         "is outside of 0 to 1000000000"),
        ("weights", 0, 499 * 10**9, f"{STAKING}: the authority 0x{ALICE_HEX} bonds "
         f"{499 * FML} planck, less than {500 * FML}"),
        ("balance", 1, "500 FML", f"{STAKING}: the authority 0x{ALICE_HEX} cannot bond the "
         f"{500 * FML} planck that it weighs"),
        ("voter", 0, 1, f"{STAKING}: the weights of babe and grandpa differ: entries at one place "
         "are one's own"),
        ("account", 1, ALICE, f"{STAKING}: an account is two authorities in babe"),
    ],
)  # fmt: skip
def test_stakes_of_a_spec_must_fit_its_authorities(
    section: str, key: Any, value: Any, message: str
) -> None:
    document = copy.deepcopy(DEVNET)
    patch = document["genesis"]["runtimeGenesis"]["patch"]
    authors, voters = patch["babe"]["authorities"], patch["grandpa"]["authorities"]
    if section == "staking" and value is ...:
        del patch["staking"][key]
    elif section == "staking":
        patch["staking"][key] = value
    elif section == "account":
        authors[key]["account"] = value
    elif section == "balance":
        patch["balances"]["balances"][key][1] = value
    else:
        voters[key][1] = value
        if section == "weights":
            authors[key]["weight"] = value
    assert refusal(json.dumps(document)) == message


def test_authorities_of_a_spec_have_bonded_what_they_weigh() -> None:
    document = copy.deepcopy(DEVNET)
    patch = document["genesis"]["runtimeGenesis"]["patch"]
    patch["staking"]["commissions"] = [[ALICE, 50_000_000]]
    ext = Externalities(DictState(parse_chain_spec(json.dumps(document)).genesis_top()))
    runtime = Runtime(ext, PRESETS["devnet"])
    runtime.try_state()
    accounts = [each.account for each in runtime.babe.authorities.get()]
    assert [runtime.staking.ledger.get(who).active for who in accounts] == [500 * FML] * 4
    commissions = [runtime.staking.validators.get(who).commission.parts for who in accounts]
    assert commissions == [50_000_000, 0, 0, 0]
    assert runtime.session.validators.get() == accounts
