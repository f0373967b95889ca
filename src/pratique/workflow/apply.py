"""Carry out a plan that was shown, step by step with receipts, and undo it.

A plan file is input from outside: its digest must be the one that a person confirms, each step may only touch places of
its kind, and every condition is tested right before the step. A receipt is written before anything changes and after
it; a run that was killed in between is gone on with by the next one. Nothing here starts a program or uses a network,
git aside, which is asked for the newest commit of a file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from pratique.adapters import checkout, clock, disk, machine
from pratique.adapters.apply import steps as hands
from pratique.adapters.apply.answers import Failed, Refused
from pratique.adapters.apply.folders import alone
from pratique.adapters.apply.places import allowed
from pratique.adapters.apply.receipts import add_line, lines
from pratique.model.case import CaseFile
from pratique.model.errors import CaseError, PlanError, UsageError
from pratique.model.plan import RECEIPT, SCHEMA, Edit, Manual, Plan, Precondition, Quarantine, Receipt, Step, patched
from pratique.model.ports import Unreadable
from pratique.respond.edits import edit
from pratique.workflow.switch import swept

LARGEST_PLAN = 256 << 20
ALLOWANCES = ("unsafe", "unsealed", "uncommitted", "payload")
"""What a person may allow beyond the plan: unsafe steps; to work without a sealed case; to change a file that was
changed and not committed; with undo, to put a quarantined payload back where it lay."""
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")

Outcome = Literal["done", "already", "by-hand", "left", "refused", "failed", "undone"]


class ApplyRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is applied or undone."""

    plan: str
    """Path of the JSON form of the plan."""
    confirm: str
    """The digest that was shown."""
    case: str | None = None
    key: Path | None = None
    """The key of the case, where it does not lie in its usual place."""
    allow: frozenset[str] = frozenset()
    steps: tuple[str, ...] = ()
    """Ids of the steps to do; empty: all."""


