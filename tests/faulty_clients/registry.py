"""All faulty clients, and the two that have no fault."""

from __future__ import annotations

from importlib import import_module

from .entry import FaultyClient, known

CAREFUL = FaultyClient("careful", "tests/faulty_clients/careful.py", "edit", "", "")

RECEIVING = FaultyClient(
    "careful-with-receiver", "tests/faulty_clients/receiving.py", "edit", "", "", has_receiver=True
)

_MODULES = (
    "requesting",
    "uploading",
    "paying",
    "retrying",
    "polling",
    "reading",
    "crashing",
    "downloading",
    "receiving",
    "telling",
    "urllib_style",
    "http_client_style",
    "asyncio_style",
)

for _module in _MODULES:
    import_module(f"{__package__}.{_module}")

FAULTY: tuple[FaultyClient, ...] = tuple(known)
