"""From the text of a formula and the options of a fit to the formula, with what these hold back of its parameters."""

from __future__ import annotations

from collections.abc import Mapping

from sympy import Expr

from descend.errors import ConfigError
from descend.formula import read_formula
from descend.formula.equations import levels_in
from descend.formula.formula import Formula, in_order, read_one, refuse_size
from descend.losses import Loss
from descend.models.reading import Options, held_back, known_column
from descend.parameters import Constraints, Parameters
from descend.parameters.components import by_parameter
from descend.parameters.ties import mentioned
from descend.registry import names_listed
from descend.table import Table
from descend.table.headers import SIGN
from descend.table.levels import occurring

Start = dict[str, object]


def read_text(
    formula_given: str, start: Start, table: Table, options: Options, loss: Loss, order: tuple[str, ...]
) -> tuple[Formula, Constraints | None, Start]:
    """Return the formula of free parameters, which of all are fixed, tied or bounded, and the starting values.

    start: those that are known. order: the names of the parameters, if not in that of the text.

    Raises FormulaError, and ConfigError for options that do not fit the formula or the loss.
    """
    spread = [options[key] for key in ("weights", "sigma") if options[key]]
    by_columns = names_listed(options["by"], table.names) if options["by"] else ()
    if options["weights"] is not None:
        known_column(options["weights"], table, "weights")
    constrained = options["fix"] or options["ties"] or options["bounds"]
    names = {name.partition("[")[0] for name in start} | {*order}
    if constrained:
        names |= mentioned(options["fix"], options["ties"], options["bounds"])
    # Only patterns such as [x*] need the numeric names, and finding them means reading a whole text file.
    numeric = table.numeric_names if "@" in formula_given else ()
    for name in loss.own_columns:
        known_column(name, table, f"what the {loss.name} loss reads")

    levels = levels_in(formula_given, table) if "[" in formula_given else ()

    # Only a text of several formulas, or columns that may be named without their unit, need more than this.
    formula_reader = read_formula if ";" in formula_given or SIGN.search("\n".join(table.names)) else read_one

    def formula_with(fixed: Mapping[str, Expr] | None) -> Formula:
        formula = formula_reader(formula_given, table.names, numeric, names, (*spread, *by_columns), fixed, levels)
        extended = loss.extended(formula)
        return in_order(extended, order) if order else extended

    formula = formula_with(None)
    if levels and options["missing"] == "drop":
        levels = occurring(levels, table, dict.fromkeys((*formula.columns, *spread, *loss.own_columns)))
        formula = formula_with(None)
    every = Parameters(formula.parameters)
    constraints = held_back(every, table, options, start) if constrained else None
    if levels:
        from descend.models.references import started, with_references

        constraints = with_references(formula, constraints, table, options, formula_with, loss.shifts)
        start = started(start, every, constraints)
    elif formula.vectors:
        start = by_parameter(start, every)
    if constraints is not None and constraints.given:
        formula = formula_with(constraints.given)
        if own := sorted(set(loss.own_parameters) & set(constraints.given)):
            raise ConfigError(f"`{own[0]}` is a parameter of the {loss.name} loss, which cannot be fixed or tied.")
    start = {**loss.own_parameters, **start}
    refuse_size(formula.expression)
    if loss.shifts:
        loss.refuse_constant(formula)
    return formula, constraints, start
