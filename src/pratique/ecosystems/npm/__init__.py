"""The grammar of npm packages: names, paths on disk, URLs, versions."""
