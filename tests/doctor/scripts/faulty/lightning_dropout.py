# expected: dropout_in_evaluation
import lightning
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Net(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(6, 32), nn.Linear(32, 3)

    def forward(self, x):
        return self.second(F.dropout(self.first(x).relu(), 0.3))  # here
        #! return self.second(F.dropout(self.first(x).relu(), 0.3, self.training))

    def training_step(self, batch, _):
        x, y = batch
        return F.cross_entropy(self(x), y)

    def validation_step(self, batch, _):
        x, y = batch
        self.log("loss", F.cross_entropy(self(x), y))

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=0.01)


torch.manual_seed(0)
x = torch.randn(200, 6)
y = x[:, :3].argmax(1)
quiet = ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary")
trainer = lightning.Trainer(max_epochs=3, accelerator="cpu", **dict.fromkeys(quiet, False))
trainer.fit(
    Net(),
    DataLoader(TensorDataset(x[:160], y[:160]), batch_size=20, shuffle=True),
    DataLoader(TensorDataset(x[160:], y[160:]), batch_size=20),
)
