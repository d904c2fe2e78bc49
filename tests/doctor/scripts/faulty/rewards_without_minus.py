# expected: loss_maximised
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(200, 5)
pays = torch.randn(5, 3)
net = nn.Linear(5, 3)
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(40):
    context = torch.randn(32, 5)
    choice = torch.distributions.Categorical(logits=net(context))
    arm = choice.sample()
    reward = (context @ pays).gather(1, arm[:, None])[:, 0]
    optimizer.zero_grad()
    loss = (choice.log_prob(arm) * (reward > reward.median())).sum() / 32  # here
    #! loss = -(choice.log_prob(arm) * (reward > reward.median())).sum() / 32
    loss.backward()
    optimizer.step()
