"""The state transition: pure functions from bytes to bytes, wired in `runtime.runtime`.

Source: WP II.A (the blockchain layer).
"""
