"""Bounds on what one call may send to a serving process.

Owns numbers alone, so that who reads requests need not load a library for it.
Source: WP II.C (hosts).
"""

from __future__ import annotations

from typing import Final

ROWS_MAX: Final = 256