class StepOutcome(msgspec.Struct, frozen=True):
    """What became of one step."""

    step: str
    title: str
    outcome: Outcome
    message: str = ""


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a plan."""

    digest: str
    outcomes: tuple[StepOutcome, ...]
    not_reached: int = 0
    """How many steps were not tried, since one before them was refused or failed."""
    held_back: int = 0
    records: str
    """Where the receipts are."""

    @property
    def exit_code(self) -> int:
        """0 all done · 4 something was left or is held back · 5 a step was refused or failed."""
        outcomes = {item.outcome for item in self.outcomes}
        if outcomes & {"refused", "failed"}:
            return 5
        return 4 if "left" in outcomes or self.held_back else 0


class _Records(Protocol):
    """Where receipts are kept."""

    place: str
    quarantine: str
    case: CaseFile | None

    def receipts(self) -> Iterator[Receipt]: ...

    def write(self, receipt: Receipt) -> None: ...


def apply(request: ApplyRequest) -> Applied:
    """Do the steps of a plan. Raises UsageError, PlanError, CaseError: then nothing was changed."""
    return _run(request, _Apply)


def undo(request: ApplyRequest) -> Applied:
    """Undo the steps of a plan, last first. Raises UsageError, PlanError, CaseError."""
    return _run(request, _Undo)


def _run(request: ApplyRequest, kind: Callable[[ApplyRequest, Plan, _Records], _Apply | _Undo]) -> Applied:
    plan = load(request)
    with ExitStack() as stack:
        records = _records(request, plan, stack)
        try:
            stack.enter_context(alone(records.quarantine))
        except Refused as error:
            raise PlanError(error.reason, where=request.plan) from None
        except Failed as error:
            raise PlanError(f"no quarantine can be made: {error.reason}", where=request.plan) from None
        return kind(request, plan, records).run()


def load(request: ApplyRequest) -> Plan:
    """Read a plan, and refuse what was not shown or may not be carried out. Raises UsageError and PlanError."""
    wrong = sorted(request.allow - {*ALLOWANCES})
    if wrong:
        raise UsageError(f"is none of {', '.join(ALLOWANCES)}", where=f"--allow {wrong[0]}")
    if not _DIGEST.fullmatch(request.confirm):
        raise UsageError("is no digest of a plan", where="--confirm", advice="It stands at the end of the plan's text")
    try:
        content, _ = disk.read(os.path.realpath(request.plan), LARGEST_PLAN)
        plan = msgspec.json.decode(content, type=Plan)
    except Unreadable as error:
        raise UsageError(f"cannot be read: {error.reason}", where=request.plan) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise PlanError(f"is no plan: {error}", where=request.plan) from None
    if plan.schema != SCHEMA:
        raise PlanError(f"is of {plan.schema!r}, not of {SCHEMA}", where=request.plan)
    if plan.digest != request.confirm:
        raise PlanError(
            f"has the digest {plan.digest}, which is not the one that was confirmed",
            where=request.plan,
            advice="Read the plan again, and confirm what it says now",
        )
    if plan.host != clock.host():
        raise PlanError(f"is for {plan.host}, and this is {clock.host()}", where=request.plan, advice="Plan here")
    names = [step.id for step in plan.steps]
    if len(set(names)) != len(names):
        raise PlanError("names a step twice", where=request.plan)
    unknown = sorted(set(request.steps) - set(names))
    if unknown:
        raise UsageError(f"the plan has no step {unknown[0]!r}", where="--step")
    for step in plan.steps:
        reason = _unfit(step)
        if reason is not None:
            raise PlanError(f"{step.id}: {reason}", where=request.plan, advice="Nothing was changed")
    return plan


def _unfit(step: Step) -> str | None:
    """Why a step may never be carried out; None where nothing in it speaks against it."""
    if isinstance(step.action, Manual):
        return None if step.disposition == "manual" else "says that it is no work for a person and is nothing else"
    if step.disposition == "manual":
        return "is for a person and says what a program would do"
    reason = allowed(step.action)
    if reason is not None:
        return f"{step.action.path} {reason}"
    if isinstance(step.action, Quarantine):
        return None if _DIGEST.fullmatch(step.action.digest) else "names no digest"
    at = 0
    for hunk in step.action.hunks:
        if hunk.offset < at:
            return "its hunks are not in order"
        at = hunk.offset + len(hunk.remove)
    if step.action.before == step.action.after:
        return "changes nothing"
    if step.action.before is None:
        try:
            made = patched(b"", step.action.hunks)
        except ValueError:
            return "its hunks do not give what it says"
        return None if disk.of(made) == step.action.after else "its hunks do not give what it says"
    return None


# --- receipts ------------------------------------------------------------------------------------------------------


def _records(request: ApplyRequest, plan: Plan, stack: ExitStack) -> _Records:
    if request.case is None:
        if plan.case:
            raise PlanError("belongs to a case", where=request.plan, advice="Name the case with --case")
        return _Beside(os.path.realpath(request.plan))
    from pratique.workflow.case import open_case

    case = stack.enter_context(open_case(Path(os.path.realpath(request.case)), key=request.key))
    if plan.case != case.id:
        raise PlanError(
            f"belongs to {'the case ' + plan.case if plan.case else 'no case'}",
            where=request.plan,
            advice="Make it with --case",
        )
    return _InCase(case)


class _InCase:
    """Receipts in the journal of a case."""

    def __init__(self, case: CaseFile) -> None:
        self.case: CaseFile | None = case
        self._case = case
        self.quarantine = os.path.realpath(case.quarantine)
        self.place = case.folder

    def receipts(self) -> Iterator[Receipt]:
        """Every receipt, in order."""
        for entry in self._case.entries("receipt"):
            try:
                yield msgspec.convert(entry.body, Receipt)
            except msgspec.ValidationError:
                raise CaseError(f"entry {entry.number} holds no receipt that is understood", where=self.place) from None

    def write(self, receipt: Receipt) -> None:
        """Write one; it is durable when this returns."""
        self._case.append("receipt", receipt)


class _Beside:
    """Receipts in a file beside the plan, one a line, and a quarantine beside it."""

    def __init__(self, plan: str) -> None:
        self.case: CaseFile | None = None
        self.place = f"{plan}.receipts.ndjson"
        self.quarantine = f"{plan}.quarantine"

    def receipts(self) -> Iterator[Receipt]:
        """Every receipt, in order. The last line of a run that was killed may be cut; it is left out."""
        for line in lines(self.place):
            try:
                yield msgspec.json.decode(line, type=Receipt)
            except (msgspec.DecodeError, UnicodeDecodeError):
                raise PlanError(
                    "holds a line that is no receipt", where=self.place, advice="Restore it from a copy"
                ) from None

    def write(self, receipt: Receipt) -> None:
        """Write one; it is durable when this returns. Raises Failed."""
        add_line(self.place, msgspec.json.encode(receipt))


# --- runs ----------------------------------------------------------------------------------------------------------


class _Run:
    def __init__(self, request: ApplyRequest, plan: Plan, records: _Records) -> None:
        self.request = request
        self.plan = plan
        self.records = records
        self.digest = plan.digest
        self.last: dict[str, Receipt] = {}
        for receipt in records.receipts():
            if receipt.plan == self.digest:
                self._count(receipt)
        self.outcomes: list[StepOutcome] = []
        self.who = f"{machine.account()}@{clock.host()}"

    def place(self, step: Step) -> str:
        """The step's own folder in the quarantine: nothing that a receipt says decides it."""
        name = re.sub(r"[^A-Za-z0-9.-]", "_", step.id)[:80]
        return f"{self.records.quarantine}/{self.digest[7:23]}/{name}-{disk.of(step.id.encode())[7:15]}"

    def told(self, step: Step, outcome: Outcome, message: str = "") -> None:
        """Note what became of a step."""
        self.outcomes.append(StepOutcome(step.id, step.title, outcome, message))

    def receipt(self, step: Step, outcome: str, started: str, **more: str | None) -> None:
        """Write a receipt. Raises CaseError and Failed."""
        made = Receipt(
            schema=RECEIPT,
            plan=self.digest,
            step=step.id,
            outcome=outcome,  # type: ignore[arg-type]  # one of the kinds
            started=started,
            finished=clock.iso(clock.now()),
            who=self.who,
            before=more.get("before"),
            after=more.get("after"),
            kept=more.get("kept"),
            message=more.get("message") or "",
        )
        self.records.write(made)
        self._count(made)

    def _count(self, receipt: Receipt) -> None:
        """Take a receipt into account. One that was refused or failed says nothing new of the world."""
        if receipt.outcome not in ("refused", "failed"):
            self.last[receipt.step] = receipt

    def ended(self, step: Step, started: str, outcome: Literal["refused", "failed"], reason: str) -> None:
        """Note a step that was not done, also where its receipt cannot be written any more."""
        try:
            self.receipt(step, outcome, started, message=reason)
        except (CaseError, Failed) as error:
            reason = f"{reason}; and no receipt could be written: {error}"
        self.told(step, outcome, reason)

    def chosen(self, step: Step) -> bool:
        """Whether a step was asked for."""
        return not self.request.steps or step.id in self.request.steps

    def done(self, name: str) -> bool:
        """Whether a step has a receipt that it was done."""
        return name in self.last and self.last[name].outcome in ("done", "by-hand")

    def finished(self, steps: tuple[Step, ...]) -> Applied:
        """The answer; steps that were not reached are counted."""
        tried = {item.step for item in self.outcomes}
        return Applied(
            digest=self.digest,
            outcomes=tuple(self.outcomes),
            not_reached=sum(
                self.chosen(step) and step.id not in tried and not isinstance(step.action, Manual) for step in steps
            ),
            held_back=max((item.count for item in self.plan.held_back), default=0),
            records=self.records.place,
        )


