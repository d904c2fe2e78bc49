# expected: nothing
import copy

import torch

torch.manual_seed(0)
online = torch.nn.Sequential(torch.nn.Linear(4, 16), torch.nn.ReLU(), torch.nn.Linear(16, 2))
target = copy.deepcopy(online)
optimizer = torch.optim.Adam(online.parameters(), lr=1e-3)
for step in range(30):
    state, following = torch.randn(16, 4), torch.randn(16, 4)
    action, reward = torch.randint(0, 2, (16,)), torch.randn(16)
    value = online(state).gather(1, action.unsqueeze(1)).squeeze(1)
    with torch.no_grad():
        goal = reward + 0.9 * target(following).max(dim=1).values
    loss = torch.nn.functional.smooth_l1_loss(value, goal)
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_value_(online.parameters(), 10)
    optimizer.step()
    if step % 10 == 0:
        target.load_state_dict(online.state_dict())
