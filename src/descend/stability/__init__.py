"""What gradient descent does on a parabola: how curved J is, which learning rate is stable, where each epoch stands."""
