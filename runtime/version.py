"""Which state transition this is, and the `:code` stub by which a state names it.

Substrate clients key what they know of a runtime on the hash of `:code`; here its value names spec
version and preset, so that the state alone decides which rules and constants apply to the next
block. It starts with wasm's magic bytes, as tools that look at it expect.

Source: Substrate `sp_version::RuntimeVersion`.
"""

from __future__ import annotations

from typing import Final

SPEC_NAME: Final = "flockchain"
IMPL_NAME: Final = "flockchain-python"
AUTHORING_VERSION: Final = 1
SPEC_VERSION: Final = 1  # raise with every change of state transition or metadata
READABLE_BACK: Final = 1  # releases: votes on blocks before an upgrade are counted after it
IMPL_VERSION: Final = 0
TRANSACTION_VERSION: Final = 1  # raise when call indices or signed extensions change
SYSTEM_VERSION: Final = 1
STATE_VERSION: Final = 1

CODE_KEY: Final = b":code"
_MAGIC: Final = b"\0asm\1\0\0\0"


class UnknownRuntime(Exception):
    """The state asks for a runtime that this release does not have."""


def code_stub(preset: str, spec_version: int = SPEC_VERSION) -> bytes:
    """The value of `:code` for a preset."""
    return _MAGIC + f"flockchain-{spec_version}-{preset}".encode()


def parse_code(code: bytes | None) -> tuple[int, str]:
    """(spec version, preset). Raises UnknownRuntime with what to do."""
    if code is None or not code.startswith(_MAGIC + b"flockchain-"):
        raise UnknownRuntime("the state has no flockchain runtime in :code; check the chain spec")
    name = code[len(_MAGIC) :].decode("ascii", "replace").split("-", 2)
    if len(name) != 3 or not name[1].isdigit():
        raise UnknownRuntime(f"malformed runtime name {'-'.join(name)!r} in :code")
    return int(name[1]), name[2]
