"""Attackers as code, for experiments and for workers that test a network's defences.

Owns what a malicious participant does in each of its roles. Invariant: an attack sees only what its
participant would see, and all its randomness comes from a generator that is handed in.
Source: WP VI.E, VI.F (what the vote and the slash defend against).
"""
