# expected: nothing
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence

torch.manual_seed(0)
sequences = sorted((torch.randn(int(n), 3) for n in torch.randint(3, 20, (96,))), key=len)
y = torch.stack([(s[:, 0].mean() > 0).long() for s in sequences])


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru, self.out = nn.GRU(3, 16, batch_first=True), nn.Linear(16, 2)

    def forward(self, x, lengths):
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        return self.out(self.gru(packed)[1][-1])


net = Net()
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(4):
    for i in range(0, 96, 16):
        part = sequences[i : i + 16]
        scores = net(pad_sequence(part, batch_first=True), torch.tensor([len(s) for s in part]))
        opt.zero_grad()
        F.cross_entropy(scores, y[i : i + 16]).backward()
        opt.step()
