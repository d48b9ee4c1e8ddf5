"""What the statuses of an image project mean."""

from __future__ import annotations

OVER = ("complete", "error", "canceled")
"""Those that it keeps."""
