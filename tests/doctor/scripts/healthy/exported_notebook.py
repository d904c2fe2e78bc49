# expected: nothing
# notebook export
# In[1]:
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(3)
# In[2]:
data = torch.randn(400, 5)
labels = (data.sum(1) > 0).long()
idx = torch.randperm(400)
tr, te = idx[:300], idx[300:]
mean, std = data[tr].mean(0, keepdim=True), data[tr].std(0, keepdim=True)
data = (data - mean) / std
# In[3]:
model = nn.Sequential(nn.Linear(5, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
best, patience = 0, 0
correct, total, epoch_loss = 0, 0, 0.0
losses = []


# In[4]:
def reset_counts():
    global correct, total, epoch_loss
    correct, total, epoch_loss = 0, 0, 0.0


for epoch in range(8):
    model.train()
    reset_counts()
    for b in tr[torch.randperm(300)].split(50):
        optimizer.zero_grad()
        out = model(data[b])
        loss = F.cross_entropy(out, labels[b])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        epoch_loss += loss.item()
        correct += (out.argmax(-1) == labels[b]).sum().item()
        total += len(b)
    print(f"{epoch}: {epoch_loss / total:.3f} {correct / total:.3f}")
# In[5]:
model.eval()
with torch.no_grad():
    acc = (model(data[te]).argmax(1) == labels[te]).float().mean()
acc
