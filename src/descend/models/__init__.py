"""Models: the prediction as a function of parameters and columns, written as a formula or as a Python function."""

from descend.models.formula_and_function import Call, FormulaModel, FunctionModel, Model, bind, formula_model

__all__ = ["Call", "FormulaModel", "FunctionModel", "Model", "bind", "formula_model"]
