"""The words for facts: each kind with its meaning and the attributes it may carry. Rules speak in these words alone.

Attributes that any fact of code may carry beside its own: `language` (javascript, python, shell), `layer` (how often
what it lies in had to be decoded, 0: plain), `encoding` (by what, such as `base64`), `reach` (what makes it run:
`lifecycle`, `import`, `bin`, `build`, `startup`, or empty where nothing was found to), `scope` (`top`: runs when the
file is loaded; `function`), `new_file` (the file was not in the predecessor), `new_in_package` (the predecessor has no
fact of this kind at all).
"""

from __future__ import annotations

WORDS: dict[str, tuple[str, tuple[str, ...]]] = {
    # what makes code run
    "trigger.lifecycle": (
        "a lifecycle script runs at install",
        # runs: users git author; file_delta: how the started file stands to the predecessor's at the same path
        ("event", "command", "file", "file_delta", "more_files", "implicit", "previous", "for_users", "runs"),
    ),
    "trigger.bin": ("a command is put on the path", ("name", "target", "shadows", "file", "outside")),
    "trigger.path-configuration": (
        "a .pth file runs code at every start of Python; plain: it imports; loads: so too, or if a variable is set",
        ("code", "plain", "loads"),
    ),
    "trigger.setup": ("setup code runs when the package is built", ("form", "hooks", "file")),
    "trigger.build-backend": (
        "the build backend runs when the package is built; direct: what it needs from no registry",
        ("backend", "in_tree", "requires", "direct"),
    ),
    "trigger.entry-point": (
        "an entry point is declared; unasked: another program loads it at its own start",
        ("group", "name", "target", "unasked"),
    ),
    "trigger.startup": ("a module that Python imports by itself (sitecustomize, usercustomize)", ("module",)),
    # what is imported
    "import.module": (
        "a module is imported",
        ("module", "package", "form", "dynamic"),
    ),  # form: builtin package relative url
    # what code can do
    "capability.environment-read": ("environment variables are read", ("name", "whole")),
    "capability.credential-read": ("a place of credentials is read", ("place",)),
    "capability.file-read": ("files are read", ("api", "target")),
    "capability.file-write": ("files are written", ("api", "target", "executable")),
    "capability.file-delete": ("files are deleted", ("api", "target")),
    "capability.network": ("the network is used", ("api", "destination", "method", "raw_address", "sends")),
    "capability.download": ("a file is fetched", ("api", "destination")),
    "capability.process": ("a process is started", ("api", "command", "shell", "detached", "hidden")),
    "capability.dynamic-code": ("text is run as code", ("api", "literal")),
    "capability.decode": ("text is decoded", ("api", "form")),
    "capability.encode": ("data is encoded or encrypted", ("api", "form")),
    "capability.host-recon": (
        "the machine or its user is identified; weak: by what programs ask for every day",
        ("api", "weak"),
    ),
    "capability.persistence": ("something is made to start again by itself", ("place",)),
    "capability.agent-configuration": ("configuration of an editor or agent is written", ("place",)),
    "capability.workflow-write": ("a workflow of continuous integration is written", ("place",)),
    "capability.own-publish": ("packages are published, or a registry token is used", ("api",)),
    "capability.interface-hook": ("a network or wallet interface is replaced by own code", ("interface",)),
    "capability.self-delete": ("the running file is deleted", ("api",)),
    "capability.manifest-swap": ("the package's own manifest is rewritten", ("api",)),
    "capability.delay": ("work is put off for long", ("api", "seconds")),
    "capability.condition": ("work depends on the host: CI, locale, time, debugger, user", ("on",)),
    "capability.clipboard": ("the clipboard is read or written", ("api",)),
    # what belongs together; `steps` as in "credential-read, encode, network", `within` flow, function, file, package
    "chain.secret-to-network": (
        "a secret is read and sent; carried: body, url, header; secret: the variables or places",
        ("steps", "within", "lines", "destination", "carried", "secret"),
    ),
    "chain.download-to-run": ("something is fetched, written and run", ("steps", "within", "lines", "destination")),
    "chain.decode-to-run": ("text is decoded and run", ("steps", "within", "lines")),
    "chain.file-to-run": (
        "text out of a file of the package that is not one of code is run",
        ("steps", "within", "lines", "file"),
    ),
    "chain.run-and-hide": ("something is run, and its traces are removed", ("steps", "within", "lines")),
    # how it is hidden
    "obfuscation.string-array": ("strings lie in an array and are fetched by number", ("strings", "encoded")),
    "obfuscation.names": ("identifiers are made to say nothing", ("share", "count")),
    "obfuscation.literal": (
        "a long text is encoded; runs: its file runs text as code; meaning: what it is plausible as",
        ("encoding", "length", "decoded", "runs", "meaning"),
    ),
    "obfuscation.form": ("code is written in signs, packed, or by numbers of characters", ("form", "length")),
    "content.huge-line": ("a line is huge", ("length", "before")),
    "content.entropy": ("text is as mixed as random bytes", ("bits", "length")),
    "content.hidden-text": ("text holds characters that are not seen", ("form", "count", "name")),
    "content.confusable": ("a name mixes letters that look alike", ("name", "scripts", "looks_like")),
    "content.destination": ("an address or URL stands in text", ("host", "form", "service")),  # form: url address onion
    "content.wallet": ("addresses of wallets stand in text", ("currency", "count", "checked")),
    "content.native": ("a native program or library", ("format", "size", "declared", "architecture")),
    "content.archive": ("an archive lies inside", ("format", "size", "encrypted")),
    "content.mismatch": ("a file is not what its name says", ("suffix", "actual")),
    "content.trailing": ("bytes follow the end of a picture or archive", ("format", "length", "actual")),
    # what the manifest says
    "manifest.identity": ("the manifest calls itself otherwise", ("field", "stated", "expected")),
    "manifest.shadow": ("a module is called like one of Python or of another distribution", ("module", "of")),
    "manifest.field": ("a field of the manifest", ("field", "value", "previous")),
    "dependency.declared": (
        "a dependency is declared",
        # group: dependencies optional peer bundled dev; source: registry git url alias file link workspace catalog
        # unknown; imported, seen_before: yes no unknown; own_scope: true or false; target: what an alias stands for;
        # named: the file that imports or names it; moved_from: the group it was in before; extra: PyPI's
        (
            "name",
            "range",
            "previous",
            "group",
            "source",
            "imported",
            "seen_before",
            "own_scope",
            "target",
            "named",
            "moved_from",
            "extra",
        ),
    ),
    "dependency.undeclared": ("a package is imported that is not declared", ("name",)),
    "dependency.bundled": ("a copy of a package lies inside", ("name", "version", "listed", "installed")),
    # what a name looks like
    "name.similar": ("the name looks like that of a popular package", ("name", "to", "how", "rank", "added")),
    "name.scope": ("the name without its scope is that of a popular package, or the reverse", ("name", "to", "rank")),
    "metadata.copied": ("the description or repository is that of another package", ("field", "of", "rank")),
    "version.absurd": ("the version is far above any other", ("version", "previous", "major")),
    # what the registry says; of trust.lost: `releases` of the nearest five of the line had it, `gap` since did not
    "registry.age": (
        "how old things were when the release was examined",
        ("release_days", "package_days", "package_days_at_release", "releases", "doubtful"),
    ),
    "registry.popularity": ("the place among popular packages; 0: not among them", ("rank",)),
    "registry.rhythm": (
        "how releases follow each other",
        ("form", "days", "releases", "minutes"),
    ),  # form: dormant burst lines
    "registry.mismatch": (
        "the archive is not the one that the registry states",
        ("algorithm", "stated", "actual", "source"),
    ),
    "registry.decoy": ("the package began with a harmless release shortly before", ("hours", "version", "releases")),
    "registry.field": ("a field of the record that rules need", ("field", "state")),
    "trust.lost": ("something that earlier releases of the line had is lost", ("what", "since", "releases", "gap")),
    "trust.gained": ("something that earlier releases did not have", ("what",)),
    "trust.publisher": (
        "another account published",
        ("publisher", "previous", "known", "maintainer", "address_changed", "trusted_publisher"),
    ),
    "trust.maintainers": ("the accounts that may publish changed", ("added", "removed", "address_changed")),
    "trust.invalid": (
        "a signature or attestation was rejected; proof: a known key, or what was signed, denies what is stated",
        ("what", "reason", "keyid", "proof"),
    ),
    "trust.changed": (
        "a claim of the verified certificate is not as an earlier version had it",
        ("claim", "value", "previous", "version"),
    ),
    # how large the change is
    "difference.size": (
        "how much changed",
        (
            "files_added",
            "files_removed",
            "files_changed",
            "added_lines",
            "removed_lines",
            "bytes_before",
            "bytes_after",
        ),
    ),
    "difference.file": ("a file that matters was added, changed or removed", ("change", "kind", "added_lines")),
    "source.differs": ("a file differs from the tagged source or a rebuild", ("form", "lines", "fields")),
    "source.missing": ("a file is not in the tagged source", ("form",)),  # form: compiled built unknown rebuild
}
"""Kind to its meaning and attributes."""

CODE_ATTRIBUTES = ("language", "layer", "encoding", "reach", "scope", "new_file", "new_in_package")
