"""Logs of mirrors: what each kind of line says, what is shared, what is hidden, what is refused."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest

from pratique.model.observation import ComponentFact, Observation, Refusal, RequestFact
from pratique.model.ports import Artifact, Interest
from pratique.readers.mirror import lines, log
from pratique.readers.mirror.lines import LONGEST, cut
from pratique.readers.mirror.log import READER
from tests.golden.harness import in_memory

NAMES = {"npm": frozenset({"axios", "plain-crypto-js"}), "PyPI": frozenset({"toolz", "litellm"})}
TARBALL = "/axios/-/axios-1.14.1.tgz"


def told(text: str | bytes, name: str = "access.log") -> list[Observation | Refusal]:
    data = text.encode() if isinstance(text, str) else text
    return list(READER.read(in_memory(data, name), Interest(NAMES)))


def requests(text: str | bytes, name: str = "access.log") -> list[RequestFact]:
    found = told(text, name)
    assert [item for item in found if isinstance(item, Refusal)] == []
    return [item.facts for item in found if isinstance(item, Observation) and isinstance(item.facts, RequestFact)]


def times(text: str, name: str = "access.log") -> list[tuple[str, str]]:
    return [
        (time.value, time.source) for item in told(text, name) if isinstance(item, Observation) for time in item.times
    ]


COMBINED = (
    '10.0.0.5 - ci [31/Mar/2026:01:10:00 +0000] "GET /axios/-/axios-1.14.1.tgz HTTP/1.1" 200 3095 "-" '
    '"npm/11.19.1 node/v20.20.2 linux x64 workspaces/false"\n'
)
NEXUS = (
    '10.0.0.5 - alice [31/Mar/2026:03:10:00 +0200] "GET /repository/npm/axios/-/axios-1.14.1.tgz HTTP/1.1" '
    '200 - 3095 12 "npm/11.19.1 node/v20.20.2 linux x64 workspaces/false" [qtp1-99]\n'
)
ARTIFACTORY = "2026-03-31T01:10:00.456Z|5f8a|10.0.0.5|ci|GET|/api/npm/npm-remote/axios/-/axios-1.14.1.tgz|200|-1|3095|12|npm/10.9.9\n"
ARTIFACTORY_OLD = "20260331011000|12|REQUEST|10.0.0.5|ci|GET|/npm-remote/axios/-/axios-1.14.1.tgz|HTTP/1.1|200|3095\n"
ACCESS = (
    "2026-03-31T01:10:00.456Z [5f8a] [ACCEPTED DOWNLOAD] npm-remote-cache:axios/-/axios-1.14.1.tgz for ci/10.0.0.5.\n"
)
ACCESS_OLD = "2026-03-31 01:10:00,456 [ACCEPTED DOWNLOAD] npm-remote-cache:axios/-/axios-1.14.1.tgz for client : ci / 10.0.0.5.\n"


@pytest.mark.parametrize(
    ("text", "moment", "zoned"),
    [
        (COMBINED, "2026-03-31T01:10:00.000Z", True),
        (NEXUS.replace("alice", "ci"), "2026-03-31T01:10:00.000Z", True),
        (ARTIFACTORY, "2026-03-31T01:10:00.456Z", True),
        (ARTIFACTORY_OLD, "2026-03-31T01:10:00.000Z", False),
        (ACCESS, "2026-03-31T01:10:00.456Z", True),
        (ACCESS_OLD, "2026-03-31T01:10:00.456Z", False),
    ],
    ids=["combined", "nexus", "artifactory", "artifactory-old", "access", "access-old"],
)
def test_every_kind_of_line_says_the_same(text: str, moment: str, zoned: bool) -> None:
    (fact,) = requests(text)
    assert (fact.name, fact.version, fact.outcome, fact.client, fact.identity) == (
        "axios",
        "1.14.1",
        "fetched",
        "10.0.0.5",
        "ci",
    )
    ((value, source),) = times(text)
    assert value == moment
    assert source.endswith("without a zone") is not zoned


def test_agents_come_without_their_reports() -> None:
    line = COMBINED.replace("npm/11.19.1 node/v20.20.2 linux x64 workspaces/false", 'pip/26.3 {\\"ci\\":true}')
    assert requests(line)[0].agent == "pip/26.3"
    assert requests(NEXUS)[0].agent == "npm/11.19.1 node/v20.20.2 linux x64 workspaces/false"
    assert requests(ARTIFACTORY)[0].agent == "npm/10.9.9"


def test_a_forwarded_address_is_the_client() -> None:
    line = COMBINED.rstrip("\n") + ' "203.0.113.9, 10.0.0.1"\n'
    assert requests(line)[0].client == "203.0.113.9"


def test_proxpi_and_devpi() -> None:
    line = '10.0.0.5 - - [20/Nov/2026 11:54:17] "GET /index/toolz/toolz-1.0.0-py3-none-any.whl HTTP/1.1" 200 -\n'
    (fact,) = requests(line)
    assert (fact.ecosystem, fact.name, fact.version, fact.outcome) == ("PyPI", "toolz", "1.0.0", "fetched")
    assert times(line) == [("2026-11-20T11:54:17.000Z", "access log, local time without a zone")]
    line = "2026-11-20 11:54:12,325 INFO  [req11] GET /root/pypi/+f/292/c8f1c19e7cdb/toolz-1.0.0-py3-none-any.whl\n"
    (fact,) = requests(line)
    assert (fact.outcome, fact.archive, fact.status, fact.client) == ("resolved", True, None, None)


@pytest.mark.parametrize(
    ("status", "outcome"), [(200, "fetched"), (206, "fetched"), (304, "fetched"), (404, "resolved"), (302, "resolved")]
)
def test_the_answer_decides(status: int, outcome: str) -> None:
    (fact,) = requests(COMBINED.replace(" 200 ", f" {status} "))
    assert (fact.outcome, fact.status, fact.archive) == (outcome, status, True)


def test_a_part_of_a_wheel_may_be_its_metadata_and_head_is_nothing() -> None:
    line = COMBINED.replace(TARBALL, "/packages/aa/toolz-1.0.0-py3-none-any.whl").replace(" 200 ", " 206 ")
    assert requests(line)[0].outcome == "resolved"
    assert requests(COMBINED.replace("GET", "HEAD")) == []


def test_metadata_is_resolved_without_a_version() -> None:
    (fact,) = requests(COMBINED.replace(TARBALL, "/axios"))
    assert (fact.version, fact.outcome, fact.archive) == ("", "resolved", False)


def test_requests_that_differ_in_time_alone_are_one() -> None:
    (fact,) = requests(COMBINED + COMBINED.replace(":01:10:00", ":01:40:00") + COMBINED.replace(":01:10", ":00:50"))
    assert fact.count == 3
    text = COMBINED + COMBINED.replace(":01:10:00", ":01:40:00") + COMBINED.replace(":01:10", ":00:50")
    assert [value for value, _ in times(text)] == ["2026-03-31T00:50:00.000Z", "2026-03-31T01:40:00.000Z"]


def test_an_identity_of_several_addresses_is_shared_whatever_was_asked_for() -> None:
    other = COMBINED.replace("10.0.0.5", "10.0.0.6").replace(TARBALL, "/lodash/-/lodash-4.17.21.tgz")
    assert [fact.shared_identity for fact in requests(COMBINED)] == [False]
    assert [fact.shared_identity for fact in requests(COMBINED + other)] == [True]
    assert [fact.shared_identity for fact in requests(COMBINED.replace(" ci ", " - "))] == [True]


def test_artifactory_fetching_from_its_source_is_told_of_the_mirror() -> None:
    line = "2026-03-31T01:10:00.456Z|5f8a|npm-remote|ci|GET|https://registry.example/axios/-/axios-1.14.1.tgz|200|-1|3095|12\n"
    (item,) = told(line, "artifactory-request-out.log")
    assert isinstance(item, Observation)
    assert isinstance(item.facts, ComponentFact)
    assert (item.facts.record, item.facts.depth, item.facts.version) == ("mirror", "fetched", "1.14.1")


def verdaccio(**more: Any) -> str:
    return json.dumps({"level": 25, "time": 1774919400000, "sub": "in", **more}, separators=(",", ":")) + "\n"


def begun(agent: str = "npm/11.19.1") -> str:
    headers = {"user-agent": agent, "pacote-integrity": "sha512-AAAA", "authorization": "<Classified>"}
    return verdaccio(req={"method": "GET", "url": TARBALL, "headers": headers}, ip="10.0.0.5")


def answered(user: str | None, out: int, status: int = 200) -> str:
    request = {"method": "GET", "url": TARBALL}
    return verdaccio(request=request, user=user, remoteIP="10.0.0.5", status=status, bytes={"in": 0, "out": out})


def test_verdaccio_tells_a_request_three_times_and_the_last_one_counts() -> None:
    (fact,) = requests(begun() + answered(None, 0) + answered("ci", 341))
    assert (fact.count, fact.identity, fact.size, fact.agent) == (1, "ci", 341, "npm/11.19.1")
    assert fact.integrity == ("sha512-AAAA",)
    (fact,) = requests(begun() + answered(None, 0) + answered(None, 46, 404))
    assert (fact.outcome, fact.status) == ("resolved", 404)


def test_two_requests_of_one_client_at_once_are_two() -> None:
    (fact,) = requests(
        begun() + begun() + answered(None, 0) + answered(None, 0) + answered("ci", 1) + answered("ci", 1)
    )
    assert fact.count == 2


def test_a_request_without_its_answer_is_asked_for() -> None:
    (fact,) = requests(begun() + answered(None, 0))
    assert (fact.outcome, fact.archive, fact.status) == ("resolved", True, None)
    (fact,) = requests(answered("ci", 341))
    assert (fact.outcome, fact.agent) == ("fetched", None)


def test_verdaccio_behind_a_balancer_and_in_a_container() -> None:
    line = "http <-- 200, user: ci(203.0.113.9 via 10.0.0.1), req: 'GET /axios/-/axios-1.14.1.tgz', bytes: 0/341\n"
    (fact,) = requests(line)
    assert (fact.client, fact.identity, fact.size) == ("203.0.113.9", "ci", 341)
    wrapped = json.dumps({"log": f"\x1b[36m{line}", "stream": "stdout", "time": "2026-03-31T01:10:00.1Z"}) + "\n"
    assert times(wrapped) == [("2026-03-31T01:10:00.100Z", "Verdaccio log")]
    cluster = f"2026-03-31T01:10:00.123456789Z stdout F {line}"
    assert times(cluster) == [("2026-03-31T01:10:00.123Z", "Verdaccio log")]


def test_gzip_in_several_members() -> None:
    data = gzip.compress(COMBINED.encode()) + gzip.compress(COMBINED.replace("10.0.0.5", "10.0.0.6").encode())
    assert [fact.client for fact in requests(data, "access.log.2.gz")] == ["10.0.0.5", "10.0.0.6"]


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_cut_gzip_is_a_refusal(share: float) -> None:
    text = "".join(COMBINED.replace("01:10:00", f"01:{n % 60:02}:{n % 59:02}") for n in range(2000))
    data = gzip.compress(text.encode())
    found = told(data[: int(len(data) * share)], "access.log.1.gz")
    assert [item.relevant for item in found if isinstance(item, Refusal)]
    damaged = data[: len(data) // 2] + b"\xff\xff\xff\xff" + data[len(data) // 2 :]
    assert [item.relevant for item in told(damaged, "access.log.1.gz") if isinstance(item, Refusal)]


def test_a_bomb_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "RATIO_FROM", 1 << 20)
    data = gzip.compress(b"\n" * (8 << 20), 9)
    found = told(data, "access.log.1.gz")
    assert [item.reason for item in found if isinstance(item, Refusal)] == [
        "unpacks to more than 500 times its size; the rest was not looked at"
    ]


def test_other_compression_is_said() -> None:
    found = told(b"\xfd7zXZ\x00" + bytes(100), "access.log.1.xz")
    assert [item.reason for item in found if isinstance(item, Refusal)] == [
        "is compressed, and not by gzip: unpack it first"
    ]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("some text\nof somebody\n", "README.md"),
        ("alice:$2b$10$abc:autocreated 2026\n", "users"),
        ("\0\1\2\3" * 100, "blob.bytes"),
        ("", "access.log"),
        ('{"list":["@acme/hello"],"secret":"0123456789abcdef"}', "db.json"),
    ],
)
def test_what_is_no_log_is_nothing(text: str, name: str) -> None:
    assert [item.relevant for item in told(text, name) if isinstance(item, Refusal)] == [False]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("some text\nof somebody\n", "access.log"),
        ("31.03.2026 client 10.0.0.5 asked GET /axios/-/axios-1.14.1.tgz and got it\n", "messages"),
    ],
)
def test_a_log_of_an_unknown_kind_is_a_relevant_refusal(text: str, name: str) -> None:
    (item,) = told(text, name)
    assert isinstance(item, Refusal)
    assert item.relevant


def test_a_cut_or_strange_line_is_said_and_the_rest_counts() -> None:
    found = told(COMBINED + "10.0.0.7 GET /axios/-/axios-1.14.1.tgz\n" + COMBINED[:60])
    assert [item.reason for item in found if isinstance(item, Refusal)] == [
        "2 lines are of no known form or cut off, the first is line 2"
    ]
    assert any(isinstance(item, Observation) for item in found)


SECRETS = (
    "npm_abcdefghijklmnopqrstuvwxyz0123456789",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "swordfish",
)


def test_no_secret_is_told() -> None:
    text = (
        COMBINED.replace(TARBALL, f"{TARBALL}?token={SECRETS[2]}")
        + COMBINED.replace(" ci ", f" {SECRETS[0]} ")
        + COMBINED.replace("npm/11.19.1", SECRETS[1])
        + COMBINED.replace(TARBALL, f"http://user:{SECRETS[2]}@mirror.example{TARBALL}")
    )
    shown = repr(told(text))
    assert shown.count("1.14.1") == 3
    assert [secret for secret in SECRETS if secret in shown] == []


def test_a_line_of_any_length_is_cut() -> None:
    lines = list(cut(in_memory(b"a" * (LONGEST * 20) + b"\nb\n", "x")))
    assert [len(line) for line, _ in lines] == [LONGEST, 1]


class Endless(io.RawIOBase):
    """A file of many lines that is never whole in memory."""

    def __init__(self, number: int) -> None:
        self.left = number

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if self.left <= 0:
            return b""
        number = min(self.left, 1000)
        self.left -= number
        return LINES if number == 1000 else LINES[: len(LINES) * number // 1000]


LINES = "".join(
    COMBINED if n == 500 else COMBINED.replace("axios", f"package-{n}").replace(" ci ", f" user-{n} ")
    for n in range(1000)
).encode()


def test_a_hundred_thousand_lines_need_no_more_memory_than_a_thousand() -> None:
    import tracemalloc

    def count(number: int) -> tuple[int, int]:
        endless = Endless(number)
        artifact = Artifact(
            "case:",
            "access.log",
            lambda: b"",
            lambda: None,
            lambda _: None,
            stream=lambda: endless,
        )
        tracemalloc.start()
        facts = [item.facts for item in only(READER.read(artifact, Interest(NAMES)))]
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return sum(getattr(fact, "count", 0) for fact in facts), peak

    def only(items: Iterator[Observation | Refusal]) -> list[Observation]:
        return [item for item in items if isinstance(item, Observation)]

    few, small = count(20_000)
    many, large = count(100_000)
    assert (few, many) == (20, 100)
    assert large < small * 1.5


def refused(text: str | bytes, name: str = "access.log") -> list[str]:
    return [item.reason for item in told(text, name) if isinstance(item, Refusal) and item.relevant]


@pytest.mark.parametrize(
    "line",
    [
        '{"ClientHost":"10.0.0.5","RequestMethod":"GET","RequestPath":"/axios/-/axios-1.14.1.tgz","level":"info",'
        '"msg":"","time":"2026-03-31T01:10:00Z"}\n',
        "2026-03-31T01:10:00.456Z [5f8a] [ACCEPTED DOWNLOAD] npm:axios/-/axios-1.14.1.tgz by ci.\n",
        "31.03.2026 01:10 INFO [req12] GET /root/pypi/+simple/litellm/\n",
        "10.0.0.5 fetched toolz-1.0.0.tar.gz\n",
    ],
)
def test_a_request_in_a_form_that_is_not_understood_is_told(line: str) -> None:
    assert refused(COMBINED + line) == ["1 line is of no known form or cut off, the first is line 2"]


def test_a_log_in_utf_16_is_a_relevant_refusal() -> None:
    assert refused(COMBINED.encode("utf-16"), "out.txt") == [
        "is text in UTF-16, which is not read: convert it to UTF-8"
    ]


def test_the_hole_that_a_rotation_leaves_hides_nothing() -> None:
    for size in (100, LONGEST * 9):
        found = told(b"\0" * size + COMBINED.encode() * 2)
        assert [item.facts.name for item in found if isinstance(item, Observation)] == ["axios"]
    assert refused(b"\0" * LONGEST * 9 + COMBINED.encode() * 2)
    assert refused(b"\0" * 100) == ["holds no line of a known kind of log"]


def test_a_file_that_could_not_be_read_to_its_end_is_said_whatever_its_name() -> None:
    plain = b"".join(b"nothing known, %d\n" % number for number in range(300))
    assert refused(gzip.compress(plain, 0)[:-2000], "notes") == ["is cut off inside its compression"]


def test_beyond_the_identities_that_are_held_none_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "MOST_IDENTITIES", 1)
    found = requests(COMBINED + COMBINED.replace(" ci ", " di "))
    assert {fact.identity: fact.shared_identity for fact in found} == {"ci": False, "di": True}


def test_requests_behind_many_other_lines_are_found_whatever_the_name() -> None:
    found = told("starting\n" * 1000 + COMBINED, "out")
    assert [item.location.line for item in found if isinstance(item, Observation)] == [1001]
