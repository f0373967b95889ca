"""Readers of what a machine keeps: histories, process tables, settings of the host."""
