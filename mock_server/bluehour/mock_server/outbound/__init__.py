"""Requests to somebody else's server: a picture that is named by URL, an event for a webhook.

Each has one deadline for everything from the look-up of the name to the last byte, goes to no target that the
policy denies, and goes to the very address that the policy has seen. It goes there directly: a proxy that the
environment names (`http_proxy`) would choose the address itself.
"""
