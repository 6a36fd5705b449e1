"""Attacks as code, for experiments and for the devnet's story: nobody is to earn by them.

Source: WP Table I (attacks and defences).
"""
