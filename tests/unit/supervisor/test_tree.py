"""Processes that were seen: a number that is given anew is another process, and who comes from a package stays so."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest

from pratique.adapters.supervisor.tree import Tree
from pratique.model.event import Cause

CAUSE = Cause("npm", "anchor", "1.0.0", "postinstall", "environment")


@pytest.fixture
def processes() -> Iterator[list[subprocess.Popen[bytes]]]:
    found = [subprocess.Popen(["sleep", "30"]) for _ in range(2)]
    yield found
    for one in found:
        one.kill()
        one.wait()


def test_a_number_that_is_given_anew_is_another_process(processes: list[subprocess.Popen[bytes]]) -> None:
    first, second = (one.pid for one in processes)
    tree = Tree(os.getppid())
    package, manager = tree.of(first), tree.of(second)
    package.cause = CAUSE
    tree.bind(package, "anchor")
    assert tree.of(second) is manager
    # As it is when the manager's process has ended, and a process of the package is given its number.
    manager.ticks, tree._began[second] = "1", "1"  # what is looked up of it says when it began
    anew = tree.of(second)
    assert anew is not manager
    assert tree.of(second) is anew


def test_what_comes_from_a_package_stays_so(processes: list[subprocess.Popen[bytes]]) -> None:
    first, second = (one.pid for one in processes)
    tree = Tree(os.getpid())
    package = tree.of(first)  # the first that is seen is the command
    package.cause = CAUSE
    tree.bind(package, "anchor")
    package.cause = None
    assert package.bound == {"anchor"}
    # Its parent is the supervisor: who made it cannot be told, so it is the package's.
    adopted = tree.of(second)
    assert adopted.bound == {"anchor"}
    assert adopted.cause == Cause("npm", "anchor", "1.0.0", "postinstall", "unknown")


def test_where_no_package_ran_nothing_is_of_one(processes: list[subprocess.Popen[bytes]]) -> None:
    first, second = (one.pid for one in processes)
    tree = Tree(os.getpid())
    tree.of(first)
    assert tree.of(second).bound == frozenset()
    assert tree.of(second).cause is None
