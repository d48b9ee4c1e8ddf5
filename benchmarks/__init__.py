"""Measurements of the server, each a command; `make bench` runs them."""
