"""Codecs of lockfiles: each replaces single entries and leaves every other byte as it is."""
