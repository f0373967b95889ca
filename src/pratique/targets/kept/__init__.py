"""Where archives of releases lie on this machine already: mirrors, caches and stores of package managers."""
