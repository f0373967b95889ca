"""Readers of what JavaScript package managers leave on disk."""
