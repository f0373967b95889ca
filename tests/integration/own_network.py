"""A network of a test's own: a namespace with the loopback up, and addresses that are found nowhere else."""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
import threading
from collections.abc import Callable


def enter(*addresses: str) -> str:
    """Enter such a network with the calling thread; why not, where it cannot be had."""
    libc = ctypes.CDLL(None, use_errno=True)
    flags = 0x40000000 | (0 if os.geteuid() == 0 else 0x10000000)
    if libc.unshare(flags):
        return os.strerror(ctypes.get_errno())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for number, address in enumerate(("", *addresses)):
            name = f"lo:{number}" if address else "lo"
            if address:
                there = struct.pack("=16sHH4s8x", name.encode(), socket.AF_INET, 0, socket.inet_aton(address))
                fcntl.ioctl(control, 0x8916, there)  # SIOCSIFADDR
            fcntl.ioctl(control, 0x8914, struct.pack("=16sH14x", name.encode(), 0x41))  # SIOCSIFFLAGS: up, running
    return ""


def in_a_thread(act: Callable[[], None]) -> None:
    """Run in a thread that ends, so that its namespaces end with it."""
    failure: list[BaseException] = []

    def work() -> None:
        try:
            act()
        except BaseException as error:  # noqa: BLE001  passed on below
            failure.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
