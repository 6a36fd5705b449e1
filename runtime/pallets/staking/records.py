"""What staking stores and tells, and how its calls fail.

Amounts are planck. An era is a number of sessions; the set of validators and what backs them is
fixed for an era. A fraction is in parts of 10^18.
Source: WP II.A (proof of stake); Substrate `pallet_staking`.
"""

from __future__ import annotations

from typing import Annotated, Final

from runtime import frame
from runtime.primitives.per_things import Perbill
from runtime.primitives.scale import Limit
from runtime.primitives.types import FML, U32, U64, AccountId, Balance

TARGETS_MAX: Final = 4  # validators that one nominator backs
CHUNKS_MAX: Final = 16  # pieces of one stash on their way out
BACKERS_MAX: Final = 128  # nominators of a validator that count, the largest
PARTS: Final = 10**18


@frame.scale_type(path="pallet_staking::UnlockChunk")
class UnlockChunk:
    """Stake on its way out; free once era `era` is active, until then it can be slashed."""

    value: Balance
    era: U32


@frame.scale_type(path="pallet_staking::StakingLedger")
class Ledger:
    """What an account has bonded: what counts, and what is on its way out."""

    active: Balance
    unlocking: Annotated[list[UnlockChunk], Limit(CHUNKS_MAX)]

    @property
    def total(self) -> Balance:
        """All that is held."""
        return self.active + sum(chunk.value for chunk in self.unlocking)


@frame.scale_type(path="pallet_staking::ValidatorPrefs")
class ValidatorPrefs:
    """What a validator keeps of the rewards before nominators get their part."""

    commission: Perbill


@frame.scale_type(path="pallet_staking::Nominations")
class Nominations:
    """Whom a nominator backs, and since which era."""

    targets: Annotated[list[AccountId], Limit(TARGETS_MAX)]
    submitted_in: U32


@frame.scale_type(path="sp_staking::IndividualExposure")
class IndividualExposure:
    """What one nominator has behind a validator in an era."""

    who: AccountId
    value: Balance


@frame.scale_type(path="sp_staking::Exposure")
class Exposure:
    """All that is behind a validator in an era: it earns, and it is slashed."""

    total: Balance
    own: Balance
    others: Annotated[list[IndividualExposure], Limit(BACKERS_MAX)]

    def parts(self, validator: AccountId) -> list[tuple[AccountId, Balance]]:
        """Everybody's part, the validator's first."""
        return [(validator, self.own), *((each.who, each.value) for each in self.others)]


@frame.scale_type(path="pallet_staking::ActiveEraInfo")
class ActiveEra:
    """The era that blocks are made in, and the session that it began with."""

    index: U32
    first_session: U32


@frame.scale_type
class SlashJob:
    """A slash that waits: up to the fraction in `fractions`, the reporter's part to `reporter`."""

    era: U32
    validator: AccountId
    reporter: AccountId | None


@frame.scale_type
class DeferredSlash:
    """A slash that waits for era `due_era`: until then it can be cancelled."""

    due_era: U32
    reporter: AccountId | None


@frame.scale_type
class Fractions:
    """Which part of an exposure is to be slashed, and which part was or is forgiven, of 10^18."""

    due: U64
    done: U64


@frame.scale_type
class StakingParameters:
    """What the DAO sets. Minima in planck, shares in percent.

    `validator_count` 0: the authorities are those of the chain spec, nobody is elected. An election
    that finds fewer than `minimum_count` changes nothing. Of what is slashed the reporter gets what
    burning and the treasury leave. `slash_defer_eras`: from the era of an offence to its slash; so
    long what was behind the offender cannot leave.
    """

    validator_count: U32 = 0
    minimum_count: U32 = 1
    validator_bond_min: Balance = 500 * FML
    nominator_bond_min: Balance = 10 * FML
    treasury_percent: U32 = 10  # of what the treasury gained in an era
    finalizer_percent: U32 = 20  # of an era's pay, by stake; the rest goes by blocks
    slash_burn_percent: U32 = 50
    slash_treasury_percent: U32 = 40
    slash_defer_eras: U32 = 0

    def is_sound(self, count_max: int, bonding_eras: int) -> bool:
        """Whether shares are shares, and sizes can be met."""
        slash = self.slash_burn_percent + self.slash_treasury_percent
        return (
            max(self.treasury_percent, self.finalizer_percent, slash) <= 100
            and self.validator_count <= count_max
            and self.minimum_count >= 1
            and self.slash_defer_eras < bonding_eras
            and self.nominator_bond_min >= FML
            and self.validator_bond_min >= self.nominator_bond_min
        )