class _Apply(_Run):
    def run(self) -> Applied:
        """Do the steps, in order, up to the first that is refused or fails."""
        for step in self.plan.steps:
            if not self.chosen(step):
                continue
            if isinstance(step.action, Manual):
                done = self.done(step.id)
                self.told(step, "already" if done else "by-hand", self.last[step.id].message if done else "")
            elif step.disposition == "unsafe" and "unsafe" not in self.request.allow and not self.done(step.id):
                self.told(step, "left", "needs --allow unsafe: read what it touches first")
            elif not self._do(step, step.action):
                break
        return self.finished(self.plan.steps)

    def _do(self, step: Step, action: Edit | Quarantine) -> bool:
        """Do one step; whether the next may follow."""
        started = clock.iso(clock.now())
        place = self.place(step)
        begun = step.id in self.last and self.last[step.id].outcome == "begun"
        try:
            there = hands.state(action, place)
            if self.done(step.id):
                if there.state == "after" or self._edited_further(step, action, there.there):
                    self.told(step, "already", self.last[step.id].message)
                    return True
                raise Refused(
                    f"{action.path}: was done, and changed since: "
                    + (f"it is {there.there} now" if there.there else "it is gone")
                )
            if there.state == "between" and not begun:
                raise Refused(f"{action.path}: is there again since it was moved; check again, and plan anew")
            if there.state == "after":
                hands.tidy(action, place)
                message = "finished by an earlier run that ended early" if begun else "was so already"
                kept = f"{place}/before" if begun else None
                self.receipt(step, "done", started, before=there.there, after=there.there, kept=kept, message=message)
                self.told(step, "done" if begun else "already", message)
                return True
            if there.state == "changed":
                raise Refused(
                    f"{action.path}: "
                    + (f"changed since the plan was made: it is {there.there} now" if there.there else "is gone")
                )
            if there.state == "before":
                self._test(step, action)
                if isinstance(action, Edit):
                    _as_shown(action)
            self.receipt(step, "begun", started, before=there.there)
            changed = hands.carry_out(action, place)
            self.receipt(
                step,
                "done",
                started,
                before=changed.before,
                after=changed.after,
                kept=changed.kept,
                message=changed.message,
            )
        except Refused as error:
            self.ended(step, started, "refused", error.reason)
            return False
        except (Failed, CaseError) as error:
            self.ended(step, started, "failed", str(error))
            return False
        self.told(step, "done", changed.message)
        return True

    def _edited_further(self, step: Step, action: Edit | Quarantine, there: str | None) -> bool:
        """Whether a later step of the plan changed the same file after this one, and that still stands."""
        return isinstance(action, Edit) and any(
            isinstance(other.action, Edit)
            and other.action.path == action.path
            and other.action.after == there
            and other.id in self.last
            and self.last[other.id].outcome in ("done", "begun")
            for other in self.plan.steps
            if other.id != step.id
        )

    def _test(self, step: Step, action: Edit | Quarantine) -> None:
        """Test every condition of a step. Raises Refused."""
        inside = f"{os.path.normpath(self.records.quarantine)}/"
        if f"{action.path}/".startswith(inside) or inside.startswith(f"{action.path}/"):
            raise Refused(f"{action.path}: holds, or lies in, the quarantine")
        by_id = {other.id: other for other in self.plan.steps}
        for name in step.after:
            other = by_id.get(name)
            if other is not None and not isinstance(other.action, Manual) and not self.done(name):
                raise Refused(f"comes after {name}, which is not done")
        conditions = [*step.preconditions]
        if all(item.kind != "sealed" for item in conditions):
            conditions.append(Precondition(kind="sealed", words="The case is sealed."))
        for item in conditions:
            reason = self._open(step, action, item)
            if reason:
                raise Refused(reason)

    def _open(self, step: Step, action: Edit | Quarantine, item: Precondition) -> str:
        """Why a condition does not hold; empty where it does."""
        case = self.records.case
        if item.kind == "sealed":
            if "unsealed" in self.request.allow or (case is not None and case.sealed):
                return ""
            if case is None:
                return "there is no case, so no evidence is sealed; name one with --case, or --allow unsealed"
            return "the case is not sealed, or something was added since; run: pratique case seal"
        if item.kind == "swept":
            if case is not None and swept(case, item.incident):
                return ""
            return f"no record says that the dead man's switch of {item.incident} is gone"
        if item.kind == "done":
            return "" if self.done(item.step) else f"{item.step} has no receipt: do it, and record it"
        if item.kind == "rebuilt":
            return "it is for a machine that was rebuilt, and no receipt says so"
        if item.kind == "uncommitted" and isinstance(action, Edit) and action.before is not None:
            return self._uncommitted(step, action)
        return ""  # digest and absent were tested with the state

    def _uncommitted(self, step: Step, action: Edit) -> str:
        """Why a file may not be edited, where it holds a change of somebody's that no commit has."""
        ours = any(
            isinstance(other.action, Edit) and other.action.path == action.path and self.done(other.id)
            for other in self.plan.steps
            if other.id != step.id
        )
        if ours or "uncommitted" in self.request.allow:
            return ""
        try:
            content, _ = disk.read(action.path)
        except Unreadable as error:
            return f"{action.path}: {error.reason}"
        if checkout.uncommitted(action.path, content):
            return f"{action.path} holds a change that is not committed; commit it, or --allow uncommitted"
        return ""


