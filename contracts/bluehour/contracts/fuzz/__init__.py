"""`bluehour fuzz`: a client against everything that the contract and the network allow.

A script says what is answered. The stage plays it to a client, the judge reads what the client did, and what
breaks a rule is shrunk to the fewest answers.
"""
