# expected: nothing
import torch
from torch import nn
from torch.distributions import Categorical

torch.manual_seed(0)
policy = nn.Sequential(nn.Linear(3, 16), nn.Tanh(), nn.Linear(16, 3))
opt = torch.optim.Adam(policy.parameters(), lr=0.01)
baseline = 0.0
for episode in range(60):
    state = torch.randn(16, 3)
    choice = Categorical(logits=policy(state))
    action = choice.sample()
    reward = (action == state.argmax(1)).float()
    loss = -(choice.log_prob(action) * (reward - baseline)).mean()
    baseline = 0.9 * baseline + 0.1 * reward.mean().item()
    opt.zero_grad()
    loss.backward()
    opt.step()
