"""The contract of the two editors alone, with what is around them: what most tests are about.

With all forty operations a check takes ten times as long, and shows the same of its rules.
"""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from functools import cache
from pathlib import Path

from bluehour.openapi.contract import Contract, load

_PATHS = (
    "/v1/ai-photo-editor",
    "/v1/ai-face-editor",
    "/v1/files/upload-urls",
    "/v1/image-projects/{id}",
    "/v1/account",
)

EDITORS = Contract({**load().document, "paths": {path: load().document["paths"][path] for path in _PATHS}})


@cache
def editors_file() -> Path:
    """Return a file of it, for commands' `--spec`; it is gone when the tests are."""
    folder = tempfile.mkdtemp(prefix="bluehour-editors-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    file = Path(folder) / "editors.json"
    file.write_text(json.dumps(EDITORS.document), "utf-8")
    return file
