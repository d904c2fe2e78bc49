# expected: nothing
import torch

torch.manual_seed(0)
policy = torch.nn.Linear(3, 2)
optimizer = torch.optim.Adam(policy.parameters(), lr=0.05)
for _ in range(30):
    state = torch.randn(16, 3)
    chances = torch.distributions.Categorical(logits=policy(state))
    action = chances.sample()
    reward = (action == (state[:, 0] > 0).long()).float()
    loss = -(chances.log_prob(action) * (reward - reward.mean())).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