def _as_shown(action: Edit) -> None:
    """Raises Refused where the change that the plan shows to people is not the one that its hunks make."""
    try:
        content = disk.read(action.path)[0] if action.before is not None else None
        made = patched(content or b"", action.hunks)
    except Unreadable as error:
        raise Refused(f"{action.path}: {error.reason}") from None
    except ValueError as error:
        raise Refused(f"{action.path}: {error}") from None
    if edit(action.path, content, made).diff != action.diff:
        raise Refused(f"{action.path}: the plan shows another change than it would make; make the plan anew")


class _Undo(_Run):
    def run(self) -> Applied:
        """Undo the steps that were done, last first, up to the first that is refused or fails."""
        steps = tuple(reversed(self.plan.steps))
        for step in steps:
            if not self.chosen(step) or isinstance(step.action, Manual):
                continue
            last = self.last.get(step.id)
            if last is None or last.outcome not in ("done", "begun"):
                continue
            if last.outcome == "done" and last.before == last.after and last.kept is None:
                self.told(step, "already", "it was so before the plan; nothing to undo")
            elif isinstance(step.action, Quarantine) and "payload" not in self.request.allow:
                self.told(step, "left", f"stays in quarantine: --allow payload puts it back at {step.action.path}")
            elif not self._undo(step, step.action):
                break
        return self.finished(())

    def _undo(self, step: Step, action: Edit | Quarantine) -> bool:
        started = clock.iso(clock.now())
        place = self.place(step)
        try:
            there = hands.state(action, place)
            if there.state == "before":
                hands.tidy(action, place)
                self.receipt(step, "undone", started, before=there.there, after=there.there, message="was so already")
                self.told(step, "undone", "")
                return True
            if there.state == "changed":
                raise Refused(
                    f"{action.path}: changed since the step was done: "
                    + (f"it is {there.there} now" if there.there else "it is gone")
                )
            if there.state == "between" and self.last[step.id].outcome != "begun":
                raise Refused(f"{action.path}: is there again since it was moved; the kept copy is left alone")
            self.receipt(step, "begun", started, before=there.there)
            changed = hands.take_back(action, place)
            warning = (
                f"A PAYLOAD IS BACK on a path that is used: {action.path}" if isinstance(action, Quarantine) else ""
            )
            message = "; ".join(text for text in (warning, changed.message) if text)
            self.receipt(step, "undone", started, before=changed.before, after=changed.after, message=message)
        except Refused as error:
            self.ended(step, started, "refused", error.reason)
            return False
        except (Failed, CaseError) as error:
            self.ended(step, started, "failed", str(error))
            return False
        self.told(step, "undone", message)
        return True
