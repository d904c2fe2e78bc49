"""What follows from a solution: covariance, standard errors, intervals, criteria, digits, predictions with a band."""
