"""What another contract's server sends by itself: its callbacks, and its webhooks' events about items."""
