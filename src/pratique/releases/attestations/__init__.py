"""Signatures and attestations of releases, verified from bytes alone: no network, no clock, no file."""
