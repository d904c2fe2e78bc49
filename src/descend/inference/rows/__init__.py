"""Single rows: their numbers in the data, how much each weighs, and which are outliers."""
