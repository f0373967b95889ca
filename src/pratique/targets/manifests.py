"""What images lie in a box: out of Docker's `manifest.json`, an OCI index, or a folder that skopeo wrote.

Every document is bounded and optional: what is missing, names itself, or lies about its digest is told, and what can
be read is read. Blobs that nothing names are given too: old tags stay in an OCI layout until it is swept out.
"""

from __future__ import annotations

import datetime
import re
from typing import Any

import msgspec

from pratique.ecosystems.npm.urls import strip_url
from pratique.model.location import shown
from pratique.model.ports import Unreadable
from pratique.targets.boxes import ABSENT, Box
from pratique.targets.layers import plain
from pratique.targets.steps import step
from pratique.targets.unpacking import kind_of

MOST_MANIFESTS = 10_000
MOST_LAYERS = 10_000
"""So many distinct layers of one target are examined."""
DEEPEST = 8
_DIGEST = re.compile(r"(sha256|sha384|sha512):([0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128})")
_HEX = re.compile(r"(?:.*/)?(?:sha256:)?([0-9a-f]{64})(?:\.tar|\.tar\.gz|\.json|\.manifest\.json)?")
_HOLDS = re.compile(r"blobs/sha(?:256|384|512)/[0-9a-f]{64,128}|[0-9a-f]{64}(?:/layer\.tar|\.tar(?:\.gz)?)")
_NAME = re.compile(r"[\w./:@+() -]{1,300}", re.ASCII)
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]{0,127}")
_MOMENT = re.compile(r"(\d{4})-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)")
_BASE = "org.opencontainers.image.base."
_REFERENCE = "vnd.docker.reference.type"


class Step(msgspec.Struct, frozen=True):
    """An entry of an image's history: what it did, without any value, and when, as its builder says."""

    created_by: str | None = None
    created: str | None = None


class Part(msgspec.Struct, frozen=True):
    """A layer of an image. `name` is that of the part that holds it, `digest` its own, None where it is not there."""

    name: str | None
    digest: str | None
    diff_id: str | None = None
    step: Step = Step()


class Image(msgspec.Struct, frozen=True):
    """An image: its layers from the lowest up, and what its configuration says, names alone."""

    names: tuple[str, ...]
    layers: tuple[Part, ...]
    manifest: str | None = None
    config: str | None = None
    environment: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    base_name: str | None = None
    base_digest: str | None = None
    referenced: bool = True


class Trouble(msgspec.Struct, frozen=True):
    """Something that could not be read, or is no file system."""

    reason: str
    relevant: bool = True


class Found(msgspec.Struct):
    """All that a box holds: images, and the names of layers that none of them has."""

    images: list[Image] = []
    loose: list[Part] = []
    troubles: list[Trouble] = []
    capped: bool = False


def images(box: Box) -> Found:
    """Every image of a box."""
    return _Search(box).run()


