"""The published schema and reference of `pratique.report/1`, made from the model.

`python -m pratique.report.schema` writes both below docs/reference; with `--check` it says whether they are current.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from pratique.model import location, observation
from pratique.model import report as model
from pratique.report.ndjson import PARTS

IDENTIFIER = "urn:pratique:report:1"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
FOLDER = Path(__file__).resolve().parents[3] / "docs" / "reference"
_RECORDS = {"header": "Header", "coverage": "CoverageEntry"}
_LINES = {part.removesuffix("s"): "" for part in PARTS}


def schema() -> dict[str, Any]:
    """The JSON Schema of the JSON form; `$defs/Line` is that of a line of the NDJSON form."""
    (top,), definitions = msgspec.json.schema_components([model.Report], ref_template="#/$defs/{name}")
    for name, fields in _documented().items():
        for field, (_, text) in fields.items():
            if text and name in definitions and field in definitions[name].get("properties", {}):
                place = definitions[name]["properties"][field]
                definitions[name]["properties"][field] = (
                    {"allOf": [place], "description": text} if "$ref" in place else {**place, "description": text}
                )
    parts = definitions["Report"]["properties"]
    records = dict(_RECORDS)
    for part in PARTS:
        records[part.removesuffix("s")] = parts[part]["items"]["$ref"].rpartition("/")[2]
    definitions["End"] = {
        "title": "End",
        "description": "The last line of the NDJSON form.",
        "type": "object",
        "properties": {
            "next_steps": parts["next_steps"],
            "notes": parts["notes"],
            "exit_code": {"type": "integer", "enum": [0, 3, 4, 10, 11]},
        },
        "required": ["next_steps", "notes", "exit_code"],
    }
    records["end"] = "End"
    definitions["Line"] = {
        "title": "Line",
        "description": "One line of the NDJSON form.",
        "oneOf": [
            {
                "allOf": [{"$ref": f"#/$defs/{name}"}],
                "properties": {"record": {"const": record}},
                "required": ["record"],
            }
            for record, name in records.items()
        ],
    }
    return {
        "$schema": DIALECT,
        "$id": IDENTIFIER,
        "title": model.SCHEMA,
        "description": "The JSON form of a report of pratique.",
        **top,
        "$defs": dict(sorted(definitions.items())),
    }


def reference() -> str:
    """Every record and field, in Markdown."""
    lines = [
        "# The report",
        "",
        f"The JSON form of a report is one document, `{model.SCHEMA}`; its schema is",
        "[report.schema.json](report.schema.json). The NDJSON form holds the same records, one a line, each with",
        f"`record` naming its kind: {', '.join(f'`{name}`' for name in ('header', *_LINES, 'coverage', 'end'))}.",
        "",
        "Identifiers are digests of content. Times are ISO 8601 in UTC. Fields that hold their default may be left out",
        "where the table says so. Control, format and bidirectional characters stand escaped in every form.",
        "",
        "This page is made by `python -m pratique.report.schema` from the model; change that, not this.",
    ]
    structures = {
        name: getattr(module, name) for module in _MODULES for name in _order(module) if _struct(module, name)
    }
    documented = _documented()
    for name in _reachable(structures):
        structure = structures[name]
        lines += ["", f"## {name}", "", *_prose(structure), "", "| field | type | meaning |", "| --- | --- | --- |"]
        optional = structure.__struct_config__.omit_defaults
        for field in msgspec.structs.fields(structure):
            kind, text = documented[name].get(field.encode_name, ("", ""))
            left = " Left out where it holds its default." if optional and not field.required else ""
            cell = re.sub(r"tuple\[(\w+), \.\.\.\]", r"list of \1", kind).replace("|", "or")
            lines.append(
                f"| `{field.encode_name}` | `{cell}` | {text or _FALLBACK.get((name, field.name), '')}{left} |"
            )
    return "\n".join(lines) + "\n"


_MODULES: tuple[ModuleType, ...] = (model, location, observation)
_FALLBACK = {
    ("Location", "target"): "The target's URI.",
    ("Location", "path"): "Relative to the target, valid UTF-8, `/` between its parts.",
    ("Location", "path_bytes"): "The exact bytes in base64, where `path` could not hold them.",
    ("Location", "inside"): "The way into a container, outermost first.",
    ("Location", "line"): "Counted from 1.",
    ("Inside", "kind"): "What kind of step it is.",
    ("Inside", "id"): "What names the layer, commit or store row.",
    ("Inside", "path"): "The path inside it.",
    ("Time", "meaning"): "What the time says happened.",
    ("Time", "value"): "The time, ISO 8601 in UTC.",
    ("Time", "source"): "Where the time stands.",
}
"""Meanings of fields whose model states them in the docstring of the whole record."""


def _struct(module: ModuleType, name: str) -> bool:
    found = getattr(module, name, None)
    return isinstance(found, type) and issubclass(found, msgspec.Struct) and found.__module__ == module.__name__


def _order(module: ModuleType) -> list[str]:
    return [node.name for node in ast.parse(inspect.getsource(module)).body if isinstance(node, ast.ClassDef)]


def _reachable(structures: dict[str, Any]) -> list[str]:
    """The report first, then what it holds, in the order of its fields."""
    definitions = schema()["$defs"]
    found: list[str] = []
    queue = ["Report"]
    while queue:
        name = queue.pop(0)
        if name in found or name not in structures:
            continue
        found.append(name)
        text = json.dumps(definitions[name])
        queue += [part.partition('"')[0] for part in text.split("#/$defs/")[1:]]
    return found


def _prose(structure: Any) -> list[str]:
    return inspect.cleandoc(structure.__doc__ or "").splitlines()


def _documented() -> dict[str, dict[str, tuple[str, str]]]:
    """Type and docstring of every field, out of the model's source."""
    found: dict[str, dict[str, tuple[str, str]]] = {}
    for module in _MODULES:
        for node in ast.parse(inspect.getsource(module)).body:
            if not isinstance(node, ast.ClassDef):
                continue
            fields = found.setdefault(node.name, {})
            last = ""
            for item in node.body:
                if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                    last = item.target.id
                    fields[last] = (ast.unparse(item.annotation), "")
                elif isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant) and last:
                    fields[last] = (fields[last][0], " ".join(str(item.value.value).split()))
                else:
                    last = ""
    return found


def files() -> dict[Path, str]:
    """The generated files and what they must hold."""
    return {
        FOLDER / "report.schema.json": json.dumps(schema(), indent=2, ensure_ascii=False) + "\n",
        FOLDER / "report.md": reference(),
    }


def lines(document: dict[str, Any]) -> str:
    """A schema as the text of its file."""
    return json.dumps(document, indent=2) + "\n"


def keep(path: Path, text: str, module: str, arguments: list[str]) -> int:
    """Write one generated file, or with `--check` say on standard error that it is not current."""
    if "--check" not in arguments:
        path.write_text(text, "utf-8")
        return 0
    if path.is_file() and path.read_text("utf-8") == text:
        return 0
    sys.stderr.write(f"{path.name} is not current: run python -m {module}\n")
    return 1


def main(arguments: list[str]) -> int:
    """Write the files, or check them."""
    stale = 0
    for path, text in files().items():
        if "--check" in arguments:
            if not path.is_file() or path.read_text("utf-8") != text:
                sys.stderr.write(f"{path.name} is not current: run python -m pratique.report.schema\n")
                stale = 1
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
    return stale


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
