# expected: nothing
import copy

import torch

torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(3, 16), torch.nn.ReLU(), torch.nn.Dropout(0.2), torch.nn.Linear(16, 1))
optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
x = torch.randn(120, 3)
y = x.sum(dim=1, keepdim=True)
best, best_state, patience = float("inf"), None, 5
for epoch in range(60):
    model.train()
    optimizer.zero_grad()
    loss = torch.nn.functional.smooth_l1_loss(model(x[:90]), y[:90])
    loss.backward()
    optimizer.step()
    model.eval()
    with torch.no_grad():
        validation = torch.nn.functional.smooth_l1_loss(model(x[90:]), y[90:]).item()
    if validation < best:
        best, best_state, patience = validation, copy.deepcopy(model.state_dict()), 5
    else:
        patience -= 1
        if patience == 0:
            break
model.load_state_dict(best_state)
