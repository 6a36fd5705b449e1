"""What a sandboxed process gives up before it reads a stranger's bytes.

Owns the system calls: network, new privileges, processor time, memory, files. Invariant: each
step only takes away; a step that the system refuses is reported, never assumed.
Left open where the system offers no unprivileged way: other processes of the same user can still
be signalled. Source: WP V.D; Linux unshare(2), prctl(2), setrlimit(2).
"""

from __future__ import annotations

import ctypes
import resource
from pathlib import Path
from typing import Final

_CLONE_NEWUSER: Final = 0x10000000
_CLONE_NEWNET: Final = 0x40000000
_PR_SET_NO_NEW_PRIVS: Final = 38


def cut_network() -> bool:
    """Move into a network namespace without interfaces; False where that is not permitted.

    Must run before the process has a second thread.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    return any(
        libc.unshare(flags) == 0 for flags in (_CLONE_NEWNET, _CLONE_NEWUSER | _CLONE_NEWNET)
    )


def go_first_without_memory() -> bool:
    """Let the system end this process before others when memory runs out; False if it cannot."""
    try:
        Path("/proc/self/oom_score_adj").write_text("1000")
    except OSError:
        return False
    return True


def refuse_new_privileges() -> None:
    """No program that this process starts can gain rights; no core files are written."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def refuse_files() -> None:
    """No file, socket or device can be opened, and none can grow, from here on."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def refuse_processes() -> None:
    """No thread or process can be started; root is exempt from this limit."""
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))


def limit_memory(extra_bytes: int) -> None:
    """Allow this many bytes of address space beyond what is mapped now."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + extra_bytes
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def limit_processor_time(extra_s: int) -> None:
    """Allow this many seconds of processor time from now; then SIGXCPU ends the process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used_s = int(usage.ru_utime + usage.ru_stime)
    resource.setrlimit(resource.RLIMIT_CPU, (used_s + extra_s + 1, resource.RLIM_INFINITY))
