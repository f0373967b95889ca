"""What could it reach: the credentials that an account, or a job, could read. Where they are, never what they are."""

from __future__ import annotations

import datetime
import hashlib
import hmac
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from pratique.adapters import accounts, clock
from pratique.adapters.apart import apart
from pratique.assess import reach as judged
from pratique.ecosystems.actions.names import EVERY_SECRET
from pratique.model.credential import SCHEMA, Credential, CredentialFact, ReachAsked, ReachRefusal, ReachReport
from pratique.model.errors import TargetError
from pratique.model.incident import Incident
from pratique.readers.credentials import table as tables
from pratique.readers.credentials import tokens
from pratique.readers.credentials.contract import Fingerprint, Row, Secret
from pratique.readers.credentials.held import matches
from pratique.readers.credentials.material import is_open_name
from pratique.targets import reach as places
from pratique.targets.reach_places import Account, Place, Platform, Roots, Wanted
from pratique.version import VERSION
from pratique.workflow import reach_jobs
from pratique.workflow.reach_account import account_of
from pratique.workflow.reach_worker import Answer, prepare, seen

if TYPE_CHECKING:
    from pratique.casefile.case import Case

_SECRET_NAME = re.compile(
    r"(?:^|_)(?:TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|PWD|PAT|CREDENTIALS?|APIKEY|API_KEY|ACCESS_KEY|PRIVATE_KEY"
    r"|SIGNING_KEY|AUTH|AUTHTOKEN|DSN|DATABASE_URL|CONNECTION_STRING|WEBHOOK(?:_URL)?)(?:_|$)",
    re.IGNORECASE,
)
_NO_ISSUER = frozenset({"ci-secret", "ssh-key"})
_OF_A_JOB = "ci-secret"
_BY_NAME = "variables-by-name"
"""The row of variables that their name alone gives away."""
_NO_SECRETS = frozenset({"PWD", "OLDPWD", "SSH_AUTH_SOCK", "XAUTHORITY", "DBUS_SESSION_BUS_ADDRESS", "GPG_AGENT_INFO"})


class ReachRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Whose reach is asked for, and what else to look at."""

    home: str | None = None
    """A home folder to look at in place of this account's."""
    root: str | None = None
    """A mounted disk; `user` names the account on it."""
    user: str | None = None
    projects: tuple[str, ...] = ()
    workflows: tuple[str, ...] = ()
    """Workflow files of GitHub Actions, Gitea and Forgejo."""
    job: str | None = None
    reports: tuple[str, ...] = ()
    """Reports of `pratique check --format json`, whose jobs count as ones that ran a listed release."""
    incidents: tuple[Incident, ...] = ()
    window: tuple[float, float | None] | None = None
    case: str | None = None
    fingerprint: bool = False
    """Whether to make fingerprints without a case, with a key file of this user."""
    seconds: float = 10.0
    """How long one place may take."""


def reach(request: ReachRequest) -> ReachReport:
    """The inventory. Raises UsageError, TargetError and CaseError."""
    case = _case(request.case) if request.case is not None else None
    try:
        report = _Run(request, case).report()
        if case is not None:
            case.append("reach", report)
        return report
    finally:
        if case is not None:
            case.close()


def inventory(request: ReachRequest, case: Any) -> ReachReport:
    """The inventory with the key of a case that is open already; nothing is written into it."""
    return _Run(request, case).report()


def _asked(request: ReachRequest) -> ReachAsked:
    """The request as the inventory keeps it."""

    def absolute(paths: Iterable[str]) -> tuple[str, ...]:
        return tuple(os.path.abspath(path) for path in paths)

    return ReachAsked(
        home=os.path.abspath(request.home) if request.home is not None else None,
        root=os.path.abspath(request.root) if request.root is not None else None,
        user=request.user,
        projects=absolute(request.projects),
        workflows=absolute(request.workflows),
        job=request.job,
        reports=absolute(request.reports),
    )


def _case(folder: str) -> Case:
    from pratique.workflow.case import open_case

    return open_case(Path(folder))


