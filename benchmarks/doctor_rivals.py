"""What other tools say of training scripts, none of which is told what is wrong: see `doctor.py`, which runs this.

    python benchmarks/doctor_rivals.py TOOL SCRIPT [ARGUMENTS]   one script, in this process
    python benchmarks/doctor_rivals.py TOOL --folder FOLDER      all of a folder, as JSON

Most ask for lines in the script. Here they are put in as their pages say, at the first forward pass of a model after an
optimizer was made: the model is the module that is called, the loss what `backward` is called on, and the loss function
the one of `torch.nn.functional` that was called last.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import runpy
import sys
import warnings
from pathlib import Path
from typing import Any

Said = list[tuple[bool, str, int | None]]
"""What a tool finds: whether it is sure, its words, its line if any. What is only for information is left out."""


class Tool:
    """A tool that is handed the parts of a script while it runs."""

    def __init__(self) -> None:
        self.model: Any = None
        self.optimizer: Any = None
        self.batch: Any = None
        self.compared: Any = None
        self.loss = float("nan")
        self.busy = self.stepped = False

    def begin(self) -> None:
        """Model and optimizer are known."""

    def before_first_step(self) -> None:
        """Batch and loss function are known as well."""

    def after_step(self) -> None:
        """A step was taken."""

    def end(self, script: Path) -> Said:
        """Return what was found."""
        return []

    def run(self, script: Path, arguments: list[str]) -> Said:
        """Run a script, and say what was found."""
        import torch
        from torch.nn.modules.module import register_module_forward_pre_hook
        from torch.optim import optimizer

        made, passed = optimizer.Optimizer.__init__, torch.Tensor.backward
        functions = {
            name: function for name, function in vars(torch.nn.functional).items() if name.endswith(("loss", "entropy"))
        }

        def making(own: Any, *args: Any, **kwargs: Any) -> None:
            made(own, *args, **kwargs)
            self.optimizer = self.optimizer or own

        def backward(loss: Any, *args: Any, **kwargs: Any) -> None:
            self.loss = loss.item() if loss.numel() == 1 else float("nan")
            passed(loss, *args, **kwargs)

        def called(module: Any, args: Any) -> None:
            if self.model is None and self.optimizer is not None and not self.busy and torch.is_grad_enabled():
                self.model, self.batch, self.busy = module, args, True
                self.begin()
                self.busy = False

        def before(own: Any, args: Any, kwargs: Any) -> None:
            if self.model is not None and not self.busy and not self.stepped and own is self.optimizer:
                self.stepped = self.busy = True
                self.before_first_step()
                self.busy = False

        def after(own: Any, args: Any, kwargs: Any) -> None:
            if self.model is not None and not self.busy and own is self.optimizer:
                self.after_step()

        def noted(function: Any) -> Any:
            def wrapped(prediction: Any, target: Any = None, *args: Any, **kwargs: Any) -> Any:
                if not self.busy:
                    self.compared = (lambda p, t: function(p, t, *args, **kwargs)), target
                return function(prediction, target, *args, **kwargs)

            return wrapped

        optimizer.Optimizer.__init__, torch.Tensor.backward = making, backward  # type: ignore[method-assign]
        for name, function in functions.items():
            setattr(torch.nn.functional, name, noted(function))
        register_module_forward_pre_hook(called)
        optimizer.register_optimizer_step_pre_hook(before)
        optimizer.register_optimizer_step_post_hook(after)
        _as_main(script, arguments)
        self.busy = True
        return self.end(script) if self.model is not None else []


def _as_main(script: Path, arguments: list[str]) -> None:
    sys.argv, sys.path[0] = [str(script), *arguments], str(script.parent)
    with contextlib.suppress(Exception, SystemExit):
        runpy.run_path(str(script), run_name="__main__")


class TorchAudit(Tool):
    """`autopatch`, at every step; `sparse` as its page has it, at every thousandth."""

    every = 1

    def begin(self) -> None:
        from torch_audit import autopatch

        self.audit = autopatch(self.model, optimizer=self.optimizer, every_n_steps=self.every, reporters=[])

    def end(self, script: Path) -> Said:
        result = self.audit.finish(report=False)
        kinds = {(one.rule_id, one.module_path, one.entity): one for one in result.findings}
        return [
            (one.severity.value != "WARN", f"{one.message} {result.rules.get(one.rule_id, one.rule_id)}", None)
            for one in kinds.values()
            if one.severity.value != "INFO"
        ]


class TorchAuditSparse(TorchAudit):
    """The same at every thousandth step."""

    every = 1000


class TorchMortem(Tool):
    """`Autopsy` with its usual settings."""

    def begin(self) -> None:
        from torchmortem import Autopsy

        self.autopsy = Autopsy(self.model, optimizer=self.optimizer)
        self.autopsy.attach()

    def after_step(self) -> None:
        self.autopsy.step(loss=self.loss)

    def end(self, script: Path) -> Said:
        self.autopsy.detach()
        report = self.autopsy.get_report()
        found = [one for one in report.findings if one.severity.name != "INFO"] if report else []
        return [
            (one.severity.name == "CRITICAL", " ".join([one.title, one.summary, one.detail, *one.remediation]), None)
            for one in found
        ]


class TorchTest2(Tool):
    """`check_model` before the first step, with the first batch, and the loss function where it is a usual one."""

    said: Any = ()

    def before_first_step(self) -> None:
        from torchtest2 import check_model

        function, target = self.compared or (None, None)
        self.said = check_model(self.model, self.batch, target, loss_fn=function, optimizer=self.optimizer)

    def end(self, script: Path) -> Said:
        return [
            (one.status.value == "FAIL", f"{one.name} {one.message}", None)
            for one in self.said
            if one.status.value in ("FAIL", "WARN")
        ]


class MlDoctor(Tool):
    """`mldoctor check`, which reads the script and does not run it."""

    def run(self, script: Path, arguments: list[str]) -> Said:
        from mldoctor.linter import lint_script

        return [
            (one["severity"] != "WARNING", f"{one['type']} {one['message']} {one['fix']}", one["line"])
            for one in lint_script(str(script))[0]
            if one["severity"] != "INFO"
        ]


class Doctor(Tool):
    """`descend doctor`."""

    def run(self, script: Path, arguments: list[str]) -> Said:
        from descend.doctor import examine

        return [
            (
                one.severity != "warning",
                f"{one.name} {one.symptom} {one.why} {one.fix}",
                one.place.line if one.place else None,
            )
            for one in examine(script, arguments).findings
        ]


TOOLS = {
    "descend": Doctor,
    "torch-audit": TorchAudit,
    "torch-audit-sparse": TorchAuditSparse,
    "torchmortem": TorchMortem,
    "torchtest2": TorchTest2,
    "mldoct": MlDoctor,
}


def forked(tool: str, script: Path) -> Said | None:
    """Return what a tool says of a script, in a process of its own that has PyTorch already; None if it failed."""
    reads, writes = os.pipe()
    child = os.fork()
    if not child:
        said: Said | None = None
        with contextlib.suppress(BaseException), open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
            with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                said = TOOLS[tool]().run(script, [])
        with os.fdopen(writes, "w") as pipe:
            json.dump(said, pipe)
        os._exit(0)
    os.close(writes)
    with os.fdopen(reads) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    return json.loads(text) if text else None


def main() -> None:
    """Print what a tool says, as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tool", choices=TOOLS)
    parser.add_argument("script", nargs="?", type=Path)
    parser.add_argument("arguments", nargs="*")
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    import torch

    torch.set_num_threads(1)
    if given.folder is None:
        print(json.dumps(TOOLS[given.tool]().run(given.script.resolve(), given.arguments)))
        return
    scripts = sorted(given.folder.resolve().glob("*/*.py"))
    print(json.dumps({f"{one.parent.name}/{one.stem}": forked(given.tool, one) for one in scripts}))


if __name__ == "__main__":
    main()
