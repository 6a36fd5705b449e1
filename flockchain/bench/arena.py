"""What a day's draw and settlement of the arena take, block by block, state root included.

Source: performance target T16 (1,000 nodes, 200 validators, 10,000 delegators: at most 2 s in
total, at most 200 ms in any one block).
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from flockchain.bench.arena_day import CALENDAR, ArenaDay, MeasuredBlock, Size
from flockchain.storage.leveldb import LevelDbStore


def bench_arena(size: Size) -> list[dict[str, Any]]:
    """Rows: the draw, the settlement, both. Seconds in total, milliseconds of the worst block."""
    with tempfile.TemporaryDirectory() as directory:
        store = LevelDbStore(Path(directory) / "db")
        day = ArenaDay(size, store)
        day.prepare()
        draw = day.run_jobs(CALENDAR.reveal_end)
        day.score()
        settlement = day.run_jobs(CALENDAR.alias_end)
        store.close()
    what = f"{size.nodes} nodes, {size.validators} validators, {size.delegators} delegators"
    return [
        _row(f"draw: {what}", draw),
        _row("settlement", settlement),
        _row("both", [*draw, *settlement]),
    ]


def _row(name: str, blocks: list[MeasuredBlock]) -> dict[str, Any]:
    return {
        "name": name,
        "blocks": len(blocks),
        "s_total": round(sum(block.total_s for block in blocks), 3),
        "s_trie": round(sum(block.trie_s for block in blocks), 3),
        "ms_worst_block": round(max(block.total_s for block in blocks) * 1e3, 1),
    }
