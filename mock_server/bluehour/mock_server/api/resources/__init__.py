"""What a mock does with any contract's resources: what was POSTed can be got, listed, changed, deleted."""
