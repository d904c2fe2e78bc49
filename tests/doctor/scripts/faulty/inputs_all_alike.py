# expected: inputs_all_alike
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)

measured = torch.rand(400, 5)
y = (measured.sum(1) > 2.5).float().unsqueeze(1)
x = measured.long().float()  # wrong
#! x = measured
net = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 1))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(40):
    rows = torch.randperm(400)[:100]
    optimizer.zero_grad()
    loss = F.binary_cross_entropy_with_logits(net(x[rows]), y[rows])  # here
    #! loss = F.binary_cross_entropy_with_logits(net(x[rows]), y[rows])
    loss.backward()
    optimizer.step()
print(loss.item())
