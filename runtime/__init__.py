"""The state transition: pure functions from bytes to bytes, wired in `runtime.runtime`."""
