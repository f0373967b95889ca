"""The forms of a plan, by name and by the suffix of a file."""

from __future__ import annotations

from pratique.model.errors import UsageError
from pratique.model.plan import Plan

FORMS = ("brief", "text", "markdown", "html", "json")
_SUFFIXES = {".txt": "text", ".md": "markdown", ".html": "html", ".htm": "html", ".json": "json"}


def plan_form_of(path: str) -> str:
    """The form that a file's name asks for. Raises UsageError."""
    for suffix, form in _SUFFIXES.items():
        if path.lower().endswith(suffix):
            return form
    raise UsageError("its suffix names no form of a plan", where=path, advice=f"End it in {', '.join(_SUFFIXES)}")


def plan_steps(plan: Plan, names: tuple[str, ...]) -> bytes:
    """All that is known of single steps, by id or by the start of one. Raises UsageError where there is none."""
    from pratique.report.plan_brief import chosen_lines

    lines = list(chosen_lines(plan, names))
    if not lines:
        raise UsageError(f"the plan has no step {', '.join(names)}", advice="`pratique plan --format text` shows all")
    return "".join(f"{line}\n" for line in lines).encode()


def render_plan(plan: Plan, form: str) -> bytes:
    """A plan in one of its forms."""
    if form == "json":
        from pratique.report.plan_json import plan_json

        return plan_json(plan)
    if form == "html":
        from pratique.report.plan_html import plan_html

        return plan_html(plan)
    if form == "markdown":
        from pratique.report.plan_markdown import plan_markdown

        return "".join(f"{line}\n" for line in plan_markdown(plan)).encode()
    if form == "brief":
        from pratique.report.plan_brief import brief_lines

        return "".join(f"{line}\n" for line in brief_lines(plan)).encode()
    if form == "text":
        from pratique.report.plan_text import plan_lines

        return "".join(f"{line}\n" for line in plan_lines(plan)).encode()
    raise UsageError(f"there is no form {form!r} of a plan", advice=f"Choose one of {', '.join(FORMS)}")
