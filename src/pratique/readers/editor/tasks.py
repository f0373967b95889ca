"""Tasks of VS Code and its relatives that run when a folder is opened: .vscode/tasks.json.

## Reads
JSON with comments, version 2.0.0: every task whose `runOptions.runOn` is anything but `default`, with the tasks it
depends on, their commands for each system taken apart: program and script files. Digest, name and text of the file are
compared with those that incidents list.

## Leaves out
Arguments, and tasks that a person starts. Whether the editor asks first: `task.allowAutomaticTasks` and the trust in
the workspace decide that on each machine. Files below `node_modules`.

## References
VS Code documentation "Integrate with External Tools via Tasks", "Run behavior"; vscode,
src/vs/workbench/contrib/tasks/browser/runAutomaticTasks.ts.
"""

from __future__ import annotations

from collections.abc import Iterator

from pratique.model.observation import Observation, Refusal
from pratique.model.ports import Artifact, Interest, Reader
from pratique.readers.editor.configuration import tasks, told


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield what runs by itself. Raises Unreadable."""
    yield from told(artifact, interest, READER.name, tasks)


READER = Reader(
    name="editor-tasks",
    ecosystem="npm",
    read=read,
    basenames=("tasks.json",),
    folders=((".vscode",),),
    outside=("node_modules",),
    relevance="never",
    resolves=False,
    doors=("files", "host"),
)
