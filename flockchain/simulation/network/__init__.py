"""Whole networks in one process under faults and liars, replayed bit for bit from a seed.

Source: WP II.A.
"""
