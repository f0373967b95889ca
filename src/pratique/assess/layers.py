"""Images: which records belong to a folder as of a layer, and how what became of a file is told.

A layer holds only what its step changed: the record that says what was installed may lie in one layer, the folder that
contradicts it in a later one. So the second look is asked, for each layer that says something of a folder, which of
all records an image of the layers up to there still shows.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from pratique.model.location import Inside, Location
from pratique.model.observation import ComponentFact, FolderFact, LayerFact, Observation, Question, RangeFact

_MANIFEST = "package.json"
"""A package's folder is another one once this file in it is."""


def layer_of(location: Location) -> Inside | None:
    """The layer that something lies in itself; None for what lies in an archive there, or in no layer."""
    if len(location.inside) == 1 and location.inside[0].kind == "layer":
        return location.inside[0]
    return None


def with_records(questions: Iterable[Question], observations: Iterable[Observation]) -> list[Question]:
    """The questions about folders in layers, each with the paths of all records that may speak of its folder."""
    records: dict[tuple[str, str], set[str]] = {}
    for item in observations:
        if isinstance(item.facts, ComponentFact | RangeFact) and layer_of(item.location) is not None:
            records.setdefault((item.location.target, item.facts.name), set()).add(item.location.path)
    found = []
    for question in questions:
        if question.kind == "folder" and len(question.inside) == 1 and question.inside[0].kind == "layer":
            beside = {path for name in question.names for path in records.get((question.target, name), ())}
            question = msgspec.structs.replace(question, beside=tuple(sorted(beside)))
        found.append(question)
    return found


def folder_places(questions: Iterable[Question]) -> list[Question]:
    """What became of each folder in a layer that is asked about."""
    return [
        Question("history", question.target, question.path, (_MANIFEST,), expected="folder", inside=question.inside)
        for question in questions
        if question.kind == "folder" and len(question.inside) == 1 and question.inside[0].kind == "layer"
    ]


def shown_beside(state: Observation, item: Observation) -> bool:
    """Whether a record is one that the image shows as of the layer of a folder's state; true outside of images."""
    layer = layer_of(state.location)
    if layer is None or not isinstance(state.facts, FolderFact):
        return True
    own = layer_of(item.location)
    return own is not None and Inside("layer", own.id, item.location.path) in state.facts.beside


def words(fact: LayerFact) -> str:
    """What became of a file in an image."""
    if fact.referenced:
        said = [f"in layer {fact.index + 1} of {fact.layers}"]
    else:
        said = [f"in layer {fact.index + 1} of {fact.layers} of an image that no tag names any more"]
    if fact.base:
        said[0] += f" (of its base image{f' {fact.base_name}' if fact.base_name else ''})"
    if fact.gone_in is not None:
        said.append(f"{fact.gone_how or 'deleted'} in layer {fact.gone_in + 1}, still pullable")
    elif not fact.whole:
        said.append("a later layer could not be read")
    if fact.created_by:
        said.append(f"made by: {fact.created_by[:120]}")
    if len(fact.images) > 1 and fact.shown_by and len(fact.shown_by) < len(fact.images):
        said.append(f"still shown by {_some(fact.shown_by)} of {_some(fact.images)}")
    elif len(fact.images) > 1:
        said.append(f"the layer is in {_some(fact.images)}")
    return "; ".join(said)


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
