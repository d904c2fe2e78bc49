# expected: nothing
import torch


class Features(torch.nn.Module):
    def __init__(self, frozen):
        super().__init__()
        self.layer = torch.nn.Linear(6, 24)
        self.frozen = frozen

    def forward(self, x):
        with torch.set_grad_enabled(not self.frozen):
            return self.layer(x).relu()


torch.manual_seed(0)
x = torch.randn(100, 6)
y = x[:, :3].argmax(1)
features, head = Features(frozen=False), torch.nn.Linear(24, 3)
optimizer = torch.optim.SGD([*features.parameters(), *head.parameters()], lr=0.1)
for _ in range(20):
    optimizer.zero_grad()
    loss = torch.nn.functional.cross_entropy(head(features(x)), y)
    loss.backward()
    optimizer.step()
features.frozen = True
for parameter in features.parameters():
    parameter.requires_grad = False
for _ in range(10):
    optimizer.zero_grad()
    loss = torch.nn.functional.cross_entropy(head(features(x)), y)
    loss.backward()
    optimizer.step()
