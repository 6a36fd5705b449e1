"""What an attack on the AI Arena earns: scenarios that the real pallets play in memory.

Source: WP Table I (attacks and their mitigation).
"""