# -- events


@frame.event(0)
class Bonded:
    """`stash` bonded `amount` more."""

    stash: AccountId
    amount: Balance


@frame.event(1)
class Unbonded:
    """`amount` is on its way out and free in era `free_era`."""

    stash: AccountId
    amount: Balance
    free_era: U32


@frame.event(2)
class Withdrawn:
    """`amount` that had matured is free."""

    stash: AccountId
    amount: Balance


@frame.event(3)
class ValidatorPrefsSet:
    """`stash` is a candidate from the next election on."""

    stash: AccountId
    prefs: ValidatorPrefs


@frame.event(4)
class Nominated:
    """`stash` backs these from the next election on."""

    stash: AccountId
    targets: list[AccountId]


@frame.event(5)
class Chilled:
    """`stash` is neither candidate nor nominator from the next election on."""

    stash: AccountId


@frame.event(6)
class StakersElected:
    """So many validators act in era `era`."""

    era: U32
    validators: U32


@frame.event(7)
class ElectionFailed:
    """Fewer candidates than the minimum were electable: the validators stay for era `era`."""

    era: U32
    electable: U32


@frame.event(8)
class EraPaid:
    """`amount` was divided among the validators of `era`; it waits to be paid out."""

    era: U32
    amount: Balance


@frame.event(9)
class PayoutStarted:
    """`amount` for the blocks of an era went to a validator and its nominators."""

    era: U32
    validator: AccountId
    amount: Balance


@frame.event(10)
class SlashReported:
    """A validator is slashed `fraction` of 10^18 of all that was behind it in `era`."""

    era: U32
    validator: AccountId
    fraction: U64


@frame.event(11)
class Slashed:
    """`staker` lost `amount` of its stake."""

    staker: AccountId
    amount: Balance


@frame.event(12)
class SlashDivided:
    """What a slash took: burned, to the treasury, to the reporter."""

    era: U32
    validator: AccountId
    burned: Balance
    treasury: Balance
    reporter: Balance


@frame.event(13)
class ParametersSet:
    """The DAO changed the rules of staking."""

    parameters: StakingParameters


@frame.event(14)
class SlashDeferred:
    """The slash is carried out when era `due_era` has begun, unless it is cancelled."""

    era: U32
    validator: AccountId
    due_era: U32


@frame.event(15)
class SlashCancelled:
    """The DAO forgave `fraction` of 10^18; what is due beyond it stays due."""

    era: U32
    validator: AccountId
    fraction: U64


# -- errors


class NotStash(frame.ModuleError, index=0):
    """The account has bonded nothing. Bond first."""


class AlreadyBonded(frame.ModuleError, index=1):
    """The account has a bond. Use `bond_extra`."""


class BondTooLow(frame.ModuleError, index=2):
    """Too little would be bonded for what the account does. Bond more, or chill first."""


class InsufficientBond(frame.ModuleError, index=3):
    """More than what is bonded, or nothing, was asked for."""


class TooManyChunks(frame.ModuleError, index=4):
    """Too many pieces are on their way out. Withdraw those that have matured."""


class NothingToWithdraw(frame.ModuleError, index=5):
    """Nothing has matured."""


class SlashesPending(frame.ModuleError, index=6):
    """Slashes wait to be taken. Try again in some blocks."""


class NoSessionKeys(frame.ModuleError, index=7):
    """A candidate needs session keys. Register them first."""


class TooManyValidators(frame.ModuleError, index=8):
    """There are as many candidates as there may be."""


class TooManyNominators(frame.ModuleError, index=9):
    """There are as many nominators as there may be."""


class BadTargets(frame.ModuleError, index=10):
    """Name one to four different candidates."""


class NoRole(frame.ModuleError, index=11):
    """The account is neither candidate nor nominator."""


class StillActing(frame.ModuleError, index=12):
    """The validator acts in this session or the next one, so some stake stays."""


class NothingToClaim(frame.ModuleError, index=13):
    """The era owes the validator nothing, or it was paid out."""


class UnsoundParameters(frame.ModuleError, index=14):
    """Shares above 100 percent, sizes that cannot be met, or slashes deferred beyond bonding."""


class BadStash(frame.ModuleError, index=15):
    """The account of a pallet has no stake of its own."""


class NoDeferredSlash(frame.ModuleError, index=16):
    """No slash of the validator in this era waits for a later one, or so much is forgiven."""
