"""Container images: every layer, with what later layers delete or overwrite; nothing is unpacked, nothing run.

## Reads
Archives as `docker save` writes them (of old, and since Docker 25 with an OCI layout inside), OCI layouts and archives,
folders as skopeo writes them (`dir:`); several images, tags and platforms in one; layers that are plain, or packed by
gzip, zstd (also zstd:chunked), bzip2 or xz, told by their first bytes. An archive may itself be compressed. Blobs of an
OCI layout that no tag names any more are read too.

## Leaves out
The stores of Docker, containerd and podman: their layers are folders. Attestations and other documents that are pushed
like layers are no file systems; they are counted. What a layer's link names in another layer is told and not followed.
The configuration of an image is what its builder wrote.

## References
OCI image specification 1.1 ("Image Layout", "Filesystem Layers"); Docker image specification 1.2; moby/moby
`image/tarexport`; containers/image `directory`.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO

import msgspec

from pratique.model.errors import TargetError
from pratique.model.location import Inside, locate
from pratique.model.observation import FolderFact, LayerFact, Observation, Question, Refusal
from pratique.model.ports import Artifact, Claims, Handed, Kept, Options, TargetKind, Unit, Unreadable
from pratique.targets import archive, layers
from pratique.targets.boxes import Box, open_box, part_at, state_of
from pratique.targets.manifests import Found, Image, Part, images, is_image

READER = "image"
DEEPEST_FOLDER = 64
MOST_ENTRIES = 100_000
MOST_REMEMBERED = 64 << 20
_listings: dict[str, bytes] = {}
"""The names in layers, packed, by the digest of the layer's own bytes."""
_ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.zst", ".tzst", ".tar.xz", ".txz", ".tar.bz2", ".tbz2", ".oci")
_STORES = ("overlay-images", "vfs-images", "image/overlay2", "io.containerd.content.v1.content")
_ADVICE = "Name an archive of `docker save`, an OCI layout, or a folder written by skopeo; or a folder that holds some"


def find(path: str) -> list[str]:
    """The images behind a path: itself, or all that lie in a folder. Raises TargetError."""
    try:
        box = open_box(path)
    except Unreadable as error:
        raise TargetError(error.reason, where=path, advice=_ADVICE) from None
    if is_image(box) or (not os.path.isdir(path) and box.troubles and box.parts()):
        return [path]
    if not os.path.isdir(path):
        reason = f"is no image: {box.troubles[0]}" if box.troubles else "is an archive, but of no image"
        raise TargetError(reason, where=path, advice=_ADVICE)
    for name in _STORES:
        if os.path.isdir(os.path.join(path, name)):
            advice = "Its layers are folders: name it without `image:`"
            raise TargetError("is the store of an engine, not an image", where=path, advice=advice)
    found = sorted(_below(path, 0, [0], os.path.realpath(path)))
    if not found:
        raise TargetError("is no image and holds none", where=path, advice=_ADVICE)
    return found


def _below(folder: str, depth: int, count: list[int], root: str) -> Iterator[str]:
    """The images in a folder, and in those below it; and what may be some and cannot be opened, to be told."""
    if depth > DEEPEST_FOLDER:
        raise TargetError(f"holds folders deeper than {DEEPEST_FOLDER}", where=folder, advice="Name the images")
    try:
        with os.scandir(folder) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
    except OSError:
        yield folder
        return
    for entry in listed:
        count[0] += 1
        if count[0] > MOST_ENTRIES:
            raise TargetError(f"holds more than {MOST_ENTRIES} entries", where=folder, advice="Name the images")
        if entry.is_dir(follow_symlinks=False):
            box = open_box(entry.path)
            if is_image(box):
                yield entry.path
            else:
                yield from _below(entry.path, depth + 1, count, root)
        elif entry.name.lower().endswith(_ARCHIVES):
            if entry.is_symlink() and _met(os.path.realpath(entry.path), root):
                continue
            try:
                box = open_box(entry.path)
            except Unreadable:
                yield entry.path
                continue
            if box.troubles or is_image(box):
                yield entry.path


def _met(path: str, root: str) -> bool:
    """Whether what a link leads to is met in the folder under its own name."""
    return path.startswith(f"{root.rstrip('/')}/") and path.lower().endswith(_ARCHIVES) and os.path.isfile(path)


