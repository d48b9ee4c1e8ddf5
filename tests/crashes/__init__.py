"""Servers, workers and the database of one mock are killed and stopped while clients use it."""
