"""A name can stand for a parameter although a function or constant has it, too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.formula.expressions import call_of

import descend
from descend.errors import ConfigError, FormulaError
from descend.formula import as_text, guess_columns, read_formula
from descend.formula.functions import CONSTANTS, FUNCTIONS, reserved

BARE = [name for name in FUNCTIONS if not reserved(name)]
QUOTED = [*FUNCTIONS, *CONSTANTS]
X = np.linspace(0.1, 3.0, 40)
DECAY = {"x": X, "y": 2.0 * np.exp(-0.8 * X) + 0.1}


def refused(text: str, columns: tuple[str, ...] = ("x", "y")) -> str:
    with pytest.raises(FormulaError) as caught:
        read_formula(text, columns)
    return str(caught.value)


def read_again(text: str, columns: tuple[str, ...] = ("x", "y")) -> Any:
    """Read a formula, and what it is written as; both must be the same."""
    formula = read_formula(text, columns)
    again = read_formula(str(formula), columns)
    assert (again.expression, dict(again.parameters)) == (formula.expression, dict(formula.parameters))
    return formula


@pytest.mark.parametrize("name", BARE)
def test_a_function_that_is_not_called_is_a_parameter(name: str) -> None:
    formula = read_again(f"y ~ a*exp(-{name}*x) + {name}^2")
    assert set(formula.parameters) == {"a", name}
    assert "`" not in str(formula)
    assert name in read_again(f"y ~ {name} @ [x, x^2]").parameters


@pytest.mark.parametrize("name", QUOTED)
def test_backticks_make_a_parameter_of_any_name(name: str) -> None:
    formula = read_again(f"y ~ a + b*exp(-`{name}`*x)")
    assert set(formula.parameters) == {"a", "b", name}
    assert (f"`{name}`" in str(formula)) is reserved(name)
    assert name in read_again(f"y ~ a + `{name}` @ [x, x^2] + c*x^3").parameters


@pytest.mark.parametrize("name", QUOTED)
def test_a_column_of_that_name_comes_first(name: str) -> None:
    assert read_again(f"y ~ a*`{name}`", (name, "y")).columns == ("y", name)


def test_a_function_and_a_parameter_in_backticks_stand_side_by_side() -> None:
    formula = read_again("y ~ `gamma`*gamma(x) + b")
    assert str(formula) == "y ~ b + `gamma`*gamma(x)"
    assert str(read_again("y ~ b + `e`*e^x + `pi`*sin(2*pi*x)")) == "y ~ b + `e`*exp(x) + `pi`*sin(2*pi*x)"
    assert str(read_again("y ~ a*gamma(x + 1) + gamma @ [x, x^2]")) == "y ~ a*gamma(x + 1) + gamma @ [x, x^2]"


def test_one_name_in_both_roles_is_refused() -> None:
    assert refused("y ~ gamma*x + gamma(x - 1)") == (
        "`gamma` is called as a function here, and is a parameter elsewhere in the formula.\n"
        "    y ~ gamma*x + gamma(x - 1)\n"
        "                  ^^^^^\n"
        "To multiply, write `gamma*(...)`; for the function put the parameter in backticks: `gamma`."
    )
    assert refused("y ~ a*gamma + gamma(x - 1)", ("gamma", "x", "y")) == (
        "`gamma` is called as a function here, and is a column elsewhere in the formula.\n"
        "    y ~ a*gamma + gamma(x - 1)\n"
        "                  ^^^^^\n"
        "To multiply, write `gamma*(...)`; for the function put the column in backticks: `gamma`."
    )
    assert refused("y ~ scale*x + scale(x - 1)") == (
        "`scale` is called as a function here, and is a parameter elsewhere in the formula.\n"
        "    y ~ scale*x + scale(x - 1)\n"
        "                  ^^^^^\n"
        "To multiply, write `scale*(...)`."
    )


def test_a_product_that_is_read_as_a_call_is_told_so() -> None:
    assert refused("y ~ a + max(x - 1)") == (
        "`max` takes 2 arguments or more, not 1.\n"
        "    y ~ a + max(x - 1)\n"
        "            ^^^^^^^^^^\n"
        "Write it as `max(a, b)`. To multiply by a parameter `max`, write `max*(...)`."
    )
    with pytest.raises(ConfigError) as caught:
        descend.fit("y ~ a*gamma(x - 5)", DECAY, start={"gamma": 1.0})
    assert str(caught.value) == (
        "`gamma` names a function here and no parameter, so it cannot be started. "
        "To multiply by a parameter, write `gamma*(...)`."
    )


@pytest.mark.parametrize("name", ["log", "where", "sin"])
def test_classic_functions_are_no_parameters(name: str) -> None:
    assert refused(f"y ~ a*x + {name}").startswith(f"`{name}` is a built-in function, so it cannot be a parameter.")
    assert refused(f"y ~ {name} @ [x]").startswith(f"`{name}` is a built-in function, so it cannot be a parameter.")


@pytest.mark.parametrize(("name", "written"), [("gamma", "gamma"), ("e", "`e`"), ("log", "`log`"), ("π", "`π`")])
def test_such_a_parameter_is_like_any_other(name: str, written: str, tmp_path: Any) -> None:
    text = f"y ~ a*exp(-{written}*x) + c"
    free = descend.fit(text, DECAY, start={name: 0.5}, bounds=[f"{written} > 0"])
    assert free.parameters == pytest.approx({"a": 2.0, name: 0.8, "c": 0.1})
    held = descend.fit(text, DECAY, fix={name: 0.8}, bounds={"a": (0, None)})
    assert held.parameters["a"] == pytest.approx(2.0)
    tied = descend.fit(text, DECAY, ties={name: "8*c"})
    assert tied.parameters == pytest.approx({"a": 2.0, name: 0.8, "c": 0.1})
    tied = descend.fit(text, DECAY, ties=[f"c = {written}/8"])
    assert tied.parameters == pytest.approx({"a": 2.0, name: 0.8, "c": 0.1})
    free.save(tmp_path / "model.json")
    loaded = descend.load(tmp_path / "model.json")
    assert loaded.parameters == free.parameters
    assert loaded.predict({"x": X}) == pytest.approx(free.predict({"x": X}), rel=1e-15)


@pytest.mark.parametrize("engine", ["numpy", "torch", "query"])
def test_every_engine_knows_it(engine: str) -> None:
    fitted = descend.fit("y ~ a*exp(-`e`*x) + `sin` + 0*sin(x)", DECAY, engine=engine)
    assert fitted.parameters == pytest.approx({"a": 2.0, "e": 0.8, "sin": 0.1}, rel=1e-6)


def test_a_gradient_by_hand_knows_it() -> None:
    fitted = descend.fit(
        "y ~ `e`*x + gamma",
        {"x": X, "y": 3.0 * X + 2.0},
        gradient=["e = mean(2*x*(`e`*x + gamma - y))", "gamma = mean(2*(`e`*x + gamma - y))"],
    )
    assert fitted.parameters == pytest.approx({"e": 3.0, "gamma": 2.0}, rel=1e-6)


@pytest.mark.parametrize("language", ["text", "numpy", "torch", "sql", "latex"])
def test_its_derivative_is_written(language: str) -> None:
    code = descend.derive("y ~ `e`*x + gamma", columns=["x", "y"]).code(language)
    assert "gamma" in code and "2.718" not in code


@pytest.mark.parametrize(
    ("text", "columns"),
    [("y ~ `e`*x", ("y", "x")), ("y ~ a*`unit price` + `log`", ("y", "unit price")), ("y ~ w @ [`e`]", ("y", "e"))],
)
def test_without_a_table_backticks_alone_make_no_column_of_it(text: str, columns: tuple[str, ...]) -> None:
    assert guess_columns(text) == columns


def test_other_names_in_backticks_are_columns() -> None:
    assert refused("y ~ a*`rate`").startswith("There is no column `rate`.")
    assert refused("y ~ a*`and`").startswith("There is no column `and`.")


@given(st.sampled_from(BARE), st.sampled_from(QUOTED), st.sampled_from(["{0}*x", "exp({0})*x", "x^{0}", "{0} @ [x]"]))
def test_any_pair_of_names_is_read_as_it_is_written(called: str, name: str, form: str) -> None:
    formula = read_again(f"y ~ a*{call_of(called, 'x + 1', 'a', 'c')} + {form.format(f'`{name}`')}")
    assert name in formula.parameters
    assert as_text(formula.expression) == str(formula).partition(" ~ ")[2]
