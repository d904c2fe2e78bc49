# expected: dropout_in_evaluation
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.out = nn.LSTM(3, 16, batch_first=True), nn.Linear(16, 1)

    def forward(self, x):
        h, _ = self.lstm(x)
        h = F.dropout(h[:, -1], p=0.4)  # here
        #! h = F.dropout(h[:, -1], p=0.4, training=self.training)
        return self.out(h)


x = torch.randn(100, 6, 3)
y = x[:, :, 0].sum(1, keepdim=True)
net = Net()
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(15):
    net.train()
    opt.zero_grad()
    F.mse_loss(net(x[:80]), y[:80]).backward()
    opt.step()
    net.eval()
    with torch.no_grad():
        val = F.mse_loss(net(x[80:]), y[80:]).item()