class _Run:
    def __init__(self, request: ReachRequest, case: Case | None) -> None:
        self.request = request
        self.case = case
        self.table = tables.table()
        self.windows = (request.window,) if request.window is not None else judged.windows_of(request.incidents)
        self.found: list[Credential] = []
        self.refusals: set[tuple[str, str, str]] = set()
        self.notes: list[str] = []
        self.looked_at = 0
        self.closed: set[str] = set()
        self.met: set[tuple[str, tuple[int, int]]] = set()
        self.personal: set[str] = set()

    def report(self) -> ReachReport:
        """Look everywhere, and put it in order."""
        on_jobs_alone = bool(self.request.workflows or self.request.reports) and not (
            self.request.home or self.request.root or self.request.user or self.request.projects
        )
        if on_jobs_alone:
            identity = f"job {self.request.job}" if self.request.job else "jobs"
        else:
            account = account_of(self.request, self.notes)
            identity = account.name if account.uid is None else f"{account.name} (uid {account.uid})"
            self._files(account)
            self._variables(account)
        self._jobs()
        if not self.windows:
            self.notes.append("No incident and no window was named: whether something was there in time is not told")
        if self.closed:
            self.notes.append(f"Closed to this account, and so not in its reach: {', '.join(sorted(self.closed))}")
        found = judged.link(judged.identify(judged.most_dangerous_first(self.found)))
        return ReachReport(
            schema=SCHEMA,
            tool=f"pratique {VERSION}",
            host=clock.host(),
            made=clock.iso(clock.now()),
            identity=identity,
            catalogue=self.table.catalogue,
            looked_at=self.looked_at,
            windows=tuple((_iso(start), _iso(end) if end is not None else None) for start, end in self.windows),
            asked=_asked(self.request),
            credentials=tuple(judged.most_dangerous_first(found)),
            refusals=tuple(
                ReachRefusal(location=location, place=place, reason=reason)  # type: ignore[arg-type]  # of the list
                for location, place, reason in sorted(self.refusals)
            ),
            notes=tuple(dict.fromkeys(self.notes)),
        )

    def _environment(self, account: Account) -> dict[str, str]:
        """The variables that count: those of this process, where it is the account's own."""
        own = accounts.own()
        return accounts.variables() if account.live and account.uid == own.uid else {}

    def _files(self, account: Account) -> None:
        """Look at every place of the table, in a process apart."""
        request = self.request
        environment = self._environment(account)
        if request.home is not None:
            environment = {name: value for name, value in environment.items() if not name.startswith("XDG_")}
        if not self._answers("$HOME", account.home):
            return
        projects = [item for item in request.projects if self._answers(f"$PROJECT[{os.path.basename(item)}]", item)]
        roots = Roots(account, tuple(os.path.abspath(item) for item in projects), environment)
        if not request.projects:
            self.notes.append("No project was named: files of projects, such as .env, were not looked at")
        wanted: list[Place] = []
        for row in self.table.rows:
            for template in _templates(row, account.platform):
                wanted += roots.places(_wanted(row, template))
            for variable in row.overrides:
                wanted += roots.override(_wanted(row, f"${variable}"), variable)
        self._look(places.unique(wanted), roots)
        keys = self.table.row("ssh-private")
        named = [
            (value, item.place)
            for item in self.found
            if item.location == "ssh-config" and item.fact.field == "IdentityFile"
            for name, value in item.fact.identity
            if name == "file"
        ]
        more: list[Place] = []
        for path, _ in dict(named).items():
            place = roots.named(_wanted(keys, "$HOME/.ssh/*"), path)
            if place is not None:
                more.append(place)
            else:
                self.refusals.add((keys.id, "a key that $HOME/.ssh/config names", "leads out of the home folder"))
        self._look(places.unique(more), roots)

    def _answers(self, shown: str, folder: str) -> bool:
        """Whether a folder answers in time: a network home that went away would hold this process too.

        Raises TargetError where there is no such folder.
        """
        answers: list[bytes | str] = []
        apart(
            1,
            lambda _: b"folder" if os.path.isdir(folder) else _why_not(folder),
            lambda _, result: answers.append(result),
            self.request.seconds,
        )
        if answers[0] == b"":
            raise TargetError("is no folder", where=folder)
        if answers[0] != b"folder":
            known = {"took too long": "took too long", b"closed": "permission denied"}
            reason = known.get(answers[0], "cannot be read")
            self.refusals.add(("folder", shown, reason))
        return answers[0] == b"folder"

    def _look(self, todo: list[Place], roots: Roots) -> None:
        account = roots.account
        rows = {row.id: row for row in self.table.rows}
        fingerprint = self._fingerprint()
        met, personal = self.met, self.personal

        def work(number: int) -> bytes:
            place = todo[number]
            answers = [seen(entry, rows[place.location], account, fingerprint) for entry in places.look(place, roots)]
            return msgspec.msgpack.encode(answers)

        def done(number: int, result: bytes | str) -> None:
            place = todo[number]
            row = rows[place.location]
            self.looked_at += 1
            if isinstance(result, str):
                reason = "took too long" if result == "took too long" else "cannot be read"
                self.refusals.add((row.id, place.shown, reason))
                return
            for answer in msgspec.msgpack.decode(result, type=list[Answer]):
                key = (row.id, answer.identifier)
                if answer.identifier != (0, 0) and key in met:
                    continue
                met.add(key)
                for reason in answer.reasons:
                    if reason == "permission denied" and self._closed(place, account):
                        self.closed.add(answer.shown)
                        continue
                    self.refusals.add((row.id, answer.shown if not row.personal else "(personal)", reason))
                if row.personal and answer.facts:
                    if row.id in personal:
                        continue
                    personal.add(row.id)
                for fact in answer.facts[:1] if row.personal else answer.facts:
                    self._add(row, answer, fact)

        prepare({rows[place.location].format for place in todo} - {""})
        apart(len(todo), work, done, self.request.seconds, places.as_account(account))

    @staticmethod
    def _closed(place: Place, account: Account) -> bool:
        """Whether a place of the system is closed to the very account that is asked about: then it is not in reach."""
        return account.live and place.base == account.world and accounts.becomes(account.uid)

    def _issuer(self, row: Row, fact: CredentialFact) -> Row:
        """The row that stands for the issuer of a token that lies in a place of anybody's, by the token's format."""
        if row.provider != "various" or not fact.kind or row.personal:
            return row
        provider = next((item.provider for item in tokens.formats() if item.kind == fact.kind), "")
        if provider == "various":
            return row
        found = [item for item in self.table.rows if item.provider == provider and item.secret not in _NO_ISSUER]
        return min(found, key=lambda item: (item.tier, item.id)) if found else row

    def _add(self, row: Row, answer: Answer, fact: CredentialFact) -> None:
        timely = judged.in_window(self.windows, answer.modified, answer.born, fact)
        issuer = self._issuer(row, fact)
        place = answer.shown
        if row.personal:
            place, fact = "(in this home)", CredentialFact(field=row.id, state=fact.state, protection=fact.protection)
        self.found.append(
            Credential(
                id="",
                location=row.id,
                provider=issuer.provider,
                tier=min(row.tier, issuer.tier),
                place=place,
                fact=fact,
                reach=judged.reach_of(fact, readable=answer.readable, timely=timely),
                in_window=timely,
                taken=judged.taken(self.request.incidents, {row.secret, issuer.secret}, row.taken_by),
                modified=_iso(answer.modified) if answer.modified is not None and not row.personal else None,
                born=_iso(answer.born) if answer.born is not None and not row.personal else None,
                mode=None if row.personal else f"{answer.mode:04o}",
                others_can_read=None if row.personal else bool(answer.mode & 0o044),
                tracked=None if row.personal else answer.tracked,
                rotation=issuer.rotation,
                secret=issuer.secret,
            )
        )

    def _variables(self, account: Account) -> None:
        """Names of variables that hold secrets: of this process, and of the account's others where there is a case."""
        environment = self._environment(account)
        if not environment:
            return
        names = {name for name, value in environment.items() if value.strip()}
        self.looked_at += 1
        self._names(names, "environment")
        if self.case is None or account.uid is None:
            return
        seen: dict[str, set[str]] = {}
        unseen: set[str] = set()
        for program, found in accounts.names_of_processes(account.uid):
            if found is None:
                unseen.add(program or "processes that could not be listed")
            else:
                seen.setdefault(program, set()).update(found - names)
        if unseen:
            shown = ", ".join(sorted(unseen)[:20])
            self.notes.append(f"Variables of {len(unseen)} kinds of process were not looked at, or not all: {shown}")
        self.looked_at += len(seen)
        for program, others in sorted(seen.items()):
            self._names(others, f"environment of {program}")

    def _names(self, names: Iterable[str], place: str) -> None:
        for name in sorted(names):
            row = self._row_of(name)
            by_name = row is None or row.id == _BY_NAME
            if by_name and (name in _NO_SECRETS or not _SECRET_NAME.search(name) or is_open_name(name)):
                continue
            self._name(row, name, place, "env-file", None)

    def _row_of(self, name: str) -> Row | None:
        """The row whose variables a name is one of; an exact name goes before a pattern."""
        exact = [row for row in self.table.rows if any(name.upper() == item.upper() for item in row.variables)]
        return next(iter(exact), None) or next((row for row in self.table.rows if matches(name, row.variables)), None)

    def _name(
        self,
        row: Row | None,
        name: str,
        place: str,
        secret: str,
        timely: bool | None,
        *,
        kind: str = "",
        scopes: tuple[str, ...] = (),
        identity: tuple[tuple[str, str], ...] = (),
        expires: str | None = None,
        rotation: str = "",
    ) -> None:
        """Add a credential of which the name alone is known."""
        written = "write-only" if secret == _OF_A_JOB else "plaintext"
        fact = CredentialFact(
            field=name,
            state="name",
            protection=written,  # type: ignore[arg-type]  # one of both
            kind=kind,
            scopes=scopes,
            identity=identity,
            expires=expires,
        )
        classes = {secret, row.secret} if row is not None else {secret}
        self.found.append(
            Credential(
                id="",
                location=row.id if row is not None else secret,
                provider=row.provider if row is not None else "unknown",
                tier=row.tier if row is not None else 1,
                place=place,
                fact=fact,
                reach=judged.reach_of(fact, readable=True, timely=timely),
                in_window=timely,
                taken=judged.taken(self.request.incidents, classes, row.taken_by if row is not None else ()),
                rotation=row.rotation if row is not None else rotation,
                secret=row.secret if row is not None and secret != _OF_A_JOB else secret,
            )
        )

    def _jobs(self) -> None:
        """What jobs held: by the workflow files that were named, and by the jobs of reports."""
        request = self.request
        found = reach_jobs.find(request.workflows, request.reports, request.job)
        self.looked_at += len(request.workflows) + len(request.reports)
        self.refusals.update(found.refusals)
        self.notes += found.notes
        for held in found.held:
            self._job(held)
            self.notes += reach_jobs.notes(held, request.workflows)
            unseen = reach_jobs.unseen(held)
            if unseen is not None:
                self.refusals.add(unseen)

    def _job(self, held: reach_jobs.Held) -> None:
        """The secrets, the token and what a job may mint, by name."""
        fact, place, timely = held.fact, held.place, held.timely
        replaced = reach_jobs.ROTATIONS.get(fact.system, "")
        identity = tuple((name, value) for name, value in (("environment", fact.environment),) if value)
        for name in fact.secrets:
            if name == EVERY_SECRET:
                every = "every secret of the repository and organisation"
                self._name(None, every, place, _OF_A_JOB, timely, rotation=replaced)
            elif name.upper() != "GITHUB_TOKEN":
                row = self._row_of(name)
                row = None if row is not None and row.id == _BY_NAME else row
                self._name(row, name, place, _OF_A_JOB, timely, identity=identity, rotation=replaced)
        if fact.system != "github-actions":
            return
        stated = fact.permissions
        if stated != ("none",):
            token = self._row_of("GITHUB_TOKEN")
            scopes = stated or ("not stated",)
            self._name(token, "GITHUB_TOKEN", place, _OF_A_JOB, timely, kind="job-token", scopes=scopes)
        if any(item.replace(" ", "") in ("id-token:write", "write-all") for item in stated):
            oidc = self._row_of("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
            kind = "can mint OIDC tokens for any audience"
            self._name(oidc, "id-token: write", place, _OF_A_JOB, timely, kind=kind, identity=identity)

    def _fingerprint(self) -> Fingerprint:
        """What makes fingerprints; nothing where they are off."""
        if self.case is not None:
            key = self.case.key("fingerprint")
        elif self.request.fingerprint:
            from pratique.adapters import keyfile

            key = keyfile.key()
        else:
            return lambda _class, _secret: None

        def fingerprint(name: str, secret: Secret) -> str:
            return secret.use(
                lambda value: hmac.new(key, name.encode() + b"\0" + value, hashlib.sha256).hexdigest()[:20]
            )

        return fingerprint


def _why_not(folder: str) -> bytes:
    """`closed` where a path may not be looked at, `hidden` where something else is wrong, else nothing."""
    try:
        os.stat(folder)
    except PermissionError:
        return b"closed"
    except (FileNotFoundError, NotADirectoryError):
        return b""
    except OSError:
        return b"hidden"
    return b""


def _templates(row: Row, platform: Platform) -> Sequence[str]:
    if platform == "windows":
        return row.windows if row.windows is not None else row.paths
    return row.macos if platform == "macos" and row.macos is not None else row.paths


def _wanted(row: Row, template: str) -> Wanted:
    return Wanted(location=row.id, template=template, look=row.look, limit=row.limit, leave_out=row.leave_out)


def _iso(seconds: float) -> str:
    moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
