"""What a caller can force without changing the client: by a Prefer header, or by rules."""
