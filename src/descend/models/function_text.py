"""The formula that a Python function computes, as text, where there may be no table to tell columns from parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from descend.errors import ConfigError
from descend.formula.equations import USUALLY_DATA
from descend.formula.printers.code import plain_name
from descend.models.call import arguments_of, bind, name_of
from descend.table.headers import in_full
from descend.tracing.tape import UntraceableError
from descend.tracing.tracing import trace
from descend.wording import using


def formula_of(
    function: Callable[..., object], columns: Sequence[str] | None = None, response: str | None = None
) -> tuple[str, tuple[str, ...]]:
    """Return the formula that a function computes, and its columns, the response first.

    columns: names that are data; if not given, the arguments called x, t, z and the like, or else the first one.
    response: what is predicted; if not given, ``y``, or the only column that is no argument.

    Raises ConfigError for a function that is no formula, with the reason.

    >>> formula_of(lambda x, a, b: a * x + b)
    ('y ~ a*x + b', ('y', 'x'))
    """
    names, called = tuple(arguments_of(function)), name_of(function)
    used_names = {name for name in names if in_full(name, columns or ()) in (columns or ())}
    inputs = [name for name in names if (USUALLY_DATA.fullmatch(name) if columns is None else name in used_names)]
    inputs = inputs or list(names[:1])
    if response is None:
        used = {in_full(name, columns or ()) for name in names}
        other_columns = [name for name in columns or ("y",) if name not in used]
        response = "y" if "y" in other_columns or not other_columns else other_columns[0]
        if "y" not in other_columns and len(other_columns) != 1 and columns is not None:
            raise ConfigError(f"Which column does `{called}` predict? Say so{using('response', 'y')}.")
    call = bind(function, inputs)
    try:
        text = trace(function, call.columns, call.parameters, calling=call.with_arguments)
    except UntraceableError as reason:
        raise ConfigError(
            f"`{called}` is no formula: it {reason}. Only a formula is explained and derived; a fit calls the function."
        ) from None
    return f"{plain_name(response)} ~ {text}", (response, *call.columns)
