"""`bluehour check`: whether a deployment keeps the contract, within a credit budget."""
