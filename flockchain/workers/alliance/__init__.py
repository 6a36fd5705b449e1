"""A participant of the FL Alliance: joins, trains or votes as it is drawn, claims what it is due.

Source: WP VI.B to VI.F; Algorithms 1 and 2.
"""
