"""The names of the ways in which an answer can be spoiled; what each does, `control.yaml` says."""

from __future__ import annotations

from typing import Literal

Fault = Literal[
    "drop",
    "cut",
    "malformed_json",
    "empty_body",
    "html",
    "wrong_content_type",
    "no_content_type",
    "slow_drip",
]
