"""A case beside a plain list: whatever is written, taken back, closed and opened again, both say the same."""

from __future__ import annotations

import datetime
import io
import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pratique.casefile import packs
from pratique.casefile.case import Author, Case, create, open_case
from pratique.model.case import EvidenceItem
from pratique.workflow.case_proof import verify_case
from pratique.workflow.case_seal import seal_case

AUTHOR = Author("dev@laptop", "pratique 0", lambda: datetime.datetime(2026, 11, 26, 12, tzinfo=datetime.UTC))
SIZES = (0, 1, 200, packs.CHUNK, packs.CHUNK + 1)
CONTENTS = st.tuples(st.sampled_from(SIZES), st.integers(0, 3))
"""Size, and what it is filled with: large contents are not for Hypothesis to print."""
WORDS = st.text(max_size=30)


def filled(content: tuple[int, int]) -> bytes:
    """The bytes of a content."""
    return bytes([content[1]]) * content[0]


class Twin(RuleBasedStateMachine):
    """A case and the list of what it must hold."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.case: Case | None = None
        self.kinds: list[str] = []
        self.contents: dict[str, bytes] = {}
        self.covered = 0

    @initialize()
    def make(self) -> None:
        """A new case."""
        self.case = create(self.folder / "case", AUTHOR, key=self.folder / "key")
        self.kinds = ["opened"]

    def opened(self) -> Case:
        assert self.case is not None
        return self.case

    @rule(text=WORDS)
    def note(self, text: str) -> None:
        """One entry."""
        self.opened().append("note", {"text": text})
        self.kinds.append("note")

    @rule(content=CONTENTS, streamed=st.booleans())
    def keep(self, content: tuple[int, int], streamed: bool) -> None:
        """One piece of evidence."""
        whole = filled(content)
        item = EvidenceItem(what="x", source="/x", digest="", size=0)
        kept = self.opened().keep(item, io.BytesIO(whole) if streamed else whole)
        self.contents[kept.digest] = whole
        self.kinds.append("evidence")

    @rule(contents=st.lists(CONTENTS, max_size=4), fails=st.booleans())
    def together(self, contents: list[tuple[int, int]], fails: bool) -> None:
        """Several as one step, which may fail and then leaves nothing."""
        kept: dict[str, bytes] = {}
        try:
            with self.opened().together():
                for content in contents:
                    item = EvidenceItem(what="x", source="/x", digest="", size=0)
                    kept[self.opened().keep(item, filled(content)).digest] = filled(content)
                if fails:
                    raise KeyError
        except KeyError:
            return
        self.contents |= kept
        self.kinds += ["evidence"] * len(contents)

    @precondition(lambda self: len(self.kinds) < 30)
    @rule()
    def seal(self) -> None:
        """A seal over everything."""
        seal_case(self.opened())
        self.covered = len(self.kinds)
        self.kinds.append("seal")

    @rule()
    def again(self) -> None:
        """Close it, and open it again."""
        self.opened().close()
        self.case = open_case(self.folder / "case", AUTHOR, key=self.folder / "key")

    @invariant()
    def the_same(self) -> None:
        """The entries and whether they are sealed."""
        if self.case is None:
            return
        assert [entry.kind for entry in self.case.entries()] == self.kinds
        last = max((n for n, kind in enumerate(self.kinds, 1) if kind == "evidence"), default=0)
        assert self.case.sealed == (self.covered > 0 and self.covered >= last)

    def teardown(self) -> None:
        """All bytes come back, and everything agrees."""
        if self.case is not None:
            proof = verify_case(self.case)
            assert proof.exit_code == 0, proof
            assert proof.evidence == len(self.contents)
            for digest, content in self.contents.items():
                assert self.case.content(digest) == content
            self.case.close()
        shutil.rmtree(self.folder)


Twin.TestCase.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
TestTwin = Twin.TestCase
