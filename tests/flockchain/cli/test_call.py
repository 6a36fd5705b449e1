"""`flockchain call`, `proxy` and `multisig` against a real node."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from typer.testing import Result

from flockchain.cli import call, multisig, proxy, wallet
from flockchain.keys import key_pair_from_uri
from runtime.frame.call import RUNTIME_CALL
from runtime.frame.pallet import encode_call
from runtime.pallets.balances import Balances
from runtime.pallets.multisig.records import multi_account
from runtime.pallets.utility import Utility, derivative_account
from runtime.primitives.multi import Id
from runtime.primitives.ss58 import decode_account, encode_address
from runtime.primitives.types import FML, AccountId
from tests.flockchain.cli.test_chain_commands import ALICE, BOB, RUNNER, run_all

AS_ALICE, AS_BOB = ["--key", "//Alice", "--json"], ["--key", "//Bob", "--json"]
CAROL = key_pair_from_uri("//Carol", "sr25519")


def pay(dest: str, amount: str) -> str:
    return f"balances.transfer_keep_alive dest={dest} value='{amount}'"


def told(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def test_calls_alone_and_in_batches(tmp_path: Path) -> None:
    file = tmp_path / "calls.txt"
    file.write_text(
        f"# three at once\n{pay('//Carol', '3 FML')}  # rent\n\nsystem.remark remark=0x\n"
    )
    too_much = pay("//Carol", "9000000 FML")
    results, chain = run_all(
        tmp_path / "node",
        (
            call.app,
            ["make", *("balances.transfer_keep_alive", "dest=//Carol", "value=1 FML"), *AS_ALICE],
        ),
        (call.app, ["batch", pay("//Carol", "2 FML"), "--file", str(file), *AS_ALICE]),
        (call.app, ["batch", pay("//Carol", "1 FML"), too_much, "--mode", "stop", *AS_ALICE]),
        (call.app, ["batch", too_much, pay("//Carol", "1 FML"), "--mode", "force", *AS_ALICE]),
        (call.app, ["batch", pay("//Carol", "1 FML"), too_much, *AS_ALICE]),
        (call.app, ["batch", *AS_ALICE]),
    )
    one, several, stopped, forced, none, empty = results
    assert told(one)["call"] == "balances.transfer_keep_alive"
    assert "Balances.Transfer" in told(one)["events"]
    assert int(told(one)["fee"]) > 0
    assert told(several)["calls"] == 3
    assert told(several)["events"].count("Utility.ItemCompleted") == 3
    assert stopped.exit_code == 1
    assert "call 1 of 2 failed, those before it are done: Balances.Insufficient" in stopped.stderr
    assert (told(forced)["calls"], told(forced)["failed"]) == (2, 1)
    assert none.exit_code == 1
    assert "InsufficientBalance" in none.stderr
    assert empty.exit_code == 2
    assert chain.free(CAROL) == (1 + 2 + 3 + 1 + 1) * FML


def test_a_batch_within_is_not_taken_for_the_whole(tmp_path: Path) -> None:
    too_much = encode_call(Balances.transfer_keep_alive, Id(CAROL.account), 9_000_000 * FML)
    inner = encode_call(Utility.batch, [RUNTIME_CALL.decode_all(too_much)])
    results, chain = run_all(
        tmp_path / "node",
        (call.app, ["batch", f"0x{inner.hex()}", pay("//Carol", "1 FML"), *AS_ALICE]),
    )
    assert told(results[0])["calls"] == 2
    assert "Utility.BatchInterrupted" in told(results[0])["events"]
    assert chain.free(CAROL) == FML


def test_an_account_derived_from_another(tmp_path: Path) -> None:
    who = derivative_account(ALICE.account, 7)
    results, chain = run_all(
        tmp_path / "node",
        (wallet.app, ["transfer", encode_address(who), "5 FML", *AS_ALICE]),
        (call.app, ["as-derived", "7", pay("//Carol", "2 FML"), *AS_ALICE]),
    )
    shown = RUNNER.invoke(call.app, ["derived", ALICE.address(), "7", "--json"])
    assert told(shown) == {"account": encode_address(who)}
    assert told(results[1])["as"] == encode_address(who)
    assert chain.free(CAROL) == 2 * FML


def test_a_call_is_shown_before_it_is_sent() -> None:
    shown = told(RUNNER.invoke(call.app, ["show", pay("//Carol", "2 FML")]))
    assert shown["call"] == "balances.transfer_keep_alive"
    assert shown["arguments"]["value"] == str(2 * FML)
    again = told(RUNNER.invoke(call.app, ["show", shown["bytes"]]))
    assert again == shown
    listed = RUNNER.invoke(call.app, ["list", "utility", "--json"])
    assert "utility.batch_all" in {each["call"] for each in json.loads(listed.stdout)}
    assert len(RUNNER.invoke(call.app, ["list"]).stdout.splitlines()) > 100
    assert RUNNER.invoke(call.app, ["list", "nothing"]).exit_code == 1
    wrong = RUNNER.invoke(call.app, ["show", "staking.dance"])
    assert wrong.exit_code == 2
    assert "staking has bond" in wrong.output.replace("\n", " ")


def test_a_proxy_acts_within_its_limits(tmp_path: Path) -> None:
    results, chain = run_all(
        tmp_path / "node",
        (proxy.app, ["add", "//Bob", "any", *AS_ALICE]),
        (proxy.app, ["add", "//Bob", "Staking", "--delay", "1", *AS_ALICE]),
        (proxy.app, ["act", "//Alice", pay("//Carol", "2 FML"), *AS_BOB]),
        (proxy.app, ["act", "//Alice", pay("//Carol", "9000000 FML"), *AS_BOB]),
        (proxy.app, ["list", "//Alice"]),
        (proxy.app, ["remove", "//Bob", "Any", *AS_ALICE]),
        (proxy.app, ["announce", "//Alice", "staking.chill", *AS_BOB]),
        (proxy.app, ["list", "//Bob"]),
        (proxy.app, ["act-announced", "//Bob", "//Alice", pay("//Carol", "1 FML"), *AS_BOB]),
        (proxy.app, ["retract", "//Alice", "staking.chill", *AS_BOB]),
        (proxy.app, ["announce", "//Alice", "staking.chill", *AS_BOB]),
        (proxy.app, ["reject", "//Bob", "staking.chill", *AS_ALICE]),
        (proxy.app, ["announce", "//Alice", "staking.bond value='200 FML'", *AS_BOB]),
        (call.app, ["make", "system.remark", "remark=0x", *AS_ALICE]),
        (
            proxy.app,
            ["act-announced", "//Bob", "//Alice", "staking.bond value='200 FML'", *AS_ALICE],
        ),
        (proxy.app, ["remove-all", *AS_ALICE]),
        (proxy.app, ["list", "//Alice"]),
    )
    assert told(results[0])["kind"] == "Any"
    assert told(results[2])["call"] == "balances.transfer_keep_alive"
    assert results[3].exit_code == 1
    assert "the call was not made: Balances.InsufficientBalance" in results[3].stderr
    listed = told(results[4])["proxies"]
    assert {(each["kind"], each["delay"]) for each in listed} == {("Any", 0), ("Staking", 1)}
    told(results[6])
    assert [each["for"] for each in told(results[7])["announced"]] == [ALICE.address()]
    assert results[8].exit_code == 1
    assert "Proxy.Unannounced" in results[8].stderr
    for place in (9, 10, 11, 12, 13, 14, 15):
        told(results[place])
    assert "Staking.Bonded" in told(results[14])["events"]
    assert told(results[16])["proxies"] == []
    assert chain.free(CAROL) == 2 * FML


def test_an_account_without_a_key_comes_and_goes(tmp_path: Path) -> None:
    made: dict[str, Any] = {}
    results, _ = run_all(tmp_path / "a", (proxy.app, ["create-pure", "Any", *AS_ALICE]))
    made = told(results[0])
    assert (made["kind"], made["index"]) == ("Any", 0)
    assert made["spawner"] == ALICE.address()
    where = ["--height", str(made["height"]), "--extrinsic-index", str(made["extrinsic_index"])]
    results, _ = run_all(
        tmp_path / "b",
        (proxy.app, ["create-pure", "Any", *AS_ALICE]),
        (proxy.app, ["act", made["account"], "system.remark remark=0x", *AS_ALICE]),
        (proxy.app, ["kill-pure", made["account"], "Any", *where, *AS_ALICE]),
        (proxy.app, ["act", made["account"], "system.remark remark=0x", *AS_ALICE]),
    )
    assert told(results[0]) == made, "two fresh chains make the same account"
    told(results[1])
    assert "Proxy.PureKilled" in told(results[2])["events"]
    assert "Proxy.NotProxy" in results[3].stderr


def test_two_of_three_keys_move_what_they_hold_together(tmp_path: Path) -> None:
    signatories = sorted([ALICE.account, BOB.account, CAROL.account])
    account = encode_address(multi_account(signatories, 2))
    alone = encode_address(multi_account(sorted([ALICE.account, BOB.account]), 1))
    by_alice = ["--with", "//Bob", "--with", "//Carol", "--threshold", "2", *AS_ALICE]
    by_bob = ["--with", "//Carol", "--with", "//Alice", "--threshold", "2", *AS_BOB]
    payment = pay("//Dave", "2 FML")
    results, chain = run_all(
        tmp_path / "node",
        (wallet.app, ["transfer", account, "9 FML", *AS_ALICE]),
        (wallet.app, ["transfer", alone, "9 FML", *AS_ALICE]),
        (multisig.app, ["approve", payment, *by_alice]),
        (multisig.app, ["list", account, "--json"]),
        (multisig.app, ["approve", payment, *by_alice]),
        (multisig.app, ["approve", payment, *by_bob]),
        (multisig.app, ["list", account]),
        (multisig.app, ["approve", pay("//Dave", "99 FML"), *by_bob]),
        (multisig.app, ["approve", pay("//Dave", "99 FML"), *by_alice]),
        (multisig.app, ["approve", payment, *by_alice]),
        (multisig.app, ["cancel", payment, *by_bob]),
        (multisig.app, ["cancel", payment, *by_alice]),
        (multisig.app, ["cancel", payment, *by_alice]),
        (multisig.app, ["approve", payment, "--with", "//Bob", "--threshold", "1", *AS_ALICE]),
    )
    three = ["address", "//Carol", "//Bob", "//Alice"]
    shown = RUNNER.invoke(multisig.app, [*three, "--threshold", "2", "--json"])
    assert told(shown) == {"account": account}
    assert RUNNER.invoke(multisig.app, [*three, "--threshold", "4"]).exit_code == 2
    opened = told(results[2])
    assert (opened["account"], opened["made"]) == (account, False)
    assert "Multisig.NewMultisig" in opened["events"]
    [listed] = json.loads(results[3].stdout)
    assert (listed["hash"], listed["approvals"]) == (opened["hash"], [ALICE.address()])
    assert "Multisig.AlreadyApproved" in results[4].stderr
    assert told(results[5])["made"] is True
    assert json.loads(results[6].stdout) == []
    assert told(results[7])["made"] is False
    assert "the call was not made: Balances.InsufficientBalance" in results[8].stderr
    told(results[9])
    assert "Multisig.NotOwner" in results[10].stderr
    told(results[11])
    assert "has no open operation" in results[12].stderr
    assert told(results[13])["made"] is True
    dave = key_pair_from_uri("//Dave", "sr25519")
    assert chain.free(dave) == 4 * FML
    assert AccountId(decode_account(account)) == multi_account(signatories, 2)
