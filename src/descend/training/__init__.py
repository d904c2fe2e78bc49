"""Training PyTorch modules: their parameters stay where they are, and the loop steps them through a handle."""
