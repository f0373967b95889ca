"""Package registries and indexes, asked as the user's own npm, pip or uv is configured to ask them."""
