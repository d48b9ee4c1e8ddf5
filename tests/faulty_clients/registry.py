"""All faulty clients, and the one that has no fault."""

from __future__ import annotations

from importlib import import_module

from .entry import FaultyClient, known

CAREFUL = FaultyClient("careful", "tests/faulty_clients/careful.py", "edit", "", "")

_MODULES = (
    "requesting",
    "uploading",
    "paying",
    "retrying",
    "polling",
    "reading",
    "crashing",
    "downloading",
    "telling",
    "urllib_style",
    "http_client_style",
    "asyncio_style",
)

for _module in _MODULES:
    import_module(f"{__package__}.{_module}")

FAULTY: tuple[FaultyClient, ...] = tuple(known)
