"""What the doctor finds and costs, beside other tools that are told no more than it is.

    python benchmarks/doctor.py [--seconds 10] [--scripts cnn,mlp,lstm] [--tools descend,torch-audit-sparse,torchmortem]
    python benchmarks/doctor.py --folder FOLDER [--tools descend,torch-audit,torchmortem,torchtest2,mldoct]

Cost: three scripts of about ten seconds, alone and under watch, each in a process of its own; the time is that of the
processor, with the start of Python and PyTorch. Findings: FOLDER holds scripts in `faulty`, each of which ends with
`# fault: ...; line N; ...`, perhaps `# lines accepted too: N, N`, and `# words: REGULAR EXPRESSION`, which is what
names the fault; those in `healthy` and `repaired` have none. How each tool is run: `doctor_rivals.py`.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

RIVALS = Path(__file__).with_name("doctor_rivals.py")
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


def costs(scripts: list[str], tools: list[str], given: float) -> None:
    """Print for each script seconds alone, and for each tool the ratio of seconds under watch to these."""
    print(f"{'script':<8}{'steps':>8}{'alone':>9}" + "".join(f"{tool:>20}" for tool in tools))
    with tempfile.TemporaryDirectory() as folder:
        for name in scripts:
            script = Path(folder) / f"{name}.py"
            script.write_text(HEAD + SCRIPTS[name] + LOOP)
            alone, few = [sys.executable, str(script)], 40
            start, some = seconds([*alone, "1"]), seconds([*alone, str(few)])
            each = max((some - start) / few, 1e-4)
            steps = str(max(few, int((given - start) / each)))
            bare = seconds([*alone, steps])
            print(f"{name:<8}{steps:>8}{bare:>8.1f}s", end="", flush=True)
            for tool in tools:
                rival = [sys.executable, str(RIVALS), tool, str(script), steps]
                ours = [sys.executable, "-m", "descend", "doctor", str(script), "--", steps]
                watched = seconds(ours if tool == "descend" else rival)
                print(f"{watched:>12.1f}s{watched / bare:>6.2f}x", end="", flush=True)
            print()


def footer(text: str, key: str) -> str:
    """Return what one of the last lines of a script says."""
    found = re.findall(rf"^# {key}: ?(.*)$", text, re.M)
    return found[-1].strip() if found else ""


def findings(folder: Path, tools: list[str]) -> None:
    """Print for each tool how many faults it names, at how many of the right lines, and how often it claims wrongly."""
    print(f"{'tool':<20}{'named':>12}{'at its line':>14}{'false alarms':>16}{'of these sure':>16}")
    for tool in tools:
        command = [sys.executable, str(RIVALS), tool, "--folder", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        said = json.loads(done.stdout.splitlines()[-1])
        faulty = alarms = sure = named = placed = 0
        for script, found in said.items():
            text = (folder / f"{script}.py").read_text()
            if not script.startswith("faulty/"):
                alarms, sure = alarms + bool(found), sure + any(one[0] for one in found or ())
                continue
            faulty += 1
            words = re.compile(footer(text, "words"), re.I)
            lines = {int(re.search(r"; line (\d+)", text)[1])}  # type: ignore[index]
            lines |= {int(line) for line in re.findall(r"\d+", footer(text, "lines accepted too"))}
            right = [line for _, what, line in found or () if words.search(what)]
            named += bool(right)
            placed += any(line is not None and any(abs(line - one) <= 1 for one in lines) for line in right)
        clean = len(said) - faulty
        print(f"{tool:<20}{named:>6} of {faulty:<3}{placed:>12}{alarms:>12} of {clean:<3}{sure:>12}", flush=True)


def main() -> None:
    """Print one of the two tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--scripts", default=",".join(SCRIPTS))
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--tools", default="descend")
    given = parser.parse_args()
    if given.folder is not None:
        findings(given.folder, given.tools.split(","))
    else:
        costs(given.scripts.split(","), given.tools.split(","), given.seconds)


if __name__ == "__main__":
    main()
