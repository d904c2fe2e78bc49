# expected: index_out_of_range
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self, words):
        super().__init__()
        self.embed = nn.Embedding(words, 8)
        self.rnn, self.out = nn.GRU(8, 8, batch_first=True), nn.Linear(8, 2)

    def forward(self, t):
        return self.out(self.rnn(self.embed(t))[1][-1])  # here
        #! return self.out(self.rnn(self.embed(t))[1][-1])


words = {w: i + 1 for i, w in enumerate(["the", "cat", "sat", "on", "a", "mat"])}
t = torch.tensor([[words["the"], words["cat"]], [words["a"], words["mat"]]])
y = torch.tensor([0, 1])
net = Net(len(words))  # wrong
#! net = Net(len(words) + 1)
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(10):
    opt.zero_grad()
    F.cross_entropy(net(t), y).backward()
    opt.step()
