"""Repair of npm-like lockfiles: one codec for each format, each ending in `CODEC = LockCodec(...)`."""
