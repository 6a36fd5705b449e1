"""Makes a scenario's change on a copied chain, by the calls that its people would sign.

Owns who is given what: somebody new gets the stake and the registration fee, an account of the
chain must have it. Rules change as by a decision of the DAO.
Source: WP II.B (roles), WP II.D (delegation), WP V.C (submissions), WP VII (parameters).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from flockchain.economics.copied_chain import CopiedChain
from flockchain.economics.fields import ScenarioError
from flockchain.economics.live_rules import rules_of_tomorrow
from flockchain.economics.live_scenario import Joiner, LiveScenario, account_of, find_address
from runtime.economy.tasks import Role
from runtime.frame.errors import DispatchError
from runtime.frame.origin import ROOT, signed
from runtime.pallets.arena.records import Account, SubmittedModel
from runtime.pallets.arena.seals import seal_submission
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.types import AccountId

_SALT: Final = bytes(32)


def make_change(chain: CopiedChain, scenario: LiveScenario) -> None:
    """Register, delegate and change rules in the open block. Raises ScenarioError."""
    for index, joiner in enumerate(scenario.joiners):
        place = f"scenario.add[{index}]"
        _join(chain, scenario.task, joiner, place)
        for name, amount in sorted(joiner.delegations.items()):
            _delegate(chain, scenario.task, account_of(joiner.name), name, amount, place)
    for index, backing in enumerate(scenario.backings):
        operator, place = account_of(backing.operator), f"scenario.delegate[{index}]"
        _delegate(chain, scenario.task, operator, backing.by, backing.amount, place)
    if scenario.rules != rules_of_tomorrow(chain.runtime):
        chain.tasks.set_parameters(ROOT, scenario.rules)


def _join(chain: CopiedChain, task: int, joiner: Joiner, place: str) -> None:
    who = account_of(joiner.name)
    if find_address(joiner.name) is None:
        chain.fund(who, joiner.own + chain.tasks.config.registration_fee)
    hardware = chain.tasks.get_task(task).terms.hardware
    _call(
        place,
        lambda: chain.tasks.register(
            signed(who), task, joiner.role, joiner.own, joiner.share, hardware
        ),
    )
    if joiner.role is Role.TASK_VALIDATOR and not chain.arena.sealing_keys.contains(who):
        chain.set_sealing_key(who)


def _delegate(
    chain: CopiedChain, task: int, operator: AccountId, by: str, amount: int, place: str
) -> None:
    who = account_of(by)
    if find_address(by) is None:
        chain.fund(who, amount)
    _call(place, lambda: chain.ledger.delegate(signed(who), task, operator, amount))


def submit_models(chain: CopiedChain, scenario: LiveScenario) -> None:
    """Seal the new nodes' models in a day's first block, open them when the window for it opens."""
    opens = chain.arena.config.calendar.submit_end
    if chain.position not in (0, opens):
        return
    for index, joiner in enumerate(scenario.joiners):
        if joiner.role is Role.TRAINING_NODE:
            _submit(chain, scenario.task, joiner.name, f"scenario.add[{index}]")


def _submit(chain: CopiedChain, task: int, name: str, place: str) -> None:
    who, model = account_of(name), _model_of(name)
    if chain.position == 0:
        genesis = chain.system.genesis_hash()
        seal = seal_submission(genesis, task, Account(who), model, _SALT)
        _call(place, lambda: chain.arena.commit_submission(signed(who), task, seal))
    else:
        _call(
            place,
            lambda: chain.arena.reveal_submission(
                signed(who), task, model.content, model.ciphertext, model.size_bytes, _SALT
            ),
        )


def _model_of(name: str) -> SubmittedModel:
    """A model that nobody looks at."""
    content = blake2b_256(b"scenario's model" + name.encode())
    return SubmittedModel(content, content, 1)


def _call(place: str, call: Callable[[], None]) -> None:
    """Make a call; the chain's refusal is the scenario's fault."""
    try:
        call()
    except DispatchError as error:
        reason = " ".join((type(error).__doc__ or "").split())
        raise ScenarioError(f"{place}: {type(error).__name__}: {reason or error}") from None
