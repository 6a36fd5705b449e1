"""What byzantine nodes do, a few lines each; `behaviour.py` is the class that they extend.

Source: WP II.A.
"""
