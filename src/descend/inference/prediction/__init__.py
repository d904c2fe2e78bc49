"""New rows: their predictions with bands, which input gives a response, and where to measure next."""
