"""Loads py_ecc without what it does to the interpreter.

It raises the limit of recursion to 100,000 calls when it is imported, beyond what the stack holds:
text that is nested too deeply would end the process of other tests instead of being refused.
"""

from __future__ import annotations

import sys
from importlib import import_module

_LIMIT = sys.getrecursionlimit()
import_module("py_ecc")
sys.setrecursionlimit(_LIMIT)
