"""The benchmark of the release microscope: inert replicas, a corpus of ordinary releases, one run over both."""
