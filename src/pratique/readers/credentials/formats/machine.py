"""What a machine says of its maker: whether a metadata service that hands out credentials is in reach.

Compares one line of the firmware's tables with the row's `fields`, names of clouds. The service itself is never asked.

## References
Linux `Documentation/ABI/testing/sysfs-firmware-dmi-entries`; the clouds' documentation "identify instances".
"""

from __future__ import annotations

from collections.abc import Iterator

from pratique.model.credential import CredentialFact
from pratique.readers.credentials.contract import Fingerprint, Reason, Row


def read(data: bytes, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact | Reason]:
    """Yield a reference where the machine is one of that cloud."""
    if data.decode("utf-8", "replace").strip() in row.fields:
        yield CredentialFact(field="metadata service", state="reference", protection="unknown")
