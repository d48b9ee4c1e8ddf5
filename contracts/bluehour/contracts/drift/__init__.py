"""`bluehour drift`: how a published OpenAPI file differs from the contract."""
