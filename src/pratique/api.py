"""The public Python surface. What `__all__` names is kept stable; everything else may change."""

from __future__ import annotations

from pratique.model.errors import ConfigurationError, IncidentError, PratiqueError, TargetError, UsageError
from pratique.model.incident import Incident
from pratique.model.report import SCHEMA, Report
from pratique.report.inventory import bill as inventory_bill
from pratique.report.inventory import lines as inventory_lines
from pratique.report.renderer import FORMATS, Renderer, for_file, renderer
from pratique.report.words import printable
from pratique.version import VERSION
from pratique.workflow.check import Acceptance, CheckRequest, TargetSpec, check, specify
from pratique.workflow.components import ComponentsRequest, Inventory, components
from pratique.workflow.doctor import Diagnosis, doctor
from pratique.workflow.library import incident_skeleton
from pratique.workflow.machine import this_user
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
