"""Names that mean something to a formula, and how the same name can stand for a parameter all the same.

A function may share its name with a parameter: what is followed by a bracket is the function, as `k1` in `k1(x)`, and
anything else is not. Constants and the classic functions are reserved: only backticks make a parameter of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from descend.formula.functions import CONSTANTS, function_named, reserved
from descend.formula.operator_calls import OPERANDS
from descend.formula.tree import Call, Dot, Grouped, Node, names_in, walk


def may_be_quoted(name: str, functions: Collection[str] = ()) -> bool:
    """Say whether backticks make a parameter of a name, as it means something else without; ``functions``: others."""
    reads_as_function = is_function(name) or name in functions
    return reads_as_function or name in CONSTANTS or (name.startswith("__") and name.isidentifier())


def is_function(name: str) -> bool:
    """Say whether a formula can call something by this name."""
    return function_named(name) is not None or name in OPERANDS


def called_and_named(node: Node) -> Iterator[Call]:
    """Yield calls of functions whose name also stands in the formula by itself, without brackets or backticks.

    What stands on either side of an ``@`` is no function, so it may have any name.
    """
    calls = {each.function: each for each in walk(node) if isinstance(each, Call) and not reserved(each.function)}
    if calls:
        products = {id(name) for each in walk(node) if isinstance(each, Dot | Grouped) for name in names_in(each)}
        bare = {name.name for name in names_in(node) if not name.quoted and id(name) not in products}
        yield from (call for name, call in calls.items() if name in bare)


def not_a_parameter(name: str, role: str) -> str:
    """Say that a name given for a parameter, which the formula does not have, means something else in formulas.

    role: what was to be done with it. Returns an empty text if the name means nothing else, or is reserved.

    >>> print(not_a_parameter("e", "started"))
    `e` is a constant in formulas, 2.71828, so it cannot be started. Give the parameter another name, such as `e_`, or \
put it in backticks in the formula.
    >>> print(not_a_parameter("gamma", "fixed"))
    `gamma` names a function here and no parameter, so it cannot be fixed. To multiply by a parameter, write \
`gamma*(...)`.
    """
    if is_function(name) and not reserved(name):
        return (
            f"`{name}` names a function here and no parameter, so it cannot be {role}. "
            f"To multiply by a parameter, write `{name}*(...)`."
        )
    if name not in CONSTANTS:
        return ""
    return (
        f"`{name}` is a constant in formulas, {float(CONSTANTS[name]):.6g}, so it cannot be {role}. "
        f"Give the parameter another name, such as `{'p' if name == 'π' else name}_`, or "
        "put it in backticks in the formula."
    )
