"""Optimizers: from J and its gradient at one point to the next point. One file each, and one line here."""

from __future__ import annotations

from descend.optimizers.adagrad import Adagrad
from descend.optimizers.adam import Adam
from descend.optimizers.adamw import AdamW
from descend.optimizers.contract import Array, Evaluation, Optimizer, State
from descend.optimizers.gd import GradientDescent
from descend.optimizers.lbfgs import LBFGS
from descend.optimizers.levenberg_marquardt import LevenbergMarquardt
from descend.optimizers.momentum import Momentum
from descend.optimizers.nesterov import Nesterov
from descend.optimizers.newton import Newton
from descend.optimizers.rmsprop import RMSprop
from descend.optimizers.schedules import SCHEDULES, Schedule
from descend.optimizers.vertex import Vertex
from descend.registry import Registry

OPTIMIZERS: Registry[Optimizer] = Registry(
    GradientDescent,
    Momentum,
    Nesterov,
    Adagrad,
    RMSprop,
    Adam,
    AdamW,
    LBFGS,
    LevenbergMarquardt,
    Newton,
    Vertex,
)

__all__ = ["OPTIMIZERS", "SCHEDULES", "Array", "Evaluation", "Optimizer", "Schedule", "State"]
