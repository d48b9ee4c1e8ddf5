"""The check as a pytest suite, each rule a test.

`pytest --pyargs bluehour.contracts.suite --bluehour-url URL` runs it.
"""
