# expected: nothing
import torch
from torch import nn

torch.manual_seed(0)
policy = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 2))
opt = torch.optim.Adam(policy.parameters(), lr=0.01)
total_reward = 0.0
for episode in range(20):
    state, logs, rewards = torch.randn(2), [], []
    for t in range(8):
        chances = torch.softmax(policy(state), -1)
        action = torch.multinomial(chances, 1)
        logs.append(torch.log(chances[action]))
        reward = float(action.item() == int(state[0] > 0))
        total_reward += reward
        rewards.append(reward)
        state = torch.randn(2)
    returns = torch.tensor(rewards).flip(0).cumsum(0).flip(0)
    returns = (returns - returns.mean()) / (returns.std() + 1e-6)
    loss = torch.stack([-log * gain for log, gain in zip(logs, returns)]).sum()
    opt.zero_grad()
    loss.backward()
    opt.step()
    print(episode, total_reward / (episode + 1))