def units(path: str, uri: str, options: Options) -> Iterator[Unit | Refusal]:
    """One unit for each distinct layer; of a compressed archive, one for all."""
    try:
        box = open_box(path)
        found = images(box)
    except Unreadable as error:
        yield Refusal(".", READER, error.reason, True, uri)
        return
    for trouble in found.troubles:
        yield Refusal(".", READER, trouble.reason, trouble.relevant, uri)
    listed = _listed(found)
    if not listed:
        return
    if not box.place(next(iter(listed.values()))[0]):
        about = [word for digest, (name, _) in listed.items() for word in (name, digest)]
        key = hashlib.sha256("\n".join(sorted(listed)).encode()).hexdigest()
        yield Unit(uri, path, READER, f"layers:{key}", f"{len(listed)} layers", ("packed", *about))
        return
    for digest, (name, part) in listed.items():
        place = box.place(name)
        try:
            state = "/".join(str(item) for item in state_of(path, place))
        except Unreadable as error:
            yield Refusal(".", READER, f"{part}: {error.reason}", True, uri)
            continue
        yield Unit(uri, path, READER, f"layer:{digest}", part, (digest, state, *place))


def _listed(found: Found) -> dict[str, tuple[str, str]]:
    """Every distinct layer by its digest: the part that holds it, and what it is for people."""
    listed: dict[str, tuple[str, str]] = {}
    for image in found.images:
        called = f" of {image.names[0]}" if image.names else ""
        for number, part in enumerate(image.layers):
            if part.digest is not None and part.name is not None:
                what = f"layer {number + 1} of {len(image.layers)}{called}"
                listed.setdefault(part.digest, (part.name, what))
    for part in found.loose:
        if part.digest is not None and part.name is not None:
            listed.setdefault(part.digest, (part.name, "a layer that nothing names"))
    return listed


def open_unit(unit: Unit, claims: Claims, options: Options) -> Iterator[Handed | Observation | Refusal | Kept]:
    """The artifacts of one layer."""
    if unit.about[0] == "packed":
        yield from _open_packed(unit, claims, options)
        return
    digest, state, place = unit.about[0], unit.about[1], unit.about[2:]

    def again() -> BinaryIO:
        return part_at(unit.path, place)

    try:
        layer = layers.Layer(unit.target, digest, claims, options, again)
        names: list[Kept] = []
        with again() as stream:
            for item in layer.members(stream):
                if isinstance(item, Kept):
                    names.append(item)
                else:
                    yield item
        if state != "/".join(str(item) for item in state_of(unit.path, place)):
            yield layer.refusal("", "was changed while it was examined")
        else:
            yield from names
    except Unreadable as error:
        yield Refusal(".", READER, f"{unit.part}: {error.reason}", True, unit.target)


def _open_packed(unit: Unit, claims: Claims, options: Options) -> Iterator[Handed | Observation | Refusal | Kept]:
    """The artifacts of all layers of a compressed archive, in one pass."""
    digests = dict(zip(unit.about[1::2], unit.about[2::2], strict=True))
    held: list[object] = []
    try:
        box = open_box(unit.path)

        def opener(name: str) -> Callable[[], BinaryIO]:
            def again() -> BinaryIO:
                turn = box.each([name])
                held.append(turn)
                return next(turn)[1]

            return again

        left = set(digests)
        for name, stream in box.each(list(digests)):
            left.discard(name)
            yield from layers.Layer(unit.target, digests[name], claims, options, opener(name)).members(stream)
        for name in sorted(left):
            yield Refusal(".", READER, f"{name}: could not be read again", True, unit.target)
    except Unreadable as error:
        yield Refusal(".", READER, error.reason, True, unit.target)


# the second look


class _Stack(msgspec.Struct, frozen=True):
    """An image whose layers are asked about, with what those layers say."""

    image: Image
    index: int
    changes: tuple[layers.Changes, ...]


def probe(path: str, uri: str, questions: Sequence[Question], options: Options) -> Iterator[Observation | Refusal]:
    """What became of files in later layers, and what a folder held as of a layer."""
    if not questions:
        return
    try:
        box = open_box(path)
        found = images(box)
        looked = _looked(box, found, questions)
    except Unreadable as error:
        for question in questions:
            yield _unanswered(uri, question, error.reason)
        return
    for question in questions:
        try:
            yield from _answers(uri, box, found, question, looked, options)
        except Unreadable as error:
            yield _unanswered(uri, question, error.reason)


