"""How each amount that the arena paid follows from the state, term by term.

Source: WP III.A (emission), WP IV.A (between tasks), WP V.D to V.I (inside a task).
"""
