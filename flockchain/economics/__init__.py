"""What would I earn if: scenarios of the economics, answered by the real pallets."""
