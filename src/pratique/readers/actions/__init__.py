"""Readers of files that tell continuous integration what to run."""
