"""What data leave open: parameters that trade off, equally good answers, and likelihoods without a maximum."""
