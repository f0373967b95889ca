"""Real package managers of this machine, asked whether they take a lockfile.

The manager is one of this machine, by absolute path outside the project. The copy holds manifests without scripts, the
lockfile, patches and archives that manifests name, and settings of an allow-list: no credentials, no script, no
plug-in, no program of the project. It runs with a bare environment and an empty home, as a group that is ended when its
time is over, in namespaces of its own where the system gives them; its words say so.
"""
