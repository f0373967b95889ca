"""The walls: rules about the repository itself, each a test."""
