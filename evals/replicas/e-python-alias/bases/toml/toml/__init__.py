from toml.decoder import loads
