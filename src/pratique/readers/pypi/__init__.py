"""Readers of what the package managers of Python write."""
