"""Stand-ins for what is asked about a machine: its address, and an incident with given indicators."""

from __future__ import annotations

import datetime
from typing import Any

import msgspec

from pratique import api
from pratique.model.incident import Incident, Indicator

URI = "host+file:///"
AXIOS = api.select(incidents=["axios-2026-03-31"], today=datetime.date(2026, 11, 20)).incidents[0]


def incident(*indicators: dict[str, Any]) -> Incident:
    made = tuple(
        msgspec.convert(
            {"id": f"i{number}", "confidence": "high", "meaning": "executed", "sources": ["a", "b"], **fields},
            Indicator,
        )
        for number, fields in enumerate(indicators)
    )
    return msgspec.structs.replace(AXIOS, id="standin", indicators=made, status="active")
