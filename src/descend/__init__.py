"""Fit a model to data by gradient descent, wherever the data lie, and see how it was done."""
