# expected: dropout_in_evaluation
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv, self.out = nn.Linear(4, 24), nn.Linear(8, 1)

    def forward(self, x):
        q, k, v = self.qkv(x).chunk(3, -1)
        h = F.scaled_dot_product_attention(q, k, v, dropout_p=0.2)  # here
        #! h = F.scaled_dot_product_attention(q, k, v, dropout_p=0.2 if self.training else 0.0)
        return self.out(h.mean(1))


x = torch.randn(80, 5, 4)
y = x.sum((1, 2))[:, None]
net = Net()
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(12):
    net.train()
    opt.zero_grad()
    F.mse_loss(net(x[:60]), y[:60]).backward()
    opt.step()
    net.eval()
    with torch.no_grad():
        print(F.mse_loss(net(x[60:]), y[60:]).item())
