"""The doors: parse, call the API, show."""
