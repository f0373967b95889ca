"""Faults that a case must survive: a library that ends a process at its n-th write, and the process to end."""
