"""Documentation that is kept true."""
