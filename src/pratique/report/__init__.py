"""The scribe: one report format per file."""
