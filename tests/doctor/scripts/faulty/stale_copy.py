# expected: wrong_parameters
import copy

import torch


def main():
    torch.manual_seed(0)
    template = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))
    optimizer = torch.optim.Adam(template.parameters(), lr=0.01)  # here
    net = copy.deepcopy(template)
    x = torch.randn(30, 2)
    for _ in range(10):
        net.zero_grad()
        loss = (net(x) - x[:, :1]).square().mean()
        loss.backward()
        optimizer.step()


main()
