"""The doors in: walking, opening and probing places, bounded and read-only."""
