# expected: nothing
import torch
from torch import nn


def each_by_itself(rows):
    return (rows - rows.mean(1, keepdim=True)) / rows.std(1, keepdim=True)


# A network is trained, then only its biases on; rows are scaled each by itself, those for tests too.
torch.manual_seed(0)
x = torch.randn(200, 6) * 3 + 5
labels = x[:, :3].argmax(1)
x_test, labels_test = each_by_itself(x[150:]), labels[150:]
x, labels = each_by_itself(x[:150]), labels[:150]
net = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 3))
for stage in range(2):
    for name, parameter in net.named_parameters():
        parameter.requires_grad = stage == 0 or name == "2.bias"
    optimizer = torch.optim.Adam([one for one in net.parameters() if one.requires_grad], lr=0.01)
    for _ in range(6):
        for rows in torch.randperm(150).split(25):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(net(x[rows]), labels[rows])
            loss.backward()
            optimizer.step()
kept = []
for _ in range(20):  # several results are kept with their graphs, and used
    kept.append(net(x[:20]))
optimizer.zero_grad()
nn.functional.cross_entropy(torch.stack(kept).mean(0), labels[:20]).backward()
optimizer.step()
with torch.no_grad():
    print((net(x_test).argmax(1) == labels_test).float().mean().item())
