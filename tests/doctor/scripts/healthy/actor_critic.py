# expected: nothing
import torch
from torch import nn
from torch.distributions import Categorical

torch.manual_seed(0)
actor, critic = nn.Linear(4, 3), nn.Linear(4, 1)
opt = torch.optim.Adam(list(actor.parameters()) + list(critic.parameters()), lr=1e-2)
for ep in range(60):
    s = torch.randn(16, 4)
    d = Categorical(logits=actor(s))
    a = d.sample()
    r = (a == s[:, :3].argmax(1)).float()
    v = critic(s).squeeze(-1)
    adv = (r - v).detach()
    adv = (adv - adv.mean()) / (adv.std() + 1e-8)
    policy_loss = -(d.log_prob(a) * adv).mean()
    loss = policy_loss + 0.5 * (r - v).pow(2).mean() - 0.01 * d.entropy().mean()
    opt.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(actor.parameters(), 0.5)
    opt.step()
