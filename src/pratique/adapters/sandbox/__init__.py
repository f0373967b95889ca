"""Run something suspect where it reaches nothing of this machine or beyond, and see what it does (Linux)."""

from pratique.adapters.sandbox.chambers import LAYERS, contain, unusable

__all__ = ["LAYERS", "contain", "unusable"]
