"""The public Python surface. What `__all__` names is kept stable; everything else may change.

A name is imported when it is first used, so that a command pays for what it needs alone.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pratique.behaviour.words import behaviour_rule_lines
    from pratique.casefile.case import Case
    from pratique.model.credential import ReachReport
    from pratique.model.detonation import Detonation
    from pratique.model.difference import ReleaseDifference
    from pratique.model.dossier import Dossier
    from pratique.model.errors import (
        CaseError,
        ConfigurationError,
        IncidentError,
        PlanError,
        PratiqueError,
        TargetError,
        UsageError,
    )
    from pratique.model.event import Watch
    from pratique.model.guarded import Guarded
    from pratique.model.incident import Incident
    from pratique.model.noticed import Noticed, Sums
    from pratique.model.plan import Plan
    from pratique.model.release import ReleaseReport
    from pratique.model.report import SCHEMA, Report
    from pratique.model.resolution import Resolutions
    from pratique.model.trust import TrustReport, TrustUpdate
    from pratique.releases.rules.words import rule_lines
    from pratique.report.applied import applied_lines
    from pratique.report.case_pages import pages as case_pages
    from pratique.report.case_timeline import rendered as case_timeline
    from pratique.report.detonation_html import detonation_html
    from pratique.report.detonation_json import detonation_json
    from pratique.report.detonation_text import detonation_lines
    from pratique.report.detonation_words import exit_code as detonation_exit_code
    from pratique.report.difference_html import difference_html
    from pratique.report.difference_json import difference_json
    from pratique.report.difference_sarif import difference_sarif
    from pratique.report.difference_text import difference_lines
    from pratique.report.difference_words import exit_code as difference_exit_code
    from pratique.report.guard_github import github_annotations as guard_annotations
    from pratique.report.guard_github import github_summary as guard_summary
    from pratique.report.guard_json import guard_json
    from pratique.report.guard_sarif import guard_sarif
    from pratique.report.guard_text import lines as guard_lines
    from pratique.report.inventory import bill as inventory_bill
    from pratique.report.inventory import lines as inventory_lines
    from pratique.report.plans import plan_form_of, plan_steps, render_plan
    from pratique.report.reach import reach_json, reach_lines, reach_markdown
    from pratique.report.release_html import release_html
    from pratique.report.release_json import exit_code as release_exit_code
    from pratique.report.release_json import release_json
    from pratique.report.release_sarif import release_sarif
    from pratique.report.release_text import release_lines
    from pratique.report.renderer import FORMATS, Renderer, for_file, renderer
    from pratique.report.resolutions import resolution_json, resolution_lines
    from pratique.report.trust import trust_json, trust_lines, update_lines
    from pratique.report.verification import verification_json, verification_lines
    from pratique.report.watch_text import begin_line as watch_begin_line
    from pratique.report.watch_text import lines as watch_lines
    from pratique.report.watch_text import sum_lines as watch_sum_lines
    from pratique.report.words import printable
    from pratique.version import VERSION
    from pratique.workflow.apply import Applied, ApplyRequest, apply, undo
    from pratique.workflow.behaviour_rules import (
        TriedEvents,
        behaviour_rules,
        lint_behaviour_rules,
        try_behaviour_rules,
    )
    from pratique.workflow.case import (
        Added,
        CaseStatus,
        add_evidence,
        add_note,
        case_status,
        new_case,
        open_case,
        record_done,
        record_report,
    )
    from pratique.workflow.case_export import export_case, verify_export
    from pratique.workflow.case_proof import CaseProof, SealProof, verify_case
    from pratique.workflow.case_seal import Sealed, attach_bundle, case_statement, seal_case
    from pratique.workflow.check import check
    from pratique.workflow.components import ComponentsRequest, Inventory, components
    from pratique.workflow.detonate import DetonateRequest, detonate
    from pratique.workflow.difference import DifferenceRequest, difference
    from pratique.workflow.doctor import Diagnosis, doctor
    from pratique.workflow.dossier import dossier
    from pratique.workflow.guard import guard
    from pratique.workflow.host import SweepRecord, gap_advice, host_target, record_sweeps
    from pratique.workflow.inspect import InspectRequest, inspect
    from pratique.workflow.library import incident_skeleton
    from pratique.workflow.machine import this_user
    from pratique.workflow.plan import PlanRequest, plan
    from pratique.workflow.reach import ReachRequest, reach
    from pratique.workflow.request import Acceptance, CheckRequest, TargetSpec, specify
    from pratique.workflow.resolve import Asked, ResolveRequest, asked_for, resolve
    from pratique.workflow.rules import Tried, rules_at_hand, try_rules
    from pratique.workflow.select import Selection, available, load_incident, select
    from pratique.workflow.selftest import Proof, selftest
    from pratique.workflow.trust import TrustRequest, trust
    from pratique.workflow.trust_update import UpdateRequest, update_trust
    from pratique.workflow.verify import VerifyRequest, verify
    from pratique.workflow.watch import WatchRequest, watch
    from pratique.workflow.watch_baseline import lint_baseline
    from pratique.workflow.watch_files import event_file, watch_json
    from pratique.workflow.watch_ingest import ingest
    from pratique.workflow.watch_learn import Learned, learn
    from pratique.workflow.watch_unit import unit as watch_unit

__all__ = [
    "FORMATS",
    "SCHEMA",
    "VERSION",
    "Acceptance",
    "Added",
    "Applied",
    "ApplyRequest",
    "Asked",
    "Case",
    "CaseError",
    "CaseProof",
    "CaseStatus",
    "CheckRequest",
    "ComponentsRequest",
    "ConfigurationError",
    "DetonateRequest",
    "Detonation",
    "Diagnosis",
    "DifferenceRequest",
    "Dossier",
    "Guarded",
    "Incident",
    "IncidentError",
    "InspectRequest",
    "Inventory",
    "Learned",
    "Noticed",
    "Plan",
    "PlanError",
    "PlanRequest",
    "PratiqueError",
    "Proof",
    "ReachReport",
    "ReachRequest",
    "ReleaseDifference",
    "ReleaseReport",
    "Renderer",
    "Report",
    "Resolutions",
    "ResolveRequest",
    "SealProof",
    "Sealed",
    "Selection",
    "Sums",
    "SweepRecord",
    "TargetError",
    "TargetSpec",
    "Tried",
    "TriedEvents",
    "TrustReport",
    "TrustRequest",
    "TrustUpdate",
    "UpdateRequest",
    "UsageError",
    "VerifyRequest",
    "Watch",
    "WatchRequest",
    "add_evidence",
    "add_note",
    "applied_lines",
    "apply",
    "asked_for",
    "attach_bundle",
    "available",
    "behaviour_rule_lines",
    "behaviour_rules",
    "case_pages",
    "case_statement",
    "case_status",
    "case_timeline",
    "check",
    "components",
    "detonate",
    "detonation_exit_code",
    "detonation_html",
    "detonation_json",
    "detonation_lines",
    "difference",
    "difference_exit_code",
    "difference_html",
    "difference_json",
    "difference_lines",
    "difference_sarif",
    "doctor",
    "dossier",
    "event_file",
    "export_case",
    "for_file",
    "gap_advice",
    "guard",
    "guard_annotations",
    "guard_json",
    "guard_lines",
    "guard_sarif",
    "guard_summary",
    "host_target",
    "incident_skeleton",
    "ingest",
    "inspect",
    "inventory_bill",
    "inventory_lines",
    "learn",
    "lint_baseline",
    "lint_behaviour_rules",
    "load_incident",
    "new_case",
    "open_case",
    "plan",
    "plan_form_of",
    "plan_steps",
    "printable",
    "reach",
    "reach_json",
    "reach_lines",
    "reach_markdown",
    "record_done",
    "record_report",
    "record_sweeps",
    "release_exit_code",
    "release_html",
    "release_json",
    "release_lines",
    "release_sarif",
    "render_plan",
    "renderer",
    "resolution_json",
    "resolution_lines",
    "resolve",
    "rule_lines",
    "rules_at_hand",
    "seal_case",
    "select",
    "selftest",
    "specify",
    "this_user",
    "trust",
    "trust_json",
    "trust_lines",
    "try_behaviour_rules",
    "try_rules",
    "undo",
    "update_lines",
    "update_trust",
    "verification_json",
    "verification_lines",
    "verify",
    "verify_case",
    "verify_export",
    "watch",
    "watch_begin_line",
    "watch_json",
    "watch_lines",
    "watch_sum_lines",
    "watch_unit",
]

_HOMES = {
    "Learned": ("pratique.workflow.watch_learn", "Learned"),
    "learn": ("pratique.workflow.watch_learn", "learn"),
    "lint_baseline": ("pratique.workflow.watch_baseline", "lint_baseline"),
    "ingest": ("pratique.workflow.watch_ingest", "ingest"),
    "Watch": ("pratique.model.event", "Watch"),
    "watch_begin_line": ("pratique.report.watch_text", "begin_line"),
    "watch_unit": ("pratique.workflow.watch_unit", "unit"),
    "watch_json": ("pratique.workflow.watch_files", "watch_json"),
    "event_file": ("pratique.workflow.watch_files", "event_file"),
    "watch": ("pratique.workflow.watch", "watch"),
    "WatchRequest": ("pratique.workflow.watch", "WatchRequest"),
    "watch_sum_lines": ("pratique.report.watch_text", "sum_lines"),
    "watch_lines": ("pratique.report.watch_text", "lines"),
    "Sums": ("pratique.model.noticed", "Sums"),
    "Noticed": ("pratique.model.noticed", "Noticed"),
    "DetonateRequest": ("pratique.workflow.detonate", "DetonateRequest"),
    "Detonation": ("pratique.model.detonation", "Detonation"),
    "detonate": ("pratique.workflow.detonate", "detonate"),
    "detonation_exit_code": ("pratique.report.detonation_words", "exit_code"),
    "detonation_html": ("pratique.report.detonation_html", "detonation_html"),
    "detonation_json": ("pratique.report.detonation_json", "detonation_json"),
    "detonation_lines": ("pratique.report.detonation_text", "detonation_lines"),
    "plan_steps": ("pratique.report.plans", "plan_steps"),
    "export_case": ("pratique.workflow.case_export", "export_case"),
    "verify_export": ("pratique.workflow.case_export", "verify_export"),
    "Applied": ("pratique.workflow.apply", "Applied"),
    "applied_lines": ("pratique.report.applied", "applied_lines"),
    "apply": ("pratique.workflow.apply", "apply"),
    "ApplyRequest": ("pratique.workflow.apply", "ApplyRequest"),
    "undo": ("pratique.workflow.apply", "undo"),
    "case_pages": ("pratique.report.case_pages", "pages"),
    "case_timeline": ("pratique.report.case_timeline", "rendered"),
    "Dossier": ("pratique.model.dossier", "Dossier"),
    "dossier": ("pratique.workflow.dossier", "dossier"),
    "Acceptance": ("pratique.workflow.request", "Acceptance"),
    "add_evidence": ("pratique.workflow.case", "add_evidence"),
    "add_note": ("pratique.workflow.case", "add_note"),
    "Added": ("pratique.workflow.case", "Added"),
    "Asked": ("pratique.workflow.resolve", "Asked"),
    "asked_for": ("pratique.workflow.resolve", "asked_for"),
    "attach_bundle": ("pratique.workflow.case_seal", "attach_bundle"),
    "available": ("pratique.workflow.select", "available"),
    "Case": ("pratique.casefile.case", "Case"),
    "case_statement": ("pratique.workflow.case_seal", "case_statement"),
    "case_status": ("pratique.workflow.case", "case_status"),
    "CaseError": ("pratique.model.errors", "CaseError"),
    "CaseProof": ("pratique.workflow.case_proof", "CaseProof"),
    "CaseStatus": ("pratique.workflow.case", "CaseStatus"),
    "check": ("pratique.workflow.check", "check"),
    "CheckRequest": ("pratique.workflow.request", "CheckRequest"),
    "components": ("pratique.workflow.components", "components"),
    "ComponentsRequest": ("pratique.workflow.components", "ComponentsRequest"),
    "ConfigurationError": ("pratique.model.errors", "ConfigurationError"),
    "Diagnosis": ("pratique.workflow.doctor", "Diagnosis"),
    "doctor": ("pratique.workflow.doctor", "doctor"),
    "for_file": ("pratique.report.renderer", "for_file"),
    "FORMATS": ("pratique.report.renderer", "FORMATS"),
    "Incident": ("pratique.model.incident", "Incident"),
    "host_target": ("pratique.workflow.host", "host_target"),
    "gap_advice": ("pratique.workflow.host", "gap_advice"),
    "record_sweeps": ("pratique.workflow.host", "record_sweeps"),
    "SweepRecord": ("pratique.workflow.host", "SweepRecord"),
    "incident_skeleton": ("pratique.workflow.library", "incident_skeleton"),
    "difference": ("pratique.workflow.difference", "difference"),
    "difference_exit_code": ("pratique.report.difference_words", "exit_code"),
    "difference_html": ("pratique.report.difference_html", "difference_html"),
    "difference_json": ("pratique.report.difference_json", "difference_json"),
    "difference_lines": ("pratique.report.difference_text", "difference_lines"),
    "difference_sarif": ("pratique.report.difference_sarif", "difference_sarif"),
    "DifferenceRequest": ("pratique.workflow.difference", "DifferenceRequest"),
    "ReleaseDifference": ("pratique.model.difference", "ReleaseDifference"),
    "inspect": ("pratique.workflow.inspect", "inspect"),
    "InspectRequest": ("pratique.workflow.inspect", "InspectRequest"),
    "IncidentError": ("pratique.model.errors", "IncidentError"),
    "Inventory": ("pratique.workflow.components", "Inventory"),
    "inventory_bill": ("pratique.report.inventory", "bill"),
    "inventory_lines": ("pratique.report.inventory", "lines"),
    "load_incident": ("pratique.workflow.select", "load_incident"),
    "new_case": ("pratique.workflow.case", "new_case"),
    "open_case": ("pratique.workflow.case", "open_case"),
    "Plan": ("pratique.model.plan", "Plan"),
    "plan": ("pratique.workflow.plan", "plan"),
    "plan_form_of": ("pratique.report.plans", "plan_form_of"),
    "PlanRequest": ("pratique.workflow.plan", "PlanRequest"),
    "render_plan": ("pratique.report.plans", "render_plan"),
    "PlanError": ("pratique.model.errors", "PlanError"),
    "PratiqueError": ("pratique.model.errors", "PratiqueError"),
    "printable": ("pratique.report.words", "printable"),
    "Proof": ("pratique.workflow.selftest", "Proof"),
    "record_done": ("pratique.workflow.case", "record_done"),
    "record_report": ("pratique.workflow.case", "record_report"),
    "reach": ("pratique.workflow.reach", "reach"),
    "rule_lines": ("pratique.releases.rules.words", "rule_lines"),
    "rules_at_hand": ("pratique.workflow.rules", "rules_at_hand"),
    "behaviour_rule_lines": ("pratique.behaviour.words", "behaviour_rule_lines"),
    "behaviour_rules": ("pratique.workflow.behaviour_rules", "behaviour_rules"),
    "lint_behaviour_rules": ("pratique.workflow.behaviour_rules", "lint_behaviour_rules"),
    "TriedEvents": ("pratique.workflow.behaviour_rules", "TriedEvents"),
    "try_behaviour_rules": ("pratique.workflow.behaviour_rules", "try_behaviour_rules"),
    "Guarded": ("pratique.model.guarded", "Guarded"),
    "guard": ("pratique.workflow.guard", "guard"),
    "guard_annotations": ("pratique.report.guard_github", "github_annotations"),
    "guard_json": ("pratique.report.guard_json", "guard_json"),
    "guard_lines": ("pratique.report.guard_text", "lines"),
    "guard_sarif": ("pratique.report.guard_sarif", "guard_sarif"),
    "guard_summary": ("pratique.report.guard_github", "github_summary"),
    "try_rules": ("pratique.workflow.rules", "try_rules"),
    "trust": ("pratique.workflow.trust", "trust"),
    "TrustRequest": ("pratique.workflow.trust", "TrustRequest"),
    "TrustReport": ("pratique.model.trust", "TrustReport"),
    "TrustUpdate": ("pratique.model.trust", "TrustUpdate"),
    "UpdateRequest": ("pratique.workflow.trust_update", "UpdateRequest"),
    "update_lines": ("pratique.report.trust", "update_lines"),
    "update_trust": ("pratique.workflow.trust_update", "update_trust"),
    "trust_json": ("pratique.report.trust", "trust_json"),
    "trust_lines": ("pratique.report.trust", "trust_lines"),
    "Tried": ("pratique.workflow.rules", "Tried"),
    "release_exit_code": ("pratique.report.release_json", "exit_code"),
    "release_html": ("pratique.report.release_html", "release_html"),
    "release_json": ("pratique.report.release_json", "release_json"),
    "release_lines": ("pratique.report.release_text", "release_lines"),
    "release_sarif": ("pratique.report.release_sarif", "release_sarif"),
    "ReleaseReport": ("pratique.model.release", "ReleaseReport"),
    "reach_json": ("pratique.report.reach", "reach_json"),
    "reach_lines": ("pratique.report.reach", "reach_lines"),
    "reach_markdown": ("pratique.report.reach", "reach_markdown"),
    "ReachReport": ("pratique.model.credential", "ReachReport"),
    "ReachRequest": ("pratique.workflow.reach", "ReachRequest"),
    "Renderer": ("pratique.report.renderer", "Renderer"),
    "renderer": ("pratique.report.renderer", "renderer"),
    "Report": ("pratique.model.report", "Report"),
    "resolution_json": ("pratique.report.resolutions", "resolution_json"),
    "resolution_lines": ("pratique.report.resolutions", "resolution_lines"),
    "Resolutions": ("pratique.model.resolution", "Resolutions"),
    "resolve": ("pratique.workflow.resolve", "resolve"),
    "ResolveRequest": ("pratique.workflow.resolve", "ResolveRequest"),
    "SCHEMA": ("pratique.model.report", "SCHEMA"),
    "seal_case": ("pratique.workflow.case_seal", "seal_case"),
    "Sealed": ("pratique.workflow.case_seal", "Sealed"),
    "SealProof": ("pratique.workflow.case_proof", "SealProof"),
    "select": ("pratique.workflow.select", "select"),
    "Selection": ("pratique.workflow.select", "Selection"),
    "selftest": ("pratique.workflow.selftest", "selftest"),
    "specify": ("pratique.workflow.request", "specify"),
    "TargetError": ("pratique.model.errors", "TargetError"),
    "TargetSpec": ("pratique.workflow.request", "TargetSpec"),
    "this_user": ("pratique.workflow.machine", "this_user"),
    "UsageError": ("pratique.model.errors", "UsageError"),
    "verify_case": ("pratique.workflow.case_proof", "verify_case"),
    "verification_json": ("pratique.report.verification", "verification_json"),
    "verification_lines": ("pratique.report.verification", "verification_lines"),
    "verify": ("pratique.workflow.verify", "verify"),
    "VerifyRequest": ("pratique.workflow.verify", "VerifyRequest"),
    "VERSION": ("pratique.version", "VERSION"),
}


def __getattr__(name: str) -> Any:
    """Import a public name on first use. Raises AttributeError for any other."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(home[0]), home[1])
    globals()[name] = value
    return value
