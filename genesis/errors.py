"""Why a chain spec is refused.

Source: Substrate `sc_chain_spec`.
"""

from __future__ import annotations


class SpecError(ValueError):
    """A chain spec breaks a rule; the message is `<key path>: <rule>`."""

    def __init__(self, path: str, rule: str) -> None:
        super().__init__(f"{path}: {rule}" if path else rule)
        self.path = path
        self.rule = rule
