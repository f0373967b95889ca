"""Replacing what could be read: providers as data, the order of the work, and the steps."""
