# expected: input_shape
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)

pictures = torch.rand(40, 16, 16, 3)
labels = (pictures.mean((1, 2, 3)) > 0.5).long()
net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(2))
batch = pictures  # wrong
#! batch = pictures.permute(0, 3, 1, 2)
net(pictures.permute(0, 3, 1, 2))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(12):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(batch), labels)  # here
    #! loss = F.cross_entropy(net(batch), labels)
    loss.backward()
    optimizer.step()
