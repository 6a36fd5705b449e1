"""Federated learning with malicious participants, played on the chain's own pallet.

Source: WP VI; the experiment of WP Fig. 6.
"""
