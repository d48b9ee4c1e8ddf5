"""The ways in which an answer can be spoiled: their names, which `control.yaml` explains, and a page."""

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

# As nginx writes it, the proxy that clients meet most.
BAD_GATEWAY = b"""<html>
<head><title>502 Bad Gateway</title></head>
<body>
<center><h1>502 Bad Gateway</h1></center>
<hr><center>nginx</center>
</body>
</html>
"""
