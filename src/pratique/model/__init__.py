"""The nouns: frozen typed records, windows of time, errors and ports. Knows no other room."""
