"""The check as a pytest suite, each rule a test: `pytest --pyargs contracts.suite --bluehour-url URL`."""