def is_image(box: Box) -> bool:
    """Whether these parts have the index of an image among them, or layers as images hold them without one."""
    parts = set(box.parts())
    if any(_HOLDS.fullmatch(name) for name in parts):
        return True
    if "oci-layout" in parts or ("index.json" in parts and any(name.startswith("blobs/") for name in parts)):
        return True
    if "repositories" in parts and any(name.endswith("/layer.tar") for name in parts):
        return True
    if "manifest.json" not in parts:
        return False
    try:
        document = msgspec.json.decode(box.document("manifest.json"))
    except (Unreadable, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return any(_HEX.fullmatch(name) for name in parts)
    if isinstance(document, list):
        return any("Layers" in _mapping(row) for row in document)
    return isinstance(document, dict) and not {"layers", "fsLayers", "manifests"}.isdisjoint(document)


class _Search:
    """One box that is being looked through."""

    def __init__(self, box: Box) -> None:
        self.box = box
        self.parts = set(box.parts())
        self.found = Found()
        self.used: set[str] = set()
        self.seen: set[str] = set()
        self.layers: dict[str, str | None] = {}
        self.digests: set[str] = set()
        self.old = False

    def run(self) -> Found:
        """Look through it."""
        for reason in self.box.troubles:
            self._say(reason)
        docker = self._document("manifest.json") if "manifest.json" in self.parts else None
        if isinstance(docker, list):
            self._docker(docker)
        elif isinstance(docker, dict):
            self._descriptor(docker, "manifest.json", (), {}, 0)
        if "index.json" in self.parts:
            index = self._document("index.json")
            if index is not None:
                self._descriptor(index, "index.json", (), {}, 0)
        self._old()
        if not self.found.images and not self.found.loose and not self.found.troubles:
            self._say("names no image")
        return self.found

    def _say(self, reason: str, *, relevant: bool = True) -> None:
        if len(self.found.troubles) < 1000:
            trouble = Trouble(shown(reason), relevant)
            if trouble not in self.found.troubles:
                self.found.troubles.append(trouble)
        elif len(self.found.troubles) == 1000:
            self.found.troubles.append(Trouble("has more troubles than are listed"))

    def _document(self, name: str, expected: str | None = None) -> Any:
        """A JSON document; None, and why, where it cannot be had."""
        self.used.add(name)
        try:
            data = self.box.document(name)
            if expected is not None:
                self._verify(name, expected, "document")
            found = msgspec.json.decode(data)
            if isinstance(found, dict | list):
                return found
            self._say(f"{name}: is neither an object nor a list")
        except Unreadable as error:
            self._say(f"{name}: {error.reason}")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            self._say(f"{name}: is not whole JSON: {' '.join(str(error).split())[:120]}")
        return None

    def _verify(self, name: str, expected: str, what: str) -> None:
        """Tell a part whose content is not what its name says. Raises Unreadable."""
        algorithm, _, digest = expected.partition(":")
        found = self.box.digest(name, algorithm)
        if found != digest:
            self._say(f"{what} {expected}: its content does not match that digest but {algorithm}:{found}")

    # Docker's manifest.json

    def _docker(self, rows: list[Any]) -> None:
        for row in rows[:MOST_MANIFESTS]:
            names, layers = _mapping(row).get("RepoTags"), _mapping(row).get("Layers")
            if not isinstance(layers, list):
                self._say("manifest.json: holds an entry that names no layers")
                continue
            config_name = _text(_mapping(row).get("Config"))
            config: Any = {}
            config_digest = None
            if config_name is not None:
                match = _HEX.fullmatch(plain(config_name))
                config_digest = f"sha256:{match[1]}" if match else None
                config = self._document(plain(config_name), config_digest)
            diffs = _diff_ids(config)
            parts = []
            for number, layer in enumerate(layers[: MOST_LAYERS + 1]):
                name = plain(layer) if isinstance(layer, str) else ""
                match = _HEX.fullmatch(name)
                diff = diffs[number] if len(diffs) == len(layers) else None
                by_name = match and (name.startswith("blobs/") or name.endswith(".tar.gz"))
                parts.append((name, f"sha256:{match[1]}" if match and by_name else diff, diff))
            tags = [tag for tag in _list(names) if isinstance(tag, str)]
            self._image(tags, parts, config, None, config_digest, {}, len(layers))
        if len(rows) > MOST_MANIFESTS:
            self._say(f"manifest.json: names more than {MOST_MANIFESTS} images; the rest was not looked at")

    # OCI and Docker manifests by digest

    def _descriptor(
        self, document: Any, at: str, names: tuple[str, ...], annotations: dict[str, Any], depth: int
    ) -> None:
        """A manifest or an index: decided by its fields, since tools leave the media type out."""
        document = _mapping(document)
        if isinstance(document.get("manifests"), list):
            self._index(document["manifests"], at, names, depth)
        elif isinstance(document.get("layers"), list):
            self._manifest(document, at, names, annotations)
        elif isinstance(document.get("fsLayers"), list):
            rows = [_mapping(row).get("blobSum") for row in reversed(document["fsLayers"])]
            parts = [self._blob(row) for row in rows[: MOST_LAYERS + 1]]
            self._image(list(names), list(parts), {}, None, None, {}, len(rows))
        else:
            self._say(f"{at}: is neither a manifest nor an index")

    def _index(self, rows: list[Any], at: str, names: tuple[str, ...], depth: int) -> None:
        if depth >= DEEPEST:
            self._say(f"{at}: lies in {DEEPEST} indexes already; it is not opened")
            return
        for row in rows[:MOST_MANIFESTS]:
            row = _mapping(row)
            annotations = _mapping(row.get("annotations"))
            digest = _text(row.get("digest")) or ""
            if not _DIGEST.fullmatch(digest):
                self._say(f"{at}: names a manifest by what is no digest")
                continue
            if annotations.get(_REFERENCE) == "attestation-manifest":
                self._attestation(digest)
                continue
            name = self._name_of(digest, manifest=True)
            if name is None:
                media = _text(row.get("mediaType")) or "manifest"
                platform = _platform(row.get("platform"))
                self._say(f"{digest} ({platform or media}): is named by {at} and not there")
                continue
            called = _called(annotations) or names
            platform = _platform(row.get("platform"))
            if platform and not _called(annotations):
                called = tuple(f"{item} ({platform})" for item in called) or (platform,)
            if digest in self.seen:
                self._again(digest, called)
                continue
            self.seen.add(digest)
            if len(self.seen) > MOST_MANIFESTS:
                if not self.found.capped:
                    self._say(f"names more than {MOST_MANIFESTS} manifests; the rest was not looked at")
                self.found.capped = True
                return
            document = self._document(name, digest)
            if document is not None:
                self._descriptor(document, digest, called, annotations, depth + 1)
        if len(rows) > MOST_MANIFESTS:
            self._say(f"{at}: names more than {MOST_MANIFESTS} manifests; the rest was not looked at")

    def _again(self, digest: str, names: tuple[str, ...]) -> None:
        """Another name of an image that is known."""
        for number, image in enumerate(self.found.images):
            if image.manifest == digest:
                every = tuple(dict.fromkeys((*image.names, *(item for item in names if _NAME.fullmatch(item)))))
                self.found.images[number] = msgspec.structs.replace(image, names=every)

    def _attestation(self, digest: str) -> None:
        """An attestation: it is no file system, and all that it names is none."""
        self._say(f"{digest}: is an attestation, no file system", relevant=False)
        name = self._name_of(digest, manifest=True)
        if name is None or digest in self.seen:
            return
        self.seen.add(digest)
        document = _mapping(self._document(name, digest))
        for row in [document.get("config"), *_list(document.get("layers"))]:
            part = self._name_of(_text(_mapping(row).get("digest")) or "")
            if part is not None and self._is_document(part):
                self.used.add(part)

    def _manifest(self, document: dict[str, Any], at: str, names: tuple[str, ...], annotations: dict[str, Any]) -> None:
        config_digest = _text(_mapping(document.get("config")).get("digest")) or ""
        if self._known(config_digest, names, at):
            return
        config_name = self._name_of(config_digest)
        config: Any = {}
        if config_name is not None:
            config = self._document(config_name, config_digest)
        elif config_digest:
            self._say(f"{config_digest}: the configuration of {at} is not there")
        rows = document["layers"]
        diffs = _diff_ids(config)
        parts = []
        for number, row in enumerate(rows[: MOST_LAYERS + 1]):
            blob, expected, _ = self._blob(_mapping(row).get("digest"), _text(_mapping(row).get("mediaType")) or "")
            parts.append((blob, expected, diffs[number] if len(diffs) == len(rows) else None))
        told = {**_mapping(_mapping(_mapping(config).get("config")).get("Labels")), **annotations}
        told |= _mapping(document.get("annotations"))
        manifest = at if _DIGEST.fullmatch(at) else None
        self._image(list(names), parts, config, manifest, config_digest or None, told, len(rows))

    def _known(self, config: str, names: tuple[str, ...], at: str) -> bool:
        """Whether Docker's own manifest named this image already, with all its layers: it knows better which they are.

        The OCI manifest beside it may list layers that the archive does not hold.
        """
        for number, image in enumerate(self.found.images):
            if config and image.config == config and image.manifest is None and all(part.name for part in image.layers):
                every = tuple(dict.fromkeys((*image.names, *(item for item in names if _NAME.fullmatch(item)))))
                manifest = at if _DIGEST.fullmatch(at) else None
                self.found.images[number] = msgspec.structs.replace(image, names=every, manifest=manifest)
                return True
        return False

    def _blob(self, digest: Any, media: str = "") -> tuple[str, str | None, str | None]:
        """The part that a descriptor of a layer names, empty where it is not there."""
        text = digest if isinstance(digest, str) else ""
        name = self._name_of(text)
        if name is None:
            kind = " (a foreign layer)" if "foreign" in media or "nondistributable" in media else ""
            kind = kind or (" (its name is no digest)" if not _DIGEST.fullmatch(text) else "")
            self._say(f"layer {text[:140] or '?'}{kind}: is not there", relevant=not self.old)
            return "", text or None, None
        if media.endswith("+encrypted"):
            self._say(f"layer {text}: is encrypted")
        return name, text, None

    def _name_of(self, digest: str, *, manifest: bool = False) -> str | None:
        """The part with this digest; None where there is none."""
        match = _DIGEST.fullmatch(digest)
        if match is None:
            return None
        names = [f"blobs/{match[1]}/{match[2]}", match[2]]
        if manifest:
            names.append(f"{match[2]}.manifest.json")
        return next((name for name in names if name in self.parts), None)

    # images

    def _image(
        self,
        names: list[str],
        rows: list[tuple[str, str | None, str | None]],
        config: Any,
        manifest: str | None,
        config_digest: str | None,
        told: dict[str, Any],
        count: int,
        *,
        referenced: bool = True,
    ) -> None:
        """Take an image in; each layer is hashed once, and told where it is not what it is named by."""
        if count > MOST_LAYERS:
            self._say(f"an image of {count} layers: {MOST_LAYERS} of them were looked at")
            rows = rows[:MOST_LAYERS]
        steps = _steps(config, count)
        layers = []
        for number, (name, expected, diff) in enumerate(rows):
            digest = self._layer(name, expected, diff, f"layer {number + 1} of {count}")
            if digest == "":
                continue
            layers.append(Part(name or None, digest, diff, steps[number] if steps else Step()))
        inner = _mapping(_mapping(config).get("config"))
        environment = [item.partition("=")[0] for item in _list(inner.get("Env")) if isinstance(item, str)]
        base = _text(told.get(f"{_BASE}name"))
        self.found.images.append(
            Image(
                names=tuple(dict.fromkeys(name for name in names if _NAME.fullmatch(name)))[:100],
                layers=tuple(layers),
                manifest=manifest,
                config=config_digest,
                environment=_keys(environment),
                labels=_keys(_mapping(inner.get("Labels"))),
                base_name=strip_url(base) if base and _NAME.fullmatch(base) else None,
                base_digest=_text(told.get(f"{_BASE}digest")),
                referenced=referenced,
            )
        )

    def _layer(self, name: str, expected: str | None, diff: str | None, what: str) -> str | None:
        """The digest of a layer's own bytes; None where it is not there, empty where it is no file system."""
        if not name:
            return None
        if name in self.layers:
            return self.layers[name]
        self.used.add(name)
        digest: str | None = None
        try:
            head = self.box.head(name)
            if head[:1] == b"{" and self._is_document(name):
                self._say(f"{expected or name}: is a document, no file system", relevant=False)
                digest = ""
            else:
                own = f"sha256:{self.box.digest(name, 'sha256')}"
                if own not in self.digests and len(self.digests) >= MOST_LAYERS:
                    self._say(f"names more than {MOST_LAYERS} layers; the rest was not looked at")
                    return None
                self.digests.add(own)
                digest = own
                named = expected if expected is not None and _DIGEST.fullmatch(expected) else None
                if named is not None and not (named == diff and kind_of(head) is not None):
                    self._verify(name, named, what)
        except Unreadable as error:
            self._say(f"{what} ({shown(name)[:140]}): {error.reason}")
        self.layers[name] = digest
        return digest

    def _is_document(self, name: str) -> bool:
        """Whether a part is JSON and no tar."""
        try:
            msgspec.json.decode(self.box.document(name))
        except (Unreadable, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return False
        return True

    # what nothing names

    def _old(self) -> None:
        """Blobs that nothing names: manifests of old tags with their layers, and layers alone."""
        loose: list[str] = []
        for name in sorted(self.parts - self.used):
            base = name.rpartition("/")[2]
            if not (
                name.startswith("blobs/") or base.startswith("layer.tar") or _HEX.match(base) or base.endswith(".tar")
            ):
                continue
            try:
                head = self.box.head(name)
            except Unreadable as error:
                if base != "layer.tar" or error.reason != ABSENT:
                    self._say(f"{shown(name)[:140]}: {error.reason}")
                continue
            if head[:1] != b"{":
                loose.append(name)
                continue
            match = _HEX.fullmatch(name)
            try:
                document = _mapping(msgspec.json.decode(self.box.document(name)))
            except Unreadable as error:
                self._say(f"{shown(name)[:140]}: {error.reason}")
                continue
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                loose.append(name)
                continue
            if isinstance(document.get("layers"), list) and len(self.seen) < MOST_MANIFESTS:
                digest = f"sha256:{match[1]}" if match else name
                self.seen.add(digest)
                before = len(self.found.images)
                self.old = True
                self._manifest(document, digest, (), {})
                self.old = False
                for number in range(before, len(self.found.images)):
                    image = self.found.images[number]
                    self.found.images[number] = msgspec.structs.replace(image, referenced=False)
        for name in loose:
            if name in self.layers or self._same(name):
                continue
            own = self._layer(name, None, None, "a layer that nothing names")
            if own:
                self.found.loose.append(Part(name, own))

    def _same(self, name: str) -> bool:
        """Whether a part holds the very bytes of a layer that is known: Docker links `layer.tar` to it."""
        try:
            return f"sha256:{self.box.digest(name, 'sha256')}" in self.digests
        except Unreadable:
            return False


def _steps(config: Any, count: int) -> list[Step]:
    """The history entry of each layer; empty where the history does not say which is which."""
    rows = [_mapping(row) for row in _list(_mapping(config).get("history"))]
    made = [row for row in rows if row.get("empty_layer") is not True]
    if len(made) != count:
        return []
    return [_step(row) for row in made]


def _step(row: dict[str, Any]) -> Step:
    text, created = _text(row.get("created_by")), _text(row.get("created")) or ""
    return Step(step(text) or None if text else None, _moment(created))


def _moment(text: str) -> str | None:
    """A time of an image in UTC; None where it is none, or a constant of reproducible builds."""
    match = _MOMENT.fullmatch(text)
    if match is None or int(match[1]) <= 2000:
        return None
    try:
        moment = datetime.datetime.fromisoformat(text).astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        return None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _diff_ids(config: Any) -> list[str | None]:
    rows = _list(_mapping(_mapping(config).get("rootfs")).get("diff_ids"))
    return [row if isinstance(row, str) and _DIGEST.fullmatch(row) else None for row in rows]


def _called(annotations: dict[str, Any]) -> tuple[str, ...]:
    """What an index calls an image."""
    for key in ("io.containerd.image.name", "org.opencontainers.image.ref.name"):
        name = _text(annotations.get(key))
        if name and _NAME.fullmatch(name):
            return (name,)
    return ()


def _platform(value: Any) -> str:
    row = _mapping(value)
    parts = [_text(row.get(key)) for key in ("os", "architecture", "variant")]
    text = "/".join(part for part in parts if part)
    return text if _NAME.fullmatch(text) else ""


def _keys(names: Any) -> tuple[str, ...]:
    """Names that may be told, in order, without any value."""
    return tuple(sorted({name for name in names if isinstance(name, str) and _KEY.fullmatch(name)}))[:200]


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
