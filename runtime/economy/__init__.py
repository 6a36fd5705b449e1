"""Words that the economic pallets share, so that no pallet imports another: records and parameters.

Source: WP II.B (roles), WP IV.A and V (tasks, stakes, parameters).
"""
