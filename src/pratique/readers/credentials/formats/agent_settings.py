"""Settings of AI agents and of the servers of tools that they start (MCP): the names of secrets, and who gets them.

## Reads
JSON, with comments, or TOML. Of every server: names of secrets in its environment and its headers, tokens among its
arguments and in its address. `env` of the settings themselves; `apiKeyHelper` as a reference.

## Leaves out
Values. Whether a server was put there by an attacker: what starts with an agent is for `pratique host`.

## References
modelcontextprotocol.io "Connect to local servers"; Claude Code documentation "Settings"; Visual Studio Code
documentation "MCP configuration"; openai/codex `docs/config.md`.
"""

from __future__ import annotations

from collections.abc import Iterator

from pratique.model.credential import CredentialFact
from pratique.readers.credentials.contract import Fingerprint, Reason, Row
from pratique.readers.credentials.fields import Pairs, is_token, json_tree, matches, owner, toml_tree
from pratique.readers.credentials.judgement import MOST, judge, text_of
from pratique.readers.credentials.material import fact, is_path_name, is_secret_name, looks_random, named
from pratique.readers.credentials.material import pairs as known

_SERVERS = ("mcpservers", "mcp_servers", "servers", "context_servers")
_HELPERS = ("apiKeyHelper", "awsAuthRefresh", "awsCredentialExport", "otelHeadersHelper", "envFile", "env_file")
_PLACES = ("env", "headers", "environment", "http_headers")


def read(data: bytes, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact | Reason]:
    """Yield one credential a name."""
    text = text_of(data)
    if text is None:
        yield "of an encoding that is not read"
        return
    if not text.strip():
        return
    tree = json_tree(text) if text.lstrip()[:1] in ("{", "[") else toml_tree(text)
    if tree is None:
        yield "not understood"
        return
    given = 0
    for path, value, around in tree.fields():
        made = _one(path, value, around, row, fingerprint)
        if made is not None:
            given += 1
            if given > MOST:
                yield "too many entries"
                return
            yield made
    if not tree.whole:
        yield "half understood"


def _one(
    path: tuple[str, ...], value: str, around: tuple[Pairs, ...], row: Row, fingerprint: Fingerprint
) -> CredentialFact | None:
    judged = judge(value)
    if judged == "nothing":
        return None
    server = next((path[at + 1] for at in range(len(path) - 2) if path[at].lower() in _SERVERS), None)
    name = path[-1] if path else ""
    inside = len(path) > 1 and path[-2].lower() in _PLACES
    if name in _HELPERS or (inside and is_path_name(name) and is_secret_name(name)):
        identity = known(("server", server)) + owner(row, path, around)
        return CredentialFact(field=named(path), state="reference", protection="unknown", identity=identity)
    wanted = matches(row.fields, path) or is_token(value)
    if inside:
        secret = is_secret_name(name.replace("-", "_")) or name.lower() in ("authorization", "cookie")
        wanted = wanted or secret or (judged == "material" and looks_random(value))
        if not wanted and judged == "reference":
            wanted = value.startswith("op://")
    if not wanted:
        return None
    identity = known(("server", server)) + owner(row, path, around)
    spoken = value.removeprefix("Bearer ").removeprefix("bearer ") if inside else value
    return fact(named(path), spoken, row, fingerprint, identity=identity)
