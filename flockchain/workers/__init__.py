"""Off-chain workers: training nodes, task validators and task creators as programs.

They speak to a node by RPC and blobs only, and do machine learning in processes of their own; what
they do follows from the state of the best block, so a restart or a fork costs nothing.

Source: WP II.B (roles), WP Fig. 3 (the workflow of a task).
"""
