"""The stage: a server that answers by a script, byte for byte, and takes down what it is asked."""

from .events import Webhook, webhook_at
from .server import Showing, Stage, StageError

__all__ = ["Showing", "Stage", "StageError", "Webhook", "webhook_at"]
