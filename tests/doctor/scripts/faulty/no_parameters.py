# expected: wrong_parameters
import torch


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = [torch.nn.Linear(2, 1)]


optimizer = torch.optim.Adam(Net().parameters())  # here
