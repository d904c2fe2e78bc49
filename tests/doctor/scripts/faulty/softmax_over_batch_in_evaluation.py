# expected: softmax_over_batch
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(120, 4)
y = x[:, :3].argmax(1)
net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(40):
    opt.zero_grad()
    loss = F.cross_entropy(net(x[:90]), y[:90])
    loss.backward()
    opt.step()
with torch.no_grad():
    chances = torch.softmax(net(x[90:]), dim=0)  # here
    #! chances = torch.softmax(net(x[90:]), dim=1)
    print((chances.argmax(1) == y[90:]).float().mean().item())
