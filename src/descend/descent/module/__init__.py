"""A PyTorch module as the model: its parameters stay where they are, and the loop steps them through a handle."""
