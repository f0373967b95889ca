"""Which chains of events are anomalous: Sigma rules over events, one set for the guard, the sandbox and the watch."""
