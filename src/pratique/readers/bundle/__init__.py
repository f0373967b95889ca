"""Readers of what bundlers write: evidence that a build output carries a release."""
