"""Certificates of models: what the chain says of a model, provable to who knows only its genesis.

Source: WP V.H, VI.B (models and what they were made from), WP VI.H (anyone can verify).
"""
