"""Every form of a plan: hostile names stay inert, the JSON form keeps to its schema, the schema is that of the model."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from pratique.model.errors import UsageError
from pratique.model.plan import (
    Command,
    Edit,
    HeldBack,
    Hunk,
    Manual,
    Plan,
    Precondition,
    Quarantine,
    Receipt,
    Step,
)
from pratique.report import plan_schema
from pratique.report.plan_text import command_line
from pratique.report.plans import FORMS, plan_form_of, render_plan
from pratique.respond.plan import compose
from tests.unit.report.strategies import HOSTILE, text
from tests.unit.report.test_hostile import Page
from tests.unit.respond.planning import examine, situation_of
from tests.unit.respond.worlds import plan_of

WHOLE = Draft202012Validator(plan_schema.schema())
EVERYTHING = " ".join(HOSTILE)

commands = st.builds(Command, words=st.lists(text, min_size=1, max_size=3).map(tuple), note=text)
actions = st.one_of(
    st.builds(
        Manual,
        instructions=st.lists(text, max_size=2).map(tuple),
        commands=st.lists(commands, max_size=2).map(tuple),
        text=text,
    ),
    st.builds(Quarantine, path=text, digest=text, what=st.just("package-cache"), folder=st.booleans()),
    st.builds(
        Edit,
        path=text,
        before=st.none(),
        after=text,
        hunks=st.just((Hunk(offset=0, remove=b"", insert=b"\xff"),)),
        diff=text,
    ),
)
steps = st.builds(
    Step,
    id=text,
    phase=st.sampled_from(("preserve", "contain", "rotate", "communicate")),
    title=text,
    reason=text,
    disposition=st.sampled_from(("safe", "unsafe", "manual")),
    action=actions,
    owner=st.just("legal"),
    preconditions=st.builds(Precondition, kind=st.just("sealed"), words=text).map(lambda item: (item,)),
    after=st.lists(text, max_size=2).map(tuple),
    undo=text,
    check=text,
    check_command=st.none() | commands,
    proof=text,
    until=text,
)
plans = st.builds(
    Plan,
    schema=st.just("pratique.plan/1"),
    tool=text,
    host=text,
    made=text,
    basis=st.just(()),
    case=text,
    incidents=st.lists(text, max_size=2).map(tuple),
    steps=st.lists(steps, max_size=3).map(tuple),
    held_back=st.lists(st.builds(HeldBack, incident=text, reason=text, count=st.integers(0, 9)), max_size=2).map(tuple),
    notes=st.lists(text, max_size=2).map(tuple),
)


def hostile() -> Plan:
    """A plan with hostile text wherever text from outside can stand."""
    manual = Manual(
        instructions=(EVERYTHING,), commands=(Command(words=(EVERYTHING,), note=EVERYTHING),), text=EVERYTHING
    )
    return msgspec.structs.replace(
        plan_of(
            Step(
                id="a",
                phase="contain",
                title=EVERYTHING,
                reason=EVERYTHING,
                disposition="manual",
                action=manual,
                owner="legal",
                check=EVERYTHING,
                undo=EVERYTHING,
                proof=EVERYTHING,
                until=EVERYTHING,
                preconditions=(Precondition(kind="sealed", words=EVERYTHING),),
            ),
            Step(
                id="b",
                phase="revert",
                title="t",
                reason="r",
                disposition="safe",
                action=Edit(path=EVERYTHING, before=None, after="", hunks=(), diff=f"+{EVERYTHING}\n-{EVERYTHING}"),
                owner="legal",
                after=("a",),
            ),
            Step(
                id="c",
                phase="revert",
                title="t",
                reason="r",
                disposition="unsafe",
                action=Quarantine(path=EVERYTHING, digest=EVERYTHING, what="dropped-file"),
                owner="legal",
            ),
        ),
        host=EVERYTHING,
        notes=(EVERYTHING,),
        held_back=(HeldBack(incident=EVERYTHING, reason=EVERYTHING, count=2),),
        incidents=(EVERYTHING,),
    )


@pytest.mark.parametrize("form", FORMS)
@given(plan=plans)
@settings(max_examples=40, deadline=None)
def test_no_raw_control_format_or_bidirectional_character(form: str, plan: Plan) -> None:
    assert "".join(render_plan(plan, form).decode().split("\n")).isprintable()


@given(plan=plans)
@settings(max_examples=40, deadline=None)
def test_the_json_form_reads_back_and_keeps_to_its_schema(plan: Plan) -> None:
    document = render_plan(plan, "json")
    WHOLE.validate(json.loads(document))
    again = msgspec.json.decode(document, type=Plan)
    assert again == plan
    assert again.digest == plan.digest


def page(plan: Plan) -> Page:
    found = Page()
    found.feed(render_plan(plan, "html").decode())
    found.close()
    assert found.open == []
    return found


@given(plan=plans)
@settings(max_examples=40, deadline=None)
def test_names_cannot_add_elements_or_addresses_to_the_page(plan: Plan) -> None:
    known, found = page(hostile()), page(plan)
    assert found.tags <= known.tags
    assert found.attributes <= known.attributes
    assert not known.tags & {"script", "img", "svg", "iframe"}
    assert all(target.startswith("#") for target in (*known.targets, *found.targets))
    assert not any(key.startswith("on") or key == "style" for key in known.attributes)


@given(plan=plans)
@settings(max_examples=40, deadline=None)
def test_a_checklist_holds_no_link_image_or_markup_from_outside(plan: Plan) -> None:
    markdown = pytest.importorskip("markdown_it", reason="markdown-it-py is not installed").MarkdownIt
    for made in (plan, hostile()):
        for token in markdown("commonmark").parse(render_plan(made, "markdown").decode()):
            assert token.type not in ("html_block", "hr", "code_block")
            for child in token.children or []:
                assert child.type in ("text", "code_inline", "softbreak", "strong_open", "strong_close")
                if child.type == "text":
                    assert "@" not in child.content
                    assert "://" not in child.content


def test_a_command_is_quoted_for_a_shell_and_its_places_to_fill_in_are_not() -> None:
    assert command_line(Command(words=("mv", "-n", "--", "/a b/$(x)", "<CASE>/quarantine/"))) == (
        "mv -n -- '/a b/$(x)' <CASE>/quarantine/"
    )
    assert command_line(Command(words=("x", "<a>; rm -rf"))) == "x '<a>; rm -rf'"


def test_the_published_schema_is_that_of_the_model() -> None:
    assert plan_schema.PATH.read_text("utf-8") == plan_schema.text()


def test_a_receipt_keeps_to_the_schema() -> None:
    receipt = Receipt(
        schema="pratique.receipt/1", plan="sha256:0", step="a", outcome="begun", started="x", finished="y", who="z"
    )
    document = {"$ref": "#/$defs/Receipt", "$defs": plan_schema.schema()["$defs"]}
    Draft202012Validator(document).validate(json.loads(msgspec.json.encode(receipt)))


def test_a_real_plan_keeps_to_the_schema(tmp_path: Path) -> None:
    plan = compose(situation_of(examine(tmp_path, ("axios", "1.14.1"))))
    WHOLE.validate(json.loads(render_plan(plan, "json")))
    for form in FORMS:
        assert plan.digest in render_plan(plan, form).decode() or form == "json"


def test_a_suffix_chooses_the_form() -> None:
    assert [plan_form_of(name) for name in ("a.md", "b.HTML", "c.json", "d.txt")] == [
        "markdown",
        "html",
        "json",
        "text",
    ]
    with pytest.raises(UsageError):
        plan_form_of("plan.pdf")
