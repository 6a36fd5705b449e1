"""Why a chain spec is refused.

Source: Substrate `sc_chain_spec`.
"""

from __future__ import annotations


class SpecError(ValueError):
    """A chain spec breaks a rule; the message is `<file>: <key path>: <rule>`, as far as known."""

    def __init__(self, path: str, rule: str, file: str = "") -> None:
        super().__init__(": ".join(part for part in (file, path, rule) if part))
        self.path = path
        self.rule = rule
