"""What a receiver of webhooks needs: `verify` tells who sent one, and returns its event."""

from bluehour.mock_server.webhooks.signature import SignatureError, verify

__all__ = ["SignatureError", "verify"]
