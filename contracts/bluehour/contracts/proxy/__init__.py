"""`bluehour proxy`: live traffic between any client and a deployment, judged in both directions."""
