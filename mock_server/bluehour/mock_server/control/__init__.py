"""The control API under /_mock: see and force everything in a running mock.

What it takes and answers is in `control.yaml`; each feature carries out the operations on what is its own.
`client` speaks to the API from tests and scripts.
"""

from __future__ import annotations

PREFIX = "/_mock"
"""The path below which all of it is; `control.yaml` and the console's page write it out."""
