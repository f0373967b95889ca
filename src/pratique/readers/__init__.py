"""The senses: one format per file, bytes in, observations out."""
