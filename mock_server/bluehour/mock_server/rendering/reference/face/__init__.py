"""Faces: where they are, what is measured on them, and how they are moved."""
