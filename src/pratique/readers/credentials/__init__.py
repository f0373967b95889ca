"""Credential files: what stands in them, never the values. The one room in which a secret is ever held."""
