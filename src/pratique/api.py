"""The public Python surface. What `__all__` names is kept stable; everything else may change."""

from __future__ import annotations

from pratique.model.errors import ConfigurationError, IncidentError, PratiqueError, TargetError, UsageError
from pratique.model.incident import Incident
from pratique.model.report import SCHEMA, Report
from pratique.report.renderer import FORMATS, Renderer, for_file, renderer
from pratique.version import VERSION
from pratique.workflow.check import Acceptance, CheckRequest, TargetSpec, check, specify
from pratique.workflow.library import incident_skeleton
from pratique.workflow.machine import this_user
from pratique.workflow.select import Selection, available, load_incident, select

__all__ = [
    "FORMATS",
    "SCHEMA",
    "VERSION",
    "Acceptance",
    "CheckRequest",
    "ConfigurationError",
    "Incident",
    "IncidentError",
    "PratiqueError",
    "Renderer",
    "Report",
    "Selection",
    "TargetError",
    "TargetSpec",
    "UsageError",
    "available",
    "check",
    "for_file",
    "incident_skeleton",
    "load_incident",
    "renderer",
    "select",
    "specify",
    "this_user",
]
