# expected: softmax_over_wrong_axis
import torch
from torch.nn import functional as F

torch.manual_seed(0)
pictures = torch.randn(64, 1, 6, 9)
kinds = (pictures[:, 0] > 0.5).long() + (pictures[:, 0] > -0.5).long()
net = torch.nn.Sequential(torch.nn.Conv2d(1, 8, 3, padding=1), torch.nn.ReLU(), torch.nn.Conv2d(8, 3, 1))
optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
for _ in range(8):
    for rows in torch.randperm(64).split(16):
        p = torch.softmax(net(pictures[rows]), dim=-1)  # here
        #! p = torch.softmax(net(pictures[rows]), dim=1)
        loss = F.nll_loss(torch.log(p.permute(0, 2, 3, 1).reshape(-1, 3) + 1e-8), kinds[rows].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
