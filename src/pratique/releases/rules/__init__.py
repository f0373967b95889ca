"""The rules, one TOML file each, and what reads them."""
