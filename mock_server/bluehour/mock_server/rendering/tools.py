"""The store's jobs as Procrastinate's own tools see them; BLUEHOUR_STORE names the store.

`procrastinate --app bluehour.mock_server.rendering.tools.app shell list_jobs` lists them.
"""

from __future__ import annotations

import os

from .engine import app_of

app = app_of(os.environ["BLUEHOUR_STORE"])
