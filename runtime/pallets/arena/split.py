"""How a task's reward of one day is divided, from the pot down to the last delegator.

Owns the three divisions: creator, nodes and validators; Reward A and Reward B; an operator and its
delegators. Each is one `apportion`, in this nested order.
Invariant: the parts of every division sum to the amount divided.
Source: WP IV.A (creator's slice), WP V.E to V.G (delegation), WP V.H (A and B), WP V.I (50/50).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runtime.primitives.apportion import apportion
from runtime.primitives.rational import Rational


@dataclass(frozen=True, slots=True)
class RewardSplit:
    """Parts of a task's daily reward, planck. All zero if the task mints nothing that day."""

    creator: int
    nodes: int
    validators: int


def split_reward(
    reward: int,
    node_stake: int,
    validator_stake: int,
    gamma: Rational,
    creator_share: Rational,
) -> RewardSplit:
    """nodes = R (1 - creator_share) (gamma + (1 - 2 gamma) T / (T + S)); validators likewise.

    T and S are the stakes of all nodes and of all validators, delegations included. If either is
    zero nothing is paid to anyone.
    Raises: ValueError if gamma or the creator's share is above 1.
    """
    if not gamma.is_at_most_one() or not creator_share.is_at_most_one():
        raise ValueError(f"gamma {gamma} or the creator's share {creator_share} is above 1")
    if not node_stake or not validator_stake:
        return RewardSplit(0, 0, 0)
    whole = node_stake + validator_stake
    fixed = gamma.numerator * whole
    by_stake = gamma.denominator - 2 * gamma.numerator  # negative for gamma above one half
    rest = creator_share.denominator - creator_share.numerator
    weights = (
        creator_share.numerator * gamma.denominator * whole,
        rest * (fixed + by_stake * node_stake),
        rest * (fixed + by_stake * validator_stake),
    )
    return RewardSplit(*apportion(reward, weights))


def split_vesting(nodes_reward: int, delta: Rational) -> tuple[int, int]:
    """Reward A, paid the same day, and Reward B, which vests until the task is complete.

    Raises: RationalError if delta is above 1.
    """
    paid, vested = apportion(nodes_reward, (delta.numerator, delta.complement().numerator))
    return paid, vested


def split_delegation(
    amount: int, own_stake: int, delegations: Sequence[int], share_ratio: Rational
) -> list[int]:
    """[operator, delegators in the order given]: a delegator gets ratio * t_d / (t_n + T_d).

    The share ratio is what delegators as a group get of their pro-rata part; the operator has the
    rest of it. Delegations are in account order, planck.
    Raises: ValueError if nothing at all is staked or the ratio is above 1.
    """
    if not share_ratio.is_at_most_one():
        raise ValueError(f"the share ratio {share_ratio} is above 1")
    delegated = sum(delegations)
    operator = (own_stake + delegated) * share_ratio.denominator
    operator -= share_ratio.numerator * delegated
    return apportion(amount, [operator, *(share_ratio.numerator * each for each in delegations)])
