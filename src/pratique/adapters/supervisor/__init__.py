"""Start a command and see what its processes do, without root and inside containers (Linux)."""

from pratique.adapters.supervisor.notify import supervise, unusable

__all__ = ["supervise", "unusable"]
