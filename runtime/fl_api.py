"""What every client may ask of the FL Alliance: typed in the metadata.

Owns the runtime API `AllianceApi`. Everything is read-only and costs what the records cost that it
returns.

Source: Substrate runtime APIs (`decl_runtime_apis!`); WP VI.B to VI.F, VI.H.
"""

from __future__ import annotations

from runtime.frame.runtime_api import runtime_api
from runtime.pallets.fl_alliance.terms import AllianceParameters
from runtime.pallets.fl_alliance.views import (
    AllianceInfo,
    MemberEntry,
    Part,
    PaymentEntry,
    PaymentExplanation,
    RoleCertificate,
    RoundInfo,
    RoundSummary,
    Views,
)
from runtime.primitives.types import U32, AccountId
from runtime.runtime import Runtime


class _OverAlliance:
    """What it is a method of."""

    _runtime: Runtime

    @property
    def _alliance(self) -> Views:
        return self._runtime.alliance.views


@runtime_api("AllianceApi", version=1)
class AllianceApi(_OverAlliance):
    """Tasks of the FL Alliance, their members, rounds and payments."""

    def alliance_task(self, task: U32) -> AllianceInfo | None:
        """A task and where its round stands; None if there is none of this number."""
        return self._alliance.task_info(task)

    def alliance_tasks(self) -> list[AllianceInfo]:
        """The tasks that have not ended."""
        return self._alliance.live_tasks()

    def alliance_members(self, task: U32, start: U32) -> list[MemberEntry]:
        """Members among the 256 places from `start` on, in the order of joining."""
        return self._alliance.members(task, start)

    def part_of(self, task: U32, who: AccountId) -> Part:
        """An account's role in the open round, and what it should call in the next block."""
        return self._alliance.part_of(task, who)

    def round_info(self, task: U32, round_: U32) -> RoundInfo | None:
        """A round with everybody's part in it; None if its records are not kept."""
        return self._alliance.round_info(task, round_)

    def round_history(self, task: U32) -> list[RoundSummary]:
        """The rounds whose records are kept, the oldest first."""
        return self._alliance.history(task)

    def round_payments(self, task: U32, round_: U32) -> list[PaymentEntry]:
        """What a round did to whom, by account."""
        return self._alliance.payments(task, round_)

    def explain_payment(self, task: U32, round_: U32, who: AccountId) -> PaymentExplanation | None:
        """What an account's payment was made from; None if there is none that is kept."""
        return self._alliance.explain_payment(task, round_, who)

    def role_certificate(self, task: U32, round_: U32, start: U32) -> RoleCertificate | None:
        """The VRF proofs from which a round's roles follow, by pages of 256 places."""
        return self._alliance.role_certificate(task, round_, start)

    def alliance_parameters(self) -> AllianceParameters:
        """What the DAO decides for all tasks."""
        return self._runtime.alliance.parameters.get()
