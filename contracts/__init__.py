"""Everything that tests someone else against the contract: a deployment, a client, live traffic."""
