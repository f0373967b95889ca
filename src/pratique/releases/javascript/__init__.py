"""JavaScript and TypeScript: what a file imports, can do, and hides; read from its syntax, never executed."""

from pratique.releases.javascript.extract import facts

__all__ = ["facts"]
