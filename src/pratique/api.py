"""The public Python surface. What `__all__` names is kept stable; everything else may change.

A name is imported when it is first used, so that a command pays for what it needs alone.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pratique.model.errors import ConfigurationError, IncidentError, PratiqueError, TargetError, UsageError
    from pratique.model.incident import Incident
    from pratique.model.report import SCHEMA, Report
    from pratique.report.inventory import bill as inventory_bill
    from pratique.report.inventory import lines as inventory_lines
    from pratique.report.renderer import FORMATS, Renderer, for_file, renderer
    from pratique.report.words import printable
    from pratique.version import VERSION
    from pratique.workflow.check import check
    from pratique.workflow.components import ComponentsRequest, Inventory, components
    from pratique.workflow.doctor import Diagnosis, doctor
    from pratique.workflow.library import incident_skeleton
    from pratique.workflow.machine import this_user
    from pratique.workflow.request import Acceptance, CheckRequest, TargetSpec, specify
    from pratique.workflow.select import Selection, available, load_incident, select
    from pratique.workflow.selftest import Proof, selftest

__all__ = [
    "FORMATS",
    "SCHEMA",
    "VERSION",
    "Acceptance",
    "CheckRequest",
    "ComponentsRequest",
    "ConfigurationError",
    "Diagnosis",
    "Incident",
    "IncidentError",
    "Inventory",
    "PratiqueError",
    "Proof",
    "Renderer",
    "Report",
    "Selection",
    "TargetError",
    "TargetSpec",
    "UsageError",
    "available",
    "check",
    "components",
    "doctor",
    "for_file",
    "incident_skeleton",
    "inventory_bill",
    "inventory_lines",
    "load_incident",
    "printable",
    "renderer",
    "select",
    "selftest",
    "specify",
    "this_user",
]

_HOMES = {
    "Acceptance": ("pratique.workflow.request", "Acceptance"),
    "CheckRequest": ("pratique.workflow.request", "CheckRequest"),
    "ComponentsRequest": ("pratique.workflow.components", "ComponentsRequest"),
    "ConfigurationError": ("pratique.model.errors", "ConfigurationError"),
    "Diagnosis": ("pratique.workflow.doctor", "Diagnosis"),
    "FORMATS": ("pratique.report.renderer", "FORMATS"),
    "Incident": ("pratique.model.incident", "Incident"),
    "IncidentError": ("pratique.model.errors", "IncidentError"),
    "Inventory": ("pratique.workflow.components", "Inventory"),
    "PratiqueError": ("pratique.model.errors", "PratiqueError"),
    "Proof": ("pratique.workflow.selftest", "Proof"),
    "Renderer": ("pratique.report.renderer", "Renderer"),
    "Report": ("pratique.model.report", "Report"),
    "SCHEMA": ("pratique.model.report", "SCHEMA"),
    "Selection": ("pratique.workflow.select", "Selection"),
    "TargetError": ("pratique.model.errors", "TargetError"),
    "TargetSpec": ("pratique.workflow.request", "TargetSpec"),
    "UsageError": ("pratique.model.errors", "UsageError"),
    "VERSION": ("pratique.version", "VERSION"),
    "available": ("pratique.workflow.select", "available"),
    "check": ("pratique.workflow.check", "check"),
    "components": ("pratique.workflow.components", "components"),
    "doctor": ("pratique.workflow.doctor", "doctor"),
    "for_file": ("pratique.report.renderer", "for_file"),
    "incident_skeleton": ("pratique.workflow.library", "incident_skeleton"),
    "inventory_bill": ("pratique.report.inventory", "bill"),
    "inventory_lines": ("pratique.report.inventory", "lines"),
    "load_incident": ("pratique.workflow.select", "load_incident"),
    "printable": ("pratique.report.words", "printable"),
    "renderer": ("pratique.report.renderer", "renderer"),
    "select": ("pratique.workflow.select", "select"),
    "selftest": ("pratique.workflow.selftest", "selftest"),
    "specify": ("pratique.workflow.request", "specify"),
    "this_user": ("pratique.workflow.machine", "this_user"),
}


def __getattr__(name: str) -> Any:
    """Import a public name on first use. Raises AttributeError for any other."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(home[0]), home[1])
    globals()[name] = value
    return value
