"""Readers of configuration that runs something: when a checkout is opened, an agent starts, or git works."""
