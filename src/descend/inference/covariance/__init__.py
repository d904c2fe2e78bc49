"""How certain the parameters are: covariances of every kind, and the standard errors and correlations that follow."""
