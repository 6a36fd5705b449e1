"""What byzantine nodes do, a few lines each; `behaviour.py` is the class that they extend.

Source: reliability 2 (byzantine behaviours); WP II.A.
"""
