"""Whose reach is asked for: this account, another of this machine, or one of a mounted disk."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from pratique.adapters import accounts
from pratique.model.errors import TargetError, UsageError
from pratique.targets.reach_places import Account, Platform

if TYPE_CHECKING:
    from pratique.workflow.reach import ReachRequest

_PLATFORMS: dict[str, Platform] = {"win32": "windows", "cygwin": "windows", "darwin": "macos"}


def account_of(request: ReachRequest, notes: list[str]) -> Account:
    """The account of a request. Raises UsageError and TargetError."""
    own = accounts.own()
    platform = _PLATFORMS.get(sys.platform, "linux")
    if request.root is not None:
        return _on_disk(request.root, request.user)
    if request.user is not None and request.user != own.name:
        record = accounts.named(request.user)
        if record is None or record.home is None:
            raise UsageError("is no account of this machine", where=f"--user {request.user}")
        home = request.home or record.home
        notes.append("Variables of another account's processes are not those of this one: not looked at")
        return Account(name=record.name, home=home, platform=platform, uid=record.uid, groups=record.groups, live=True)
    home = request.home or own.home or ""
    if not home:
        raise TargetError("this account has no home folder here", advice="Name one with --home DIR")
    return Account(
        name=own.name, home=os.path.abspath(home), platform=platform, uid=own.uid, groups=own.groups, live=True
    )


def _on_disk(root: str, name: str | None) -> Account:
    from pratique.targets.mounted import recognise

    if name is None:
        raise UsageError("needs --user NAME", where=f"--root {root}")
    if not os.path.isdir(root):
        raise TargetError("is no folder", where=root)
    root = os.path.realpath(root)
    for user in recognise(root).users:
        if user.name == name:
            uid, groups = _numbers(root, user.name)
            return Account(
                name=user.name,
                home=os.path.join(root, user.home),
                world=root,
                platform=user.platform,
                uid=uid,
                groups=groups,
                live=False,
            )
    raise TargetError(f"holds no user {name}", where=root)


def _numbers(root: str, name: str) -> tuple[int | None, tuple[int, ...]]:
    """User and group numbers of an account, by the lists of the disk itself."""
    from pratique.model.ports import Unreadable
    from pratique.targets.boundaries import resolve
    from pratique.targets.files import read_regular

    def lines(path: str) -> list[list[str]]:
        real = resolve(root, path)
        try:
            content = read_regular(real, 1 << 20)[0] if real is not None else b""
        except Unreadable:
            return []
        return [line.split(":") for line in content.decode("utf-8", "replace").splitlines()]

    for parts in lines("etc/passwd"):
        if len(parts) >= 4 and parts[0] == name and parts[2].isdecimal() and parts[3].isdecimal():
            groups = [int(parts[3])]
            for group in lines("etc/group"):
                if len(group) >= 4 and group[2].isdecimal() and name in group[3].split(","):
                    groups.append(int(group[2]))
            return int(parts[2]), tuple(dict.fromkeys(groups))
    return None, ()
