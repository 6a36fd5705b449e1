"""What would I earn if: scenarios of the economics, answered by the real pallets in memory.

Source: WP IV.A, WP V.D to V.I.
"""
