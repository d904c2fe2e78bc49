# expected: accumulation_not_divided
import torch
from torch import nn

torch.manual_seed(0)


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(50, 12)
        self.out = nn.Linear(12, 4)

    def forward(self, t):
        return self.out(self.words(t).mean(1))


def train(net, parts, opt, criterion):
    for epoch in range(12):
        opt.zero_grad()
        for tokens, label in parts:
            scores = net(tokens)
            loss = criterion(scores, label)
            loss.backward()  # here
            #! (loss / len(parts)).backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        opt.step()


tokens = torch.randint(0, 50, (64, 5))
label = tokens[:, 0] % 4
net = Tagger()
opt = torch.optim.SGD(net.parameters(), lr=0.3, momentum=0.9)
train(net, list(zip(tokens.split(8), label.split(8))), opt, nn.CrossEntropyLoss())
