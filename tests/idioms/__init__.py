"""Six clients as public code has them, one for each way of asking again; what fuzz finds is in docs/found."""
