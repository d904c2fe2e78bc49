# expected: evaluated_in_training_mode
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.3, batch_first=True)
        self.out = nn.Linear(8, 2)

    def forward(self, x):
        return self.out(self.layer(x).mean(1))


x = torch.randn(120, 5, 8)
y = (x[:, 0, 0] > 0).long()
net = Net()
opt = torch.optim.Adam(net.parameters(), lr=0.003)
for epoch in range(8):
    for rows in torch.randperm(90).split(30):
        opt.zero_grad()
        F.cross_entropy(net(x[rows]), y[rows]).backward()
        opt.step()
#! net.eval()
with torch.inference_mode():
    guess = net(x[90:]).argmax(1)  # here
    #! guess = net(x[90:]).argmax(1)
print("accuracy", (guess.numpy() == y[90:].numpy()).mean())
