"""The reference levels of a model: those that the user chose, and the first ones otherwise."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from descend.errors import ConfigError
from descend.formula.contrasts import Cells, References, references
from descend.formula.formula import Formula
from descend.formula.symbols import Column
from descend.formula.vectors import free_places
from descend.models.reading import Options, held_back
from descend.parameters import Constraints, Parameters
from descend.parameters.components import by_parameter, spelled_out
from descend.parameters.references import read_references
from descend.registry import closest
from descend.table import Table
from descend.table.levels import GroupLabels, Levels
from descend.table.table import Label, label, listing
from descend.wording import spell

NAMED = 3
"""References that a note names."""


def with_references(
    formula: Formula,
    held: Constraints | None,
    table: Table,
    options: Options,
    formula_with: Callable[[Mapping[str, object]], Formula],
    constant: bool = False,
) -> Constraints | None:
    """Return the constraints with those levels held that the rest of the formula can make up for.

    held: what the user holds. formula_with: returns the formula with values or expressions for some parameters.
    constant: whether the loss makes up for a constant added to the prediction.
    """
    values_held = {} if held is None else {name: value for name, value in held.given.items() if not free_places(value)}
    reference = reference_levels(formula_with(values_held) if values_held else formula, held, table, options, constant)
    return held_back(Parameters(formula.parameters), table, options, {}, reference) if reference else held


def started(start: Mapping[str, object], every: Parameters, constraints: Constraints | None) -> dict[str, object]:
    """Return starting values by parameter, of the components that are fitted. Raises ConfigError for others."""
    for each in spelled_out(start, every) if constraints is not None else ():
        if constraints is not None and each in constraints.fixed and each not in every.shapes:
            how = f"the reference, held at {constraints.fixed[each]:g}" if each in constraints.references else "fixed"
            raise ConfigError(f"`{each}` is {how}, so it takes no start. Leave out one of the two.")
    start_values = by_parameter(start, every)
    return start_values if constraints is None else constraints.reduced(start_values)


def reference_levels(
    formula: Formula, constraints: Constraints | None, table: Table, options: Options, constant: bool = False
) -> dict[str, float]:
    """Return the value of each level that has to be held, by its label; none where a penalty or a prior settles it.

    constraints: what the user holds.

    Raises ConfigError for a reference that makes no sense, and for parameters that repeat others.
    """
    levels_chosen = read_references(options["reference"])
    response = tuple(column.name for column in formula.response.atoms(Column))
    of_groups = Parameters(formula.parameters).groups
    cells: dict[tuple[str, ...], Levels] = {each.columns: each for each in formula.levels}

    def combinations(columns: tuple[str, ...]) -> Levels:
        if columns not in cells:
            cells[columns] = Levels.of(table, columns)
        return cells[columns]

    first = _first(levels_chosen, of_groups, response, combinations)
    if options["l1"] or options["l2"]:
        if set(levels_chosen) - set(response):
            raise ConfigError(
                "With a penalty all levels are estimated, each drawn towards 0, so that none is the reference. Leave "
                "out one of the two."
            )
        return {}
    fixed = frozenset(() if constraints is None else constraints.fixed)
    reference = references(formula, fixed | _settled(options, levels_chosen, of_groups), first, combinations, constant)
    if reference.repeated:
        raise _repeated(reference.repeated[0], of_groups[reference.repeated[0]], table)
    _refuse_unused(levels_chosen, reference, of_groups, fixed)
    return dict(reference.held)


def _settled(options: Options, levels: Mapping[str, str], of_groups: Mapping[str, GroupLabels]) -> frozenset[str]:
    """Return the labels of parameters of groups that a prior settles, all levels alike.

    Raises ConfigError for a reference of one of them.
    """
    if not options["priors"]:
        return frozenset()
    from descend.parameters.prior_reading import names_of

    names = names_of(options["priors"]) & of_groups.keys()
    if both := sorted(names & levels.keys()):
        raise ConfigError(
            f"With a prior on all of `{both[0]}` each level is estimated, so that none is the reference. Leave out one "
            "of the two."
        )
    return frozenset(f"{name}[{label}]" for name in names for label in of_groups[name])


def _first(
    levels_chosen: Mapping[str, str], of_groups: Mapping[str, GroupLabels], response: tuple[str, ...], cells: Cells
) -> dict[str, dict[str, Label]]:
    """Return for each parameter the reference level of each of its columns: the one chosen, else the first.

    A choice for a parameter itself goes before one for its column.
    """
    columns = dict.fromkeys(column for each in of_groups.values() for column in each.levels.columns)
    levels: dict[str, dict[str, Label]] = {
        column: {label(value): value for (value,) in cells((column,)).keys} for column in columns
    }
    first_levels: dict[str, dict[str, Label]] = {
        name: {column: next(iter(levels[column].values())) for column in each.levels.columns}
        for name, each in of_groups.items()
    }
    for name in sorted(levels_chosen, key=lambda name: name in of_groups):
        level = levels_chosen[name]
        if name in of_groups:
            group_levels = of_groups[name].levels
            keys = dict(zip(group_levels.labels, group_levels.keys, strict=True))
            if level not in keys:
                raise _no_level(name, level, group_levels.labels)
            first_levels[name] |= dict(zip(group_levels.columns, keys[level], strict=True))
        elif name in levels:
            if level not in levels[name]:
                raise _no_level(name, level, tuple(levels[name]))
            for each in first_levels.values():
                each.update({name: levels[name][level]} if name in each else {})
        elif name not in response:
            names_with_levels = (*of_groups, *levels)
            has = (
                f"These have: {listing(names_with_levels)}."
                if names_with_levels
                else "The formula has no parameter such as u[color]."
            )
            near = closest(name, names_with_levels)
            raise ConfigError(f"`{name}` has no levels of which one could be the reference.{near} {has}")
    return first_levels


def _no_level(name: str, level: str, levels: tuple[str, ...]) -> ConfigError:
    return ConfigError(f"`{name}` has no level `{level}`.{closest(level, levels)} Its levels: {listing(levels)}.")


def _refuse_unused(
    levels_chosen: Mapping[str, str], reference: References, of_groups: Mapping[str, GroupLabels], fixed: frozenset[str]
) -> None:
    """Refuse a reference for a parameter all of whose levels are estimated, or one of which the user holds."""
    holding = {each.partition("[")[0] for each in reference.held}
    for name, level in levels_chosen.items():
        own = [each for each, labels in of_groups.items() if name == each or name in labels.levels.columns]
        if not own or holding & set(own):
            continue
        by_user = [each for each in fixed if each.partition("[")[0] in own]
        if by_user:
            raise ConfigError(
                f"`{by_user[0]}` is fixed, so `{name}` has no reference `{level}`. Leave out one of the two."
            )
        raise ConfigError(
            f"`{own[0]}` has no reference, as nothing else in the formula can make up for its levels: all of them are "
            f"estimated. Leave out the reference `{name}={level}`."
        )


def _repeated(name: str, labels: GroupLabels, table: Table) -> ConfigError:
    """Return the error for a parameter of groups of which no level is left to estimate."""
    if len(labels.levels) == 1:
        columns = listing(labels.levels.columns, "and")
        return ConfigError(
            f"{columns} is `{labels[0]}` in every row of {table.source}, so that `{name}` has one level only, which "
            f"the rest of the formula can make up for. Leave `{name}` out."
        )
    return ConfigError(
        f"`{name}` repeats what the rest of the formula can do: any change of its levels can be made up for. Leave it "
        "out."
    )


def reference_note(held: Constraints | None) -> str | None:
    """Say which levels are references, and how to choose others; None if there are none."""
    labels = [] if held is None else [each for each in held.parameters.labels if each in held.references]
    if held is None or not labels:
        return None
    reference_parts = []
    for value, reference_words in ((0.0, "differences from"), (1.0, "multiples of")):
        if some := [each for each in labels if held.fixed[each] == value]:
            others_text = f" and {len(some) - NAMED} more" if len(some) > NAMED else ""
            are, it = ("is the reference", "it") if len(some) == 1 else ("are references", "them")
            named = listing(some[:NAMED], "" if others_text else "and")
            reference_parts.append(
                f"{named}{others_text} {are}, held at {value:g}, so that other levels are {reference_words} {it}"
            )
    name = labels[0].partition("[")[0]
    groups = held.parameters.groups.get(name)
    level_labels = () if groups is None else groups.levels.labels
    level = next((each for each in level_labels if f"{name}[{each}" not in labels[0]), "")
    how = f"; to choose another use {spell('reference', {name: level})}" if level else ""
    return "; ".join(reference_parts) + how
