"""Any text gives facts of the shell in the words of the vocabulary, the same each time, and in bounded time."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pratique.model.release import Fact, SourceFile
from pratique.releases.shell import facts, facts_of_command, settings
from pratique.releases.vocabulary import CODE_ATTRIBUTES, WORDS

PIECES = [
    "curl ", "https://evil.example/a ", "| ", "sh ", "$(", ")", "`", '"', "'", "\n", ";", "&", "&& ", "> ", "<< ", "EOF", "\\", "$X ",
    "X=", "env ", "base64 -d ", "-d ", "@", "rm ", "$0 ", "~/.npmrc ", "powershell -enc ", "aQBlAHgAIAB4AA== ", "{", "}", "(", "<(", "#", "eval ",
]  # fmt: skip


@given(
    st.one_of(
        st.binary(max_size=600),
        st.lists(st.sampled_from(PIECES), max_size=60).map(lambda parts: "".join(parts).encode()),
    ),
    st.sampled_from(["a.sh", "a.ps1", "a.bat", "package.json"]),
)
def test_any_text_gives_facts(content: bytes, path: str) -> None:
    file = SourceFile(path, content, "00", "shell")
    found = list(facts(file))
    assert found == list(facts(file))
    for fact in found:
        if isinstance(fact, Fact):
            assert fact.attributes.keys() <= {*WORDS[fact.kind][1], *CODE_ATTRIBUTES}
            assert fact.line >= 1
            assert fact.excerpt.isprintable()
    assert all(isinstance(fact, Fact) for fact in facts_of_command(content.decode("utf-8", "replace"), "windows"))


@given(
    st.recursive(
        st.none() | st.booleans() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["hooks", "command", "tasks", "runOptions", "runOn", "args", "servers", "x"]),
                inner,
                max_size=4,
            )
        ),
        max_leaves=30,
    )
)
def test_any_settings_give_facts(tree: object) -> None:
    import json

    for path in (".vscode/tasks.json", ".claude/settings.json", ".mcp.json"):
        for one in settings.facts(SourceFile(path, json.dumps(tree).encode(), "00", "json")):
            assert one.path == path


@pytest.mark.parametrize(
    "unit",
    ["a ", "$(", '"', "'", "|", "<<E\n", "a>b ", "X=$(env);", "\\", "`", "(", "${", "cat a | ", "curl -o a b; sh a;"],
)
def test_a_long_script_ends_in_time(unit: str) -> None:
    content = (unit * ((1 << 19) // len(unit))).encode()
    begun = time.process_time()
    list(facts(SourceFile("a.sh", content, "00", "shell")))
    assert time.process_time() - begun < 15
