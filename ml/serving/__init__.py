"""Models that answer calls, in a process of their own.

Owns nothing of its own. Invariant: whatever a call does, the caller's process goes on.
Source: WP II.C, III.B.2 (the marketplace).
"""
