"""Processes that stay alive and run a client again and again: files that need nothing but their language."""
