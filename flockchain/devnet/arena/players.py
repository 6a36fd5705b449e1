"""Starting the workers: a process may hold many keys, and attackers have processes of their own.

Source: WP II.B (roles as programs).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from flockchain.devnet.arena.cast import (
    ALIAS_NODE,
    CLONES,
    COPIER,
    OVERFITTER,
    OWN_TASK,
    SHARE,
    TASK_VALIDATORS,
    TRAINERS,
    VERIFIED_TASK,
    Role,
)
from flockchain.devnet.arena.reporter import Reporter
from flockchain.devnet.processes import Devnet
from flockchain.workers.blob_folder import BlobFolder
from flockchain.workers.creator import keep_key


class Players:
    """Starts workers, each group with a state directory of its own."""

    def __init__(self, devnet: Devnet, reporter: Reporter) -> None:
        self._devnet = devnet
        self._reporter = reporter

    def start(self) -> None:
        """Trainers and validators, honest or not."""
        both, first = (VERIFIED_TASK, OWN_TASK), (VERIFIED_TASK,)
        share = ("--share", str(SHARE))
        cheats = (OVERFITTER, *CLONES)
        detour = ("--blind-rpc", self._devnet.url(ALIAS_NODE))
        strengths = _strengths(TRAINERS)
        self._start("trainers", "trainer", TRAINERS, both, *strengths, *share, *detour)
        named = ("--label", "clones", "--no-blind")
        self._start("cheats", "trainer", cheats, first, *_strengths(cheats), *named)
        self._start("validators", "validator", TASK_VALIDATORS, both, *share)
        self._start("copier", "validator", [COPIER], first, "--behaviour", "copier")

    def keep_data(self, creator: Role, blobs: Sequence[bytes], key: bytes) -> None:
        """Lay a task's data and the key of its set B where its creator's worker looks."""
        directory = self._state_of(creator.name)
        keep_key(directory, key)
        for blob in blobs:
            BlobFolder(directory).put(blob)

    def start_creator(self, role: Role, task: int) -> None:
        """The creator of a task whose data and key are kept."""
        self._start(role.name, "creator", [role], (task,))

    def _state_of(self, group: str) -> Path:
        return self._devnet.directory / "workers" / group

    def _start(
        self, group: str, kind: str, roles: Sequence[Role], tasks: Sequence[int], *options: str
    ) -> None:
        arguments = [kind, "--rpc", self._devnet.url(roles[0].node), "--device", "cpu"]
        arguments += ["--state-dir", str(self._state_of(group)), *options]
        for role in roles:
            arguments += ["--key", role.uri]
            if kind != "creator":
                arguments += ["--stake", f"{role.stake} FML"]
        for task in tasks:
            arguments += ["--task", str(task)]
        self._devnet.start_worker(group, arguments)
        self._reporter.say(f"  started: {', '.join(role.name for role in roles)}")


def _strengths(roles: Sequence[Role]) -> list[str]:
    return [part for role in roles for part in ("--strength", role.strength)]
