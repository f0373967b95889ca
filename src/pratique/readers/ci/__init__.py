"""Readers of what continuous integration leaves: logs of jobs, and the workflow files beside them."""
