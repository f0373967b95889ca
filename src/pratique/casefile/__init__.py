"""The archive: one case, append-only, hash-chained, sealed, exported, verified."""
