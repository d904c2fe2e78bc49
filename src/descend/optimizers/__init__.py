"""Optimizers: from J and its gradient at one point to the next point. One file each, and one line here."""

from __future__ import annotations

from descend.optimizers.contract import Array, Evaluation, Optimizer, State
from descend.optimizers.schedules import SCHEDULES, Schedule
from descend.registry import Registry

OPTIMIZERS: Registry[Optimizer] = Registry(
    kind=Optimizer.kind,
    places={
        "gd": "descend.optimizers.gd:GradientDescent",
        "momentum": "descend.optimizers.momentum:Momentum",
        "nesterov": "descend.optimizers.nesterov:Nesterov",
        "adagrad": "descend.optimizers.adagrad:Adagrad",
        "rmsprop": "descend.optimizers.rmsprop:RMSprop",
        "adam": "descend.optimizers.adam:Adam",
        "adamw": "descend.optimizers.adamw:AdamW",
        "lbfgs": "descend.optimizers.lbfgs:LBFGS",
        "levenberg_marquardt": "descend.optimizers.levenberg_marquardt:LevenbergMarquardt",
        "newton": "descend.optimizers.newton:Newton",
        "vertex": "descend.optimizers.vertex:Vertex",
    },
)

__all__ = ["OPTIMIZERS", "SCHEDULES", "Array", "Evaluation", "Optimizer", "Schedule", "State"]


def __getattr__(name: str) -> type[Optimizer]:
    return OPTIMIZERS.called(name)
