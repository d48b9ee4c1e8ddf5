"""Bluehour as other people have it: built, installed, and beside what else they have."""
