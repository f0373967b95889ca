"""What bytes are by their first ones: programs with their architecture, archives, pictures, fonts, sound, documents."""

from __future__ import annotations

import struct
from typing import NamedTuple

_ELF = {
    0x02: "sparc", 0x03: "x86", 0x08: "mips", 0x14: "powerpc", 0x15: "powerpc64", 0x16: "s390", 0x28: "arm",
    0x2A: "superh", 0x2B: "sparcv9", 0x32: "ia64", 0x3E: "x86-64", 0xB7: "arm64", 0xF3: "riscv", 0xF7: "bpf",
    0x102: "loongarch",
}  # fmt: skip
"""e_machine of elf(5), as far as packages carry them."""
_PE = {0x14C: "x86", 0x8664: "x86-64", 0xAA64: "arm64", 0x1C0: "arm", 0x1C4: "arm", 0x200: "ia64"}
"""Machine of the COFF header, from Microsoft's description of the PE format."""
_MACHO = {7: "x86", 0x01000007: "x86-64", 12: "arm", 0x0100000C: "arm64", 18: "powerpc", 0x01000012: "powerpc64"}
"""cputype of mach/machine.h."""
_MACHO_MAGIC = {
    b"\xfe\xed\xfa\xce": ">", b"\xfe\xed\xfa\xcf": ">", b"\xce\xfa\xed\xfe": "<", b"\xcf\xfa\xed\xfe": "<",
}  # fmt: skip

_ARCHIVES: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\x1f\x8b\x08", "gzip"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "rar"),
    (b"\xfd7zXZ\0", "xz"),
    (b"BZh", "bzip2"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"MSCF", "cab"),
    (b"!<arch>\ndebian", "deb"),
    (b"\xed\xab\xee\xdb", "rpm"),
    (b"xar!", "xar"),
)
_OTHERS: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"BM", "bmp"),
    (b"\0\0\1\0", "ico"),
    (b"\0\0\2\0", "ico"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"8BPS", "psd"),
    (b"wOFF", "woff"),
    (b"wOF2", "woff2"),
    (b"\0\1\0\0", "ttf"),
    (b"OTTO", "otf"),
    (b"true", "ttf"),
    (b"ttcf", "ttf"),
    (b"%PDF-", "pdf"),
    (b"OggS", "ogg"),
    (b"ID3", "mp3"),
    (b"\xff\xfb", "mp3"),
    (b"\xff\xf3", "mp3"),
    (b"\xff\xf2", "mp3"),
    (b"fLaC", "flac"),
    (b"\x1aE\xdf\xa3", "webm"),
    (b"SQLite format 3\0", "sqlite"),
    (b"\xca\xfe\xba\xbe", "class"),
    (b"!<arch>\n", "ar"),
    (b"\0asm", "wasm"),
    (b"BC\xc0\xde", "bitcode"),
    (b"\x93NUMPY", "numpy"),
    (b"\x89HDF\r\n\x1a\n", "hdf5"),
    (b"PAR1", "parquet"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
)


class Native(NamedTuple):
    """A native program or library: its format, and its architectures, several with commas."""

    format: str
    architecture: str


def native_format(content: bytes) -> Native | None:
    """The format and architecture of a native program, from its header alone; None for anything else."""
    if content.startswith(b"\x7fELF") and len(content) >= 20:
        order = ">" if content[5] == 2 else "<"
        (machine,) = struct.unpack_from(f"{order}H", content, 18)
        return Native("elf", _ELF.get(machine, f"machine {machine}"))
    if content.startswith(b"MZ") and len(content) >= 64:
        at = int.from_bytes(content[60:64], "little")
        if content[at : at + 4] != b"PE\0\0" or len(content) < at + 6:
            return None
        (machine,) = struct.unpack_from("<H", content, at + 4)
        return Native("pe", _PE.get(machine, f"machine {machine}"))
    order = _MACHO_MAGIC.get(content[:4], "")
    if order and len(content) >= 8:
        (kind,) = struct.unpack_from(f"{order}I", content, 4)
        return Native("mach-o", _MACHO.get(kind, f"cpu {kind}"))
    if content.startswith((b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf")) and len(content) >= 8:
        (count,) = struct.unpack_from(">I", content, 4)
        size = 20 if content[3] == 0xBE else 32
        if 0 < count <= 16 and len(content) >= 8 + count * size:
            kinds = [struct.unpack_from(">I", content, 8 + at * size)[0] for at in range(count)]
            if all(kind in _MACHO for kind in kinds):
                return Native("mach-o", ",".join(_MACHO[kind] for kind in kinds))
    if content.startswith((b"\0asm\x01\0\0\0", b"\0asm\x0d\0\1\0")):
        return Native("wasm", "wasm")
    return None


def archive_format(content: bytes) -> str:
    """The format of an archive or compressed stream, by its first bytes; empty for anything else."""
    for begin, name in _ARCHIVES:
        if content.startswith(begin):
            if name == "bzip2" and content[4:10] not in (b"1AY&SY", b"\x17rE8P\x90"):
                return ""
            return name
    return "tar" if content[257:262] == b"ustar" else ""


def other_format(content: bytes) -> str:
    """The format of a picture, font, sound, film, document or the like; empty for anything else."""
    if content.startswith(b"RIFF") and len(content) >= 12:
        return {b"WEBP": "webp", b"WAVE": "wav", b"AVI ": "avi"}.get(content[8:12], "riff")
    if content[4:8] == b"ftyp":
        return "avif" if content[8:12] in (b"avif", b"avis", b"heic", b"mif1") else "mp4"
    if content[34:36] == b"LP":
        return "eot"
    return next((name for begin, name in _OTHERS if content.startswith(begin)), "")


def format_of(content: bytes) -> str:
    """The format by the first bytes, of whatever sort; empty where they are no known format."""
    native = native_format(content)
    return native.format if native else archive_format(content) or other_format(content)
