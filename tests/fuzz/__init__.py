"""Longer fuzzing of readers; no part of the suite."""
