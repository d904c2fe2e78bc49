"""Scripts with the `Trainer` of Hugging Face: the same faults, named at the user's own line."""

from __future__ import annotations

from pathlib import Path

import pytest

from descend.doctor import examine

pytestmark = pytest.mark.slow
HEAD = """
import tempfile

import torch
from torch import nn
from torch.utils.data import Dataset
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments, set_seed

set_seed(0)


class Rows(Dataset):
    def __init__(self, count):
        generator = torch.Generator().manual_seed(count)
        self.tokens = torch.randint(5, 40, (count, 12), generator=generator)
        self.labels = self.tokens[:, 1] % 3

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, row):
        return {"input_ids": self.tokens[row], "labels": self.labels[row]}


def tiny(**more):
    sizes = {"vocab_size": 40, "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "num_labels": 3}
    sizes |= {"intermediate_size": 64, "max_position_embeddings": 16}
    return BertForSequenceClassification(BertConfig(**(sizes | more)))


def settings(**more):
    usual = {"report_to": [], "num_train_epochs": 2, "per_device_train_batch_size": 16, "use_cpu": True}
    usual |= {"learning_rate": 1e-3, "save_strategy": "no", "disable_tqdm": True, "output_dir": tempfile.mkdtemp()}
    return TrainingArguments(**(usual | more))


class Mine(nn.Module):
    def __init__(self, softmax=False):
        super().__init__()
        self.embed, self.head, self.softmax = nn.Embedding(40, 16), nn.Linear(16 * 12, 3), softmax

    def forward(self, input_ids, labels=None):
        scores = self.head(self.embed(input_ids).flatten(1))
        if self.softmax:
            scores = torch.softmax(scores, dim=-1)
        return {"loss": nn.functional.cross_entropy(scores, labels), "logits": scores}


class Upwards(Trainer):
    def compute_loss(self, model, inputs, return_outputs=False, **more):
        loss = super().compute_loss(model, inputs, **more)
        return -loss


rows = Rows(400)
"""
FIT = "Trainer(tiny(), settings(), train_dataset=rows).train()\n"
CASES = {
    "usual": (
        "def accuracy(given):\n"
        "    return {'accuracy': float((given.predictions.argmax(-1) == given.label_ids).mean())}\n"
        "more = settings(eval_strategy='epoch', warmup_steps=5, gradient_accumulation_steps=2, weight_decay=0.01)\n"
        "Trainer(tiny(), more, train_dataset=rows, eval_dataset=Rows(90), compute_metrics=accuracy).train()\n",
        None,
        "",
    ),
    "own optimizer": (
        "net = tiny()\nnet.bert.embeddings.requires_grad_(False)\n"
        "opt = torch.optim.AdamW([one for one in net.parameters() if one.requires_grad], lr=2e-3)\n"
        "down = torch.optim.lr_scheduler.LambdaLR(opt, lambda step: 1 / (1 + step / 10))\n"
        "Trainer(net, settings(), train_dataset=rows, optimizers=(opt, down)).train()\n",
        None,
        "",
    ),
    "labels from 1": ("rows.labels += 1\n" + FIT, "class_out_of_range", FIT.strip()),
    "tokens beyond the table": ("rows.tokens += 3\n" + FIT, "index_out_of_range", FIT.strip()),
    "softmax in the model": (
        "Trainer(Mine(softmax=True), settings(), train_dataset=rows).train()\n",
        "activation_twice",
        "scores = torch.softmax(scores, dim=-1)",
    ),
    "parameters of another model": (
        "net, other = tiny(), tiny()\nopt = torch.optim.AdamW(other.parameters(), lr=1e-3)\n"
        "Trainer(net, settings(), train_dataset=rows, optimizers=(opt, None)).train()\n",
        "wrong_parameters",
        "opt = torch.optim.AdamW(other.parameters(), lr=1e-3)",
    ),
    "a loss with a minus sign": (
        "Upwards(tiny(), settings(), train_dataset=rows).train()\n",
        "loss_maximised",
        "return -loss",
    ),
    "sorted rows": (
        "order = rows.labels.argsort()\nrows.tokens, rows.labels = rows.tokens[order], rows.labels[order]\n"
        "Trainer(tiny(), settings(train_sampling_strategy='sequential'), train_dataset=rows).train()\n",
        "labels_sorted",
        "Trainer(tiny(), settings(train_sampling_strategy='sequential'), train_dataset=rows).train()",
    ),
    "a rate far too large": (
        "Trainer(tiny(), settings(learning_rate=1.0), train_dataset=rows).train()\n",
        "rate_too_large",
        "Trainer(tiny(), settings(learning_rate=1.0), train_dataset=rows).train()",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_trainer_of_hugging_face(case: str, tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    pytest.importorskip("transformers")
    pytest.importorskip("accelerate")
    text, name, code = CASES[case]
    script = tmp_path / "train.py"
    script.write_text(HEAD + text)
    findings = examine(script).findings
    assert [one.name for one in findings] == ([] if name is None else [name])
    if name is not None:
        assert findings[0].place is not None
        assert findings[0].place.code == code
