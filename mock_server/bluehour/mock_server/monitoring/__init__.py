"""How a mock is doing, for machines that watch it: whether it is ready, and its figures for Prometheus."""
