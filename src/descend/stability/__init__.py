"""What gradient descent does on a parabola: its curvature, the stable learning rates, and where each epoch ends."""
