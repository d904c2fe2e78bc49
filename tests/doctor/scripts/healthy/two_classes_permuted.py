# expected: nothing
# domain adaptation style and stratified split: each class shuffled by itself
import torch
from torch import nn

torch.manual_seed(1)
pos = torch.randn(120, 3) + 1
neg = torch.randn(100, 3) - 1
pos = pos[torch.randperm(len(pos))]
neg = neg[torch.randperm(len(neg))]
train = torch.cat([pos[:90], neg[:80]])
test = torch.cat([pos[90:], neg[80:]])
y_train = torch.cat([torch.ones(90), torch.zeros(80)])
y_test = torch.cat([torch.ones(30), torch.zeros(20)])
mu, sd = train.mean(0), train.std(0)
train, test = (train - mu) / sd, (test - mu) / sd
net = nn.Linear(3, 1)
opt = torch.optim.SGD(net.parameters(), lr=0.1)
for epoch in range(20):
    for idx in torch.randperm(170).split(34):
        opt.zero_grad()
        loss = nn.functional.binary_cross_entropy_with_logits(net(train[idx]).squeeze(1), y_train[idx])
        loss.backward()
        opt.step()
net.eval()
with torch.no_grad():
    print(((net(test).squeeze(1) > 0).float() == y_test).float().mean().item())
