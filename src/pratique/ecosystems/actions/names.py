"""Names in workflows and logs: secrets by name alone, steps without their script, tokens struck out."""

from __future__ import annotations

import re

EVERY_SECRET = "all"  # noqa: S105 (a word of the report, no secret)
"""Stands for every secret of the repository, its organisation and the job's environment."""

_SECRET = re.compile(r"\bsecrets\s*\.\s*([A-Za-z_][A-Za-z0-9_-]{0,99})")
_DYNAMIC = re.compile(r"\bsecrets\s*(?:\[|\)|\}|$)")
_LITERAL = re.compile(r"\bsecrets\s*\[\s*'([A-Za-z_][A-Za-z0-9_-]{0,99})'\s*\]")
_TOKEN = re.compile(r"\bgithub\s*\.\s*token\b")
_EXPRESSION = re.compile(r"\$\{\{.*?\}\}", re.DOTALL)
_CREDENTIAL = re.compile(
    r"(?:gh[pousr]_|github_pat_|npm_|glpat-|glptt-|pypi-|xox[abprs]-|sk-|dckr_pat_|hf_)[A-Za-z0-9_-]{10,}"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_.-]+|(?<=://)[^/@\s]+(?=@)"
)
_PLAIN_STEP = re.compile(
    r"(?:(?:Post|Pre) )?(?:Run )?(?:[A-Za-z0-9_.-]+/[A-Za-z0-9_./-]+@\S+|\./\S*|(?:docker|https?)://\S+)"
)
_WORD = re.compile(r"(?:[A-Za-z_][A-Za-z0-9_]*=\S*\s+)*(?P<word>[A-Za-z0-9_./\\-]{1,80})(?=\s|$)")
LONGEST = 200


def secrets_of(text: str) -> set[str]:
    """Names of the secrets that expressions in a text refer to; `all` where they may be any."""
    if "secrets" not in text and "github" not in text:
        return set()
    found: set[str] = set()
    for expression in _EXPRESSION.findall(text):
        found.update(_SECRET.findall(expression))
        found.update(_LITERAL.findall(expression))
        if _DYNAMIC.search(_LITERAL.sub("", expression)):
            found.add(EVERY_SECRET)
        if _TOKEN.search(expression):
            found.add("GITHUB_TOKEN")
    return found


def without_expressions(text: str) -> str:
    """A script with a variable in the place of each expression, so that a shell's words stay apart."""
    return _EXPRESSION.sub("$EXPRESSION", text)


def redacted(text: str) -> str:
    """A name without anything of the shape of a token, on one line and not too long."""
    return _CREDENTIAL.sub("***", " ".join(text.split()))[:LONGEST]


def step_name(title: str) -> str:
    """The name of a step as a log gives it, without a script's arguments: they may hold secrets.

    `Run owner/action@ref` stays; of `Run <script>` the program's name stays, and the verb of a package manager.
    """
    title = " ".join(title.split())
    if not title.startswith("Run ") or _PLAIN_STEP.fullmatch(title):
        return redacted(title)
    from pratique.ecosystems.npm.commands import commands
    from pratique.ecosystems.pypi.commands import commands as python_commands

    script = title[4:]
    parsed = next(commands(script), None) or next(python_commands(script), None)
    if parsed is not None and "&" not in script and "|" not in script and ";" not in script:
        return f"Run {parsed.manager} {parsed.verb}"
    word = _WORD.match(script)
    if word is None:
        return "Run …"
    return redacted(f"Run {word['word']}" if word.end() == len(script) else f"Run {word['word']} …")
