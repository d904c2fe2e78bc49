"""Models: the prediction as a function of parameters and columns; a formula, a Python function or a PyTorch module."""

from descend.models.call import Call, bind
from descend.models.contract import Model, SymbolicModel
from descend.models.formula import FormulaModel, formula_model
from descend.models.kinds import kind_of, kinds, register

__all__ = [
    "Call",
    "FormulaModel",
    "Model",
    "SymbolicModel",
    "bind",
    "formula_model",
    "kind_of",
    "kinds",
    "register",
]
