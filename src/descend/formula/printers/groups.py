"""Parameters with a value for each group of rows, written in SQL, NumPy and PyTorch, and for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from descend.formula.printers.code import NUMPY, POWER, SQL, LackingError, Language, Writer, identifier, quoted
from descend.formula.symbols import Column, Term
from descend.table.levels import Key, Levels
from descend.table.table import Label


def condition(levels: Levels, key: Key) -> str:
    """Return the SQL condition that a row is in a group.

    >>> print(condition(Levels(("site", "day"), (("A", 3),)), ("A", 3)))
    "site" = 'A' and "day" = 3
    """
    return " and ".join(f"{quoted(name)} = {_cell(cell)}" for name, cell in zip(levels.columns, key, strict=True))


def _cell(cell: Label) -> str:
    if isinstance(cell, str):
        return "'" + cell.replace("'", "''") + "'"
    return str(cell).lower() if isinstance(cell, bool) else repr(cell)


def choice(levels: Levels, values: Sequence[str]) -> str:
    """Return the SQL of the value for the group of a row.

    >>> print(choice(Levels(("site",), (("A",), ("B",))), ["1.5e0", "2.5e0"]))
    case when "site" = 'A' then 1.5e0 when "site" = 'B' then 2.5e0 end
    """
    cases = " ".join(
        f"when {condition(levels, key)} then {value}" for key, value in zip(levels.keys, values, strict=True)
    )
    return f"case {cases} end"


def by_group(term: Term, values: Sequence[str]) -> str:
    """Return the SQL of the value of a term in a row. values: the text of each component."""
    pairs = zip(values_in_rows(term, values, SQL, ""), term.each, strict=True)
    return " + ".join(value if item == 1 else f"{value}*{Writer(SQL).write(item, POWER)}" for value, item in pairs)


def values_in_rows(term: Term, values: Sequence[str], language: Language, level_column: str) -> list[str]:
    """Return the code of the values in each row that multiply the items of a term.

    values: the code of each component. level_column: that of the place of the group of each row.
    """
    assert term.levels is not None
    size = len(term.each)
    if language is SQL:
        every = term.of_all_groups(values, "0e0")
        return [choice(term.levels, every[first::size]) for first in range(size)]
    if language is NUMPY:
        every = term.of_all_groups(values, "0.0")
        return [f"np.array([{', '.join(every[first::size])}])[{level_column}]" for first in range(size)]
    vector = values[0].removesuffix("[0]")
    if term.places is not None:  # a 0 behind the vector stands for the levels that are held
        values_by_group = term.of_all_groups([str(number) for number in range(len(values))], str(len(values)))
        padded = f"torch.cat([{vector}, {vector}.new_zeros(1)])"
        lookup_tensors = (
            f"torch.tensor([{', '.join(values_by_group[first::size])}])[{level_column}.long()]" for first in range(size)
        )
        return [f"{padded}[{each}]" for each in lookup_tensors]
    return [f"{vector}[{level_column}.long(){f' * {size} + {first}' if size > 1 else ''}]" for first in range(size)]


PYTHON = (
    "",
    "",
    "def place_of(groups, *columns):",
    '    """Return the place of the group of each row; KeyError names a group that was not fitted."""',
    "    cells = np.broadcast_arrays(*(np.asarray(column, dtype=object) for column in columns))",
    "    keys = zip(*(cell.ravel().tolist() for cell in cells))",
    "    return np.array([groups[key] for key in keys], dtype=int).reshape(cells[0].shape)",
)
"""The Python function that finds the groups of rows."""


def python_lines(levels: Sequence[Levels], level_columns: Mapping[str, str], names: Mapping[str, str]) -> list[str]:
    """Return the lines of Python that find the groups of the rows.

    level_columns: what holds them, by the name of the levels. names: of the arguments, by column.
    """
    return [
        f"{level_columns[each.name]} = place_of({ {key: key_number for key_number, key in enumerate(each.keys)}!r}, "
        f"{', '.join(names[column] for column in each.columns)})"
        for each in levels
    ]


def torch_legend(levels: Levels, argument: str) -> str:
    """Say what the argument of a PyTorch module is that tells groups apart."""
    columns = " and ".join(levels.columns)
    return f"; {argument} is the place of the group of each row by {columns}, from 0: {'; '.join(levels.labels)}"


def refuse_unknown(levels: Levels) -> None:
    """Refuse groups of which nothing is known, without data. Raises LackingError."""
    if not levels.keys:
        columns = " and ".join(f"`{name}`" for name in levels.columns)
        raise LackingError(f"SQL names each group of {columns}: give the data to have it written.")


def in_group(levels: Levels) -> str:
    """Return what is 1 in the rows of a group g and else 0, for people.

    >>> in_group(Levels.unknown(["site"]))
    '[site = g]'
    """
    return f"[{', '.join(levels.columns)} = g]"


def matrix(term: Term, name: str, stacked: str, language: str) -> list[str]:
    """Return the lines that build the matrix of a term, (rows, components), of which the predictor is the product.

    stacked: the code of the matrix of the items of each group.
    """
    assert term.levels is not None
    module = "np" if language == "numpy" else "torch"
    columns = [identifier(column) for column in term.levels.columns]
    axis = "axis" if language == "numpy" else "dim"
    cells = columns[0] if len(columns) == 1 else f"{module}.column_stack([{', '.join(columns)}]), {axis}=0"
    groups = f"groups = {module}.unique({cells}, return_inverse=True)[1]"
    kind = "" if language == "numpy" else ", dtype=torch.float64"
    ones = f"{module}.eye(int(groups.max()) + 1{kind})[groups]"
    if len(term.each) == 1 and not term.columns - {Column(term.levels.name)} and term.each[0] == 1:
        column_index = "" if term.places is None else f"[:, {[*term.places]}]"
        return [groups, f"{name} = {ones}{column_index}"]
    column_index = "" if term.places is None else f"[:, {[*term.places]}]"
    flat = f"({ones}[:, :, None] * {stacked}[:, None, :]).reshape(len(groups), -1)"
    return [groups, f"{name} = {flat}{column_index}"]