def _unanswered(uri: str, question: Question, reason: str) -> Refusal:
    place = locate(uri, question.path, inside=question.inside)
    return Refusal(place.path, "probe", reason, True, uri, place.path_bytes, question.names, question.inside)


def _asked(question: Question) -> Iterator[str]:
    """The paths in a layer that the answer to a question depends on."""
    yield question.path
    for name in question.files:
        yield f"{question.path}/{name}"
    yield from question.beside


def _stacks(found: Found, digest: str) -> Iterator[tuple[Image, int]]:
    """The images that have a layer, and its index in each; of a layer that nothing names, itself."""
    known = False
    for image in found.images:
        indexes = [number for number, part in enumerate(image.layers) if part.digest == digest]
        if indexes:
            known = True
            yield image, indexes[-1]
    if not known:
        for part in found.loose:
            if part.digest == digest:
                yield Image((), (part,), referenced=False), 0


def _looked(box: Box, found: Found, questions: Sequence[Question]) -> dict[str, layers.Changes | Unreadable]:
    """What every layer says of all that is asked, by digest: each layer that matters is read once."""
    paths: dict[str, set[str]] = {}
    parts: dict[str, str] = {}
    for question in questions:
        asked = set(_asked(question))
        for image, index in _stacks(found, question.inside[0].id if question.inside else ""):
            start = 0 if question.kind == "folder" else index + 1
            for part in image.layers[start:]:
                if part.name is not None and part.digest is not None:
                    paths.setdefault(part.digest, set()).update(asked)
                    parts[part.name] = part.digest
    looked: dict[str, layers.Changes | Unreadable] = {}
    wanted: dict[str, str] = {}
    for name, digest in parts.items():
        if digest in _listings:
            looked[digest] = layers.changes(layers.listed(_listings[digest]), paths[digest])
        else:
            wanted.setdefault(digest, name)
    for name, stream in box.each(list(wanted.values())) if wanted else ():
        digest = parts[name]
        try:
            looked[digest] = layers.changes(layers.tape(stream).members(), paths[digest])
        except Unreadable as error:
            looked[digest] = error
    return looked


def _changes(
    parts: Sequence[Part], looked: dict[str, layers.Changes | Unreadable], start: int
) -> tuple[layers.Changes, ...]:
    """What each layer of an image says; nothing for those below `start`. Raises Unreadable where one is missing."""
    told = []
    for number, part in enumerate(parts):
        answer = looked.get(part.digest) if part.digest is not None else None
        if number < start:
            told.append(layers.Changes())
        elif isinstance(answer, layers.Changes):
            told.append(answer)
        else:
            reason = answer.reason if isinstance(answer, Unreadable) else "is not there"
            raise Unreadable(f"layer {number + 1} of {len(parts)} {reason}")
    return tuple(told)


def _answers(
    uri: str,
    box: Box,
    found: Found,
    question: Question,
    looked: dict[str, layers.Changes | Unreadable],
    options: Options,
) -> Iterator[Observation]:
    """The answers to one question. Raises Unreadable."""
    if not question.inside or question.inside[0].kind != "layer" or question.kind not in ("folder", "history"):
        raise Unreadable("is asked what an image does not answer")
    digest = question.inside[0].id
    stacks = list(_stacks(found, digest))
    if not stacks:
        raise Unreadable("lies in a layer that is not there")
    if question.kind == "folder" and any(step.kind == "member" for step in question.inside):
        yield _in_archive(uri, box, stacks[0], question, options)
    elif question.kind == "folder":
        facts = {_folder(image, index, looked, question) for image, index in stacks}
        for fact in sorted(facts, key=msgspec.json.encode):
            yield Observation("probe", locate(uri, question.path, inside=question.inside), fact)
    else:
        yield Observation(
            "probe", locate(uri, question.path, inside=question.inside), _layer(found, stacks, looked, question)
        )


