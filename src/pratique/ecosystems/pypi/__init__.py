"""The grammar of Python packages: names, versions, specifiers."""
