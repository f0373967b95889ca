"""Readers of what mirrors and proxies of registries keep: storage and logs."""
