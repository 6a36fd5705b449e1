"""Every benchmark has its command."""

from __future__ import annotations

from flockchain.cli.bench import app


def test_no_benchmark_is_missing() -> None:
    names = {
        command.name or getattr(command.callback, "__name__", "")
        for command in app.registered_commands
    }
    assert names == {
        *("transfers", "import", "pool", "state", "arena", "consensus"),
        *("sync", "vrf", "fl", "zk", "soak"),
    }
