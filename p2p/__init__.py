"""Bytes and peers: the network as the node sees it, over libp2p and in memory.

Source: WP II.A; libp2p.
"""
