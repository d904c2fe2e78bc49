# expected: nll_without_log_softmax
import torch
from torch import nn

torch.manual_seed(0)
tokens = torch.randint(0, 20, (60, 4))
y = tokens[:, 0] % 3
net = nn.Sequential(nn.EmbeddingBag(20, 8), nn.Linear(8, 3))
#! net.append(nn.LogSoftmax(1))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
criterion = nn.NLLLoss()
for _ in range(30):
    opt.zero_grad()
    loss = criterion(net(tokens), y)  # here
    #! loss = criterion(net(tokens), y)
    loss.backward()
    opt.step()
