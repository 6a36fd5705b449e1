"""Ceremonies of reference strings: `transcript` is what lies in the folder that goes around,
`contributing` multiplies.

Source: WP VI.H.
"""
