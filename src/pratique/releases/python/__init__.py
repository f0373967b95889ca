"""What Python files of a release can do, and what makes them run; nothing is imported, compiled or unpickled."""
