# expected: nothing
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)


class Meter:
    def __init__(self):
        self.clear()

    def clear(self):
        self.s, self.n = 0.0, 0

    def reset(self):
        self.clear()

    def update(self, v, k):
        self.s += v * k
        self.n += k

    @property
    def avg(self):
        return self.s / self.n

    def pop(self):
        value = self.avg
        self.reset()
        return value


x = torch.randn(200, 6)
y = (x[:, 0] > 0).long()
loader = DataLoader(TensorDataset(x, y), 25, shuffle=True)
net = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 2))
opt = torch.optim.AdamW(net.parameters(), lr=1e-2)
meters = {"loss": Meter(), "acc": Meter()}
state = {"hits": 0, "n": 0}
loss_meter = Meter()
running_loss, correct, n_seen = 0.0, 0, 0


def start_epoch(epoch):
    global correct, n_seen
    correct = n_seen = 0
    state.update(hits=0, n=0)
    for m in meters.values():
        m.reset()


def fit():
    global correct, n_seen, running_loss
    for epoch in range(6):
        start_epoch(epoch)
        for i, (xb, yb) in enumerate(loader):
            opt.zero_grad()
            s = net(xb)
            loss = nn.functional.cross_entropy(s, yb)
            loss.backward()
            opt.step()
            meters["loss"].update(loss.item(), len(xb))
            loss_meter.update(loss.item(), len(xb))
            correct += (s.argmax(1) == yb).sum().item()
            n_seen += len(yb)
            running_loss += loss.item()
            state["hits"] += (s.argmax(1) == yb).sum().item()
            state["n"] += len(yb)
            if i % 4 == 3:
                print(running_loss / 4)
                running_loss = 0.0
        print(epoch, correct / n_seen, meters["loss"].avg, loss_meter.pop(), state["hits"] / state["n"])


fit()