def _folder(image: Image, index: int, looked: dict[str, layers.Changes | Unreadable], question: Question) -> FolderFact:
    """What an image of the layers up to one shows of a folder. Raises Unreadable."""
    below = image.layers[: index + 1]
    stack = _changes(below, looked, 0)
    shown = {name for name in question.files if layers.visible(stack, index, f"{question.path}/{name}") is not None}
    beside = []
    for path in question.beside:
        number = layers.visible(stack, index, path)
        if number is not None and stack[number].entries[path] == "file":
            beside.append(Inside("layer", below[number].digest or "", path))
    return FolderFact(
        folder=question.path,
        exists=layers.folder_visible(stack, index, question.path),
        present=tuple(name for name in question.files if name in shown),
        absent=tuple(name for name in question.files if name not in shown),
        beside=tuple(beside),
    )


def _in_archive(uri: str, box: Box, stack: tuple[Image, int], question: Question, options: Options) -> Observation:
    """What a folder inside an archive of a layer holds. Raises Unreadable."""
    image, index = stack
    name = image.layers[index].name
    for _, stream in box.each([name] if name is not None else []):
        tape = layers.tape(stream)
        for member in tape.members():
            if member.isreg() and layers.plain(member.name) == question.path:
                outer = Artifact(uri, question.path, lambda: b"", lambda: None, _alone)
                return archive.folder_in(outer, tape.file(member), question, options)
    raise Unreadable("is not in its layer")


def _alone(suffix: str) -> bytes | None:
    raise Unreadable(f"the file beside it ({suffix}) is not looked up in a layer")


def _layer(
    found: Found,
    stacks: Sequence[tuple[Image, int]],
    looked: dict[str, layers.Changes | Unreadable],
    question: Question,
) -> LayerFact:
    """What became of a file: told of an image that still shows it, where there is one. Raises Unreadable."""
    digest, folder = question.inside[0].id, question.expected == "folder"
    told: list[tuple[Image, int, tuple[int, str] | None]] = []
    whole = True
    for image, index in stacks:
        try:
            stack = _changes(image.layers, looked, index + 1)
            lost = [layers.gone(stack, index, question.path, folder=folder)]
            lost += [layers.gone(stack, index, f"{question.path}/{name}") for name in question.files]
            told.append((image, index, _earliest(lost)))
        except Unreadable:
            whole = False
            told.append((image, index, None))
    image, index, gone = min(told, key=lambda item: (not item[0].referenced, item[2] is not None))
    part = image.layers[index]
    return LayerFact(
        layer=digest,
        index=index,
        layers=len(image.layers),
        path=question.path,
        created=part.step.created,
        created_by=part.step.created_by,
        gone_in=gone[0] if gone else None,
        gone_how=("deleted" if gone[1] == "deleted" else "overwritten") if gone else None,
        images=_names(image for image, _, _ in told),
        shown_by=_names(image for image, _, lost in told if lost is None),
        referenced=image.referenced,
        diff_id=part.diff_id,
        base=_base(found, image, index),
        base_name=image.base_name,
        environment=image.environment,
        labels=image.labels,
        whole=whole,
    )


def _earliest(lost: Sequence[tuple[int, str] | None]) -> tuple[int, str] | None:
    """The first layer that took something away; a folder is overwritten when a file that makes it up is."""
    found = [item for item in lost if item is not None]
    if not found:
        return None
    first = min(found)
    return first if lost[0] is not None and lost[0][0] == first[0] else (first[0], "overwritten")


def _names(found: Iterator[Image]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for image in found for name in image.names))


def _base(found: Found, image: Image, index: int) -> bool | None:
    """Whether a layer belongs to the image that this one was built on; None where nothing here tells."""
    for other in found.images:
        named = other.manifest is not None and other.manifest == image.base_digest
        named = named or (image.base_name is not None and image.base_name in other.names)
        digests = [part.digest for part in other.layers]
        if named and other is not image and digests == [part.digest for part in image.layers[: len(digests)]]:
            return index < len(digests)
    return None


def remember(digest: str, listing: bytes) -> None:
    """Keep the names of a layer that was read, until the second look."""
    if sum(map(len, _listings.values())) + len(listing) > MOST_REMEMBERED:
        _listings.clear()
    _listings[digest] = listing


TARGET = TargetKind(
    kind="image", subject="image", find=find, units=units, open=open_unit, probe=probe, remember=remember
)
