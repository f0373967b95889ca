"""Inert stand-in packages, a loopback registry that serves them, and fixtures made by real package managers."""
