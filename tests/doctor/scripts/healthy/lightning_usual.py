# expected: nothing
import lightning as L
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Net(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Dropout(0.1), nn.Linear(16, 2))

    def training_step(self, batch, _):
        x, y = batch
        loss = F.cross_entropy(self.body(x), y)
        self.log("train", loss)
        return loss

    def validation_step(self, batch, _):
        x, y = batch
        self.log("accuracy", (self.body(x).argmax(1) == y).float().mean())

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=0.01)


torch.manual_seed(0)
x = torch.randn(200, 5)
y = x[:, :2].argmax(1)
train = DataLoader(TensorDataset(x[:160], y[:160]), batch_size=20, shuffle=True)
test = DataLoader(TensorDataset(x[160:], y[160:]), batch_size=20)
trainer = L.Trainer(
    max_epochs=3,
    accelerator="cpu",
    logger=False,
    enable_checkpointing=False,
    enable_progress_bar=False,
    enable_model_summary=False,
)
trainer.fit(Net(), train, test)
