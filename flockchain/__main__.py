"""`python -m flockchain` is the command `flockchain`.

Source: WP II (the system's one program).
"""

from flockchain.cli.main import main

main()
