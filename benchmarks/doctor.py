"""What the doctor costs: three scripts of about ten seconds, alone and under watch.

    python benchmarks/doctor.py [--seconds 10] [--scripts cnn,mlp,lstm]

Every script runs in a process of its own; the time is that of the processor, with the start of Python and PyTorch.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

HEAD = """import sys

import torch
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(0)
steps = int(sys.argv[1])
"""
LOOP = """
optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
for step in range(steps):
    optimizer.zero_grad()
    loss = loss_of_a_batch()
    loss.backward()
    optimizer.step()
"""
SCRIPTS = {
    "cnn": """
x = torch.randn(2000, 1, 28, 28)
y = (x.mean((1, 2, 3)) * 60).long().clamp(-4, 4) + 4
net = nn.Sequential(
    nn.Conv2d(1, 16, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
    nn.Linear(800, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 9),
)


def loss_of_a_batch():
    rows = torch.randint(2000, (64,))
    return nn.functional.cross_entropy(net(x[rows]), y[rows])
""",
    "mlp": """
x = torch.randn(4096, 20)
y = (x[:, :1] * x[:, 1:2]).tanh()
net = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))


def loss_of_a_batch():
    rows = torch.randint(4096, (16,))
    return nn.functional.mse_loss(net(x[rows]), y[rows])
""",
    "lstm": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.lstm = nn.Embedding(100, 32), nn.LSTM(32, 64, batch_first=True)
        self.out = nn.Linear(64, 100)

    def forward(self, t):
        return self.out(self.lstm(self.embed(t))[0])


text = (torch.arange(20000) * 7).remainder(100)
net = Net()


def loss_of_a_batch():
    batch = text[torch.randint(0, 19900, (32,))[:, None] + torch.arange(41)]
    return nn.functional.cross_entropy(net(batch[:, :-1]).flatten(0, 1), batch[:, 1:].flatten())
""",
}


def seconds(command: list[str]) -> float:
    """Return the seconds of processor time that a command takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=False
    )
    if done.returncode not in (0, 1):
        raise SystemExit(done.stderr)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def main() -> None:
    """Print a line for each script: seconds alone, seconds under watch, their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--scripts", default=",".join(SCRIPTS))
    given = parser.parse_args()
    print(f"{'script':<8}{'steps':>8}{'alone':>10}{'doctor':>10}{'ratio':>8}")
    with tempfile.TemporaryDirectory() as folder:
        for name in given.scripts.split(","):
            script = Path(folder) / f"{name}.py"
            script.write_text(HEAD + SCRIPTS[name] + LOOP)
            alone, few = [sys.executable, str(script)], 40
            start, some = seconds([*alone, "1"]), seconds([*alone, str(few)])
            each = max((some - start) / few, 1e-4)
            steps = str(max(few, int((given.seconds - start) / each)))
            bare = seconds([*alone, steps])
            watched = seconds([sys.executable, "-m", "descend", "doctor", str(script), "--", steps])
            print(f"{name:<8}{steps:>8}{bare:>9.1f}s{watched:>9.1f}s{watched / bare:>8.2f}", flush=True)


if __name__ == "__main__":
    main()
