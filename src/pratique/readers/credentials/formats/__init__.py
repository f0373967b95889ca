"""Formats of credential files: each has `read(content, row, fingerprint)`, which gives facts or a fixed reason."""
