"""The format of a model file: which values it may hold, and what is wrong with a damaged one."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from descend.descent.outcome import Outcome
from descend.diagnosis import Cause
from descend.errors import DataError, DescendError
from descend.options.kinds_of_errors import read_errors
from descend.wording import worded

FORMAT = 1
LONGEST_LIST = 1_000_000

Content = dict[str, Any]
"""The content of a model file, as JSON."""
Check = Callable[[object], str]
"""Returns, for a wrong value, the place in it, such as ``.b`` or ``[2]``, a space, and what belongs there; else ""."""


def is_a(belongs: str, *kinds: type) -> Check:
    """Return a check that a value is of one of these types; a boolean is not a number."""

    def check(value: object) -> str:
        fits = isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))
        return "" if fits else f" {belongs}"

    return check


def number(value: object) -> str:
    """Check that a value is a number within the range of a float."""
    fits = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
    return "" if fits else " a number"


def column(value: object) -> str:
    """Check that a value can be the name of a column."""
    return "" if isinstance(value, str) and value else " the name of a column"


def one_of(belongs: str, *values: str) -> Check:
    """Return a check that a value is one of several texts."""
    return lambda value: "" if isinstance(value, str) and value in values else f" {belongs}"


def maybe(check: Check) -> Check:
    """Return a check that also allows null."""
    return lambda value: "" if value is None else check(value)


def either(first_check: Check, second_check: Check) -> Check:
    """Return a check that a value passes one of two checks."""
    return lambda value: first_check(value) and second_check(value) and first_check(value)


def each(check: Check) -> Check:
    """Return a check of a list, all of whose values have to pass ``check``."""

    def listed(value: object) -> str:
        if not isinstance(value, list) or len(value) > LONGEST_LIST:
            return " a list"
        return next((f"[{item_number}]{wrong}" for item_number, one in enumerate(value) if (wrong := check(one))), "")

    return listed


def named(check: Check) -> Check:
    """Return a check of an object, all of whose values have to pass ``check``."""

    def keyed(value: object) -> str:
        if not isinstance(value, dict):
            return " an object"
        return next((f".{name}{wrong}" for name, field_check in value.items() if (wrong := check(field_check))), "")

    return keyed


def _a_prior(value: object) -> str:
    return "" if isinstance(value, dict) and {"prior", "parameter"} <= value.keys() else " a prior"


TEXT, COUNT, YES_OR_NO = is_a("a text", str), is_a("a whole number", int), is_a("true or false", bool)
VALUES = either(number, either(each(number), named(either(number, each(number)))))
GAPPY = either(maybe(number), either(each(maybe(number)), named(either(maybe(number), each(maybe(number))))))
CELL = either(number, either(is_a("a text", str), is_a("true or false", bool)))


def _outliers(value: object) -> str:
    """Check that a value holds outliers."""
    from descend.inference.rows.outliers import Outliers

    return _restores(Outliers.restored, value, " outliers")


def _penalty_path(value: object) -> str:
    """Check that a value holds the penalties that were tried."""
    from descend.inference.goodness.penalty_path import PenaltyPath

    return _restores(PenaltyPath.restored, value, " a path of penalties")


def _restores(restored: Callable[[Any], object], value: object, otherwise: str) -> str:
    try:
        restored(value)
    except (AttributeError, KeyError, TypeError, ValueError):
        return otherwise
    return ""


def _kind_of_errors(value: object) -> str:
    """Check that a value names a kind of standard errors."""
    if not isinstance(value, str):
        return " a kind of errors"
    try:
        read_errors(value)
    except DescendError:
        return " a kind of errors"
    return ""


QUANTITIES = maybe(
    named(lambda value: "" if isinstance(value, dict) and isinstance(value.get("expression"), str) else " a quantity")
)
REQUIRED: Mapping[str, Check] = {
    "descend": TEXT,
    "format": COUNT,
    "formula": TEXT,
    "function": maybe(TEXT),
    "response": maybe(TEXT),
    "columns": named(one_of("the kind of a column", "number", "text", "boolean", "time", "other")),
    "shapes": named(maybe(each(either(TEXT, COUNT)))),  # the labels of a vector, or the sizes of a tensor
    "parameters": named(VALUES),
    "loss_function": TEXT,
    "loss": maybe(number),
    "rows": COUNT,
    "epochs": COUNT,
    "outcome": one_of("how a run ends", *map(str, Outcome)),
    "advice": TEXT,
    "gradient": TEXT,
    "optimizer": TEXT,
    "learning_rate": maybe(number),
    "engine": TEXT,
    "seconds": number,
    "asked": YES_OR_NO,
    "notes": each(TEXT),
    "penalised": YES_OR_NO,
}
STATISTICS = (
    "r_squared r_squared_about_zero residual_standard_deviation log_likelihood aic aicc bic deviance dispersion "
    "degrees_of_freedom chi_square reduced_chi_square chi_square_p"
)
OPTIONAL: Mapping[str, Check] = {
    "passes": number,
    "per_class": maybe(named(lambda value: "")),
    "response_levels": named(number),
    "censored": maybe(named(number)),
    "outliers": maybe(_outliers),
    "penalty_path": maybe(_penalty_path),
    "standard_errors": maybe(named(GAPPY)),
    "digits": maybe(named(GAPPY)),
    "covariance": maybe(lambda value: "" if isinstance(value, dict) else each(each(maybe(number)))(value)),
    "combinations": named(each(each(maybe(number)))),
    "ranges": maybe(named(each(maybe(number)))),
    "rounding": maybe(named(maybe(number))),
    "guarantee": maybe(named(lambda value: "")),
    "fixed": maybe(named(VALUES)),
    "references": maybe(named(number)),
    "ties": maybe(named(TEXT)),
    "bounds": maybe(each(TEXT)),
    "at_bound": each(TEXT),
    "undetermined": each(TEXT),
    "quantities": QUANTITIES,
    "units": maybe(named(lambda value: "" if isinstance(value, str | list) else " a unit")),
    "cause": maybe(one_of("why a run failed", *map(str, Cause))),
    "evidence": maybe(named(lambda value: "")),
    "measures": maybe(named(maybe(number))),
    "weights": maybe(column),
    "sigma": maybe(column),
    "scatter": maybe(named(lambda value: "")),
    "x_sigma": maybe(named(either(number, column))),
    "x_correlation": maybe(named(either(number, column))),
    "priors": maybe(each(_a_prior)),
    "request": maybe(named(lambda value: "")),
    "errors": maybe(_kind_of_errors),
    **dict.fromkeys(STATISTICS.split(), maybe(number)),
    "groups": named(named(each(either(TEXT, each(CELL))))),  # columns, keys and parts of the labels of each parameter
    "clusters": maybe(named(COUNT)),
    "module": named(lambda value: ""),
}
TENSORS: Mapping[str, Check] = {"parameters": named(lambda value: "")}
"""The weights of a module are in a file beside its model file; here are numbers of small ones for people to read."""
MODULE: Mapping[str, Check] = {
    "name": TEXT,
    "inputs": each(TEXT),
    "row_shape": maybe(each(COUNT)),
    "file": TEXT,
    "sha256": TEXT,
}


def how_saved() -> str:
    """Say what wrote the files that are read here."""
    return worded("saved", "Give a file that `fit.save` wrote")


def read_content(model_path: Path) -> Content:
    """Read a model file. Raises DataError if it is missing, is not a model file, has another format, or is damaged."""
    try:
        content = json.loads(model_path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(
            f"The model file `{model_path}` cannot be read: {(error.strerror or str(error)).lower()}. Check its name."
        ) from None
    except (ValueError, RecursionError):
        content = None
    if _is_table_of_fits(content):
        raise DataError(f"`{model_path}` is a table of many fits, not a model file. {how_saved()}.")
    if not isinstance(content, dict) or "format" not in content or "descend" not in content:
        raise DataError(f"`{model_path}` is not a model file. {how_saved()}.")
    if "by" in content and isinstance(content.get("groups"), list):
        raise DataError(
            f"`{model_path}` holds the fits of {len(content['groups']):,} groups. Save that of one group, in Python: "
            f'descend.load("{model_path}")[key].save("one.json").'
        )
    if content["format"] != FORMAT:
        raise DataError(
            f"`{model_path}` was written by descend {content['descend']}, in a format this version cannot read. "
            "Install a newer descend."
        )
    _refuse_misfits(content, model_path)
    return content


def _is_table_of_fits(content: object) -> bool:
    """Whether this is what ``Fits.save`` writes: a list of records that each tell how a fit ended."""
    columns = {"outcome", "cause", "r_squared"}
    return isinstance(content, list) and bool(content) and isinstance(content[0], dict) and columns <= content[0].keys()


def _refuse_misfits(content: Content, model_path: Path) -> None:
    """Raise DataError where a value is missing or of the wrong kind."""
    for name, check in {**REQUIRED, **OPTIONAL, **(TENSORS if "module" in content else {})}.items():
        if name not in content:
            if name in REQUIRED:
                raise damaged(model_path, name, "it is missing")
            continue
        if wrong := check(content[name]):
            within, _, belongs = wrong.partition(" ")
            raise damaged(model_path, name + within, f"{belongs} belongs there")
    for name, check in MODULE.items() if "module" in content else ():
        entry = content["module"]
        if name not in entry or (wrong := check(entry[name])):
            raise damaged(
                model_path, f"module.{name}", "it is missing" if name not in entry else f"{wrong.strip()} belongs there"
            )
    if content.get("weights") is not None and content.get("sigma") is not None:
        raise damaged(model_path, "weights", "a fit with `sigma` has none")
    _refuse_other_shapes(content, model_path)


def _refuse_other_shapes(content: Content, model_path: Path) -> None:
    """Raise DataError where values do not have the shapes of the parameters."""
    if "module" in content:
        return
    shapes = {name: None if labels is None else len(labels) for name, labels in content["shapes"].items()}
    for entry_key in ("parameters", "standard_errors", "digits"):
        values: Content = content.get(entry_key) or {}
        for name, size in shapes.items() if values else ():
            if name not in values:
                raise damaged(model_path, f"{entry_key}.{name}", "it is missing")
            entries_saved = _count(values[name])
            if entries_saved != size and not (values[name] is None and entry_key != "parameters"):
                raise damaged(
                    model_path,
                    f"{entry_key}.{name}",
                    "a number belongs there" if size is None else f"{size} numbers belong there",
                )
    covariance = content.get("covariance")
    if isinstance(covariance, list) and any(len(row) != len(covariance) for row in covariance):
        raise damaged(model_path, "covariance", "a square matrix belongs there")


def _count(value: object) -> int | None:
    """Return how many numbers there are in a list, or by group; None for a single one."""
    if isinstance(value, dict):
        return sum(_count(entry) or 1 for entry in value.values())
    return len(value) if isinstance(value, list) else None


def damaged(model_path: Path, where: str, why: str) -> DataError:
    """Return the error for a model file with a part that makes no sense."""
    return DataError(f"The model file `{model_path}` is damaged at `{where}`: {why}. Fit and save it again.")


@contextmanager
def part(model_path: Path, where: str) -> Iterator[None]:
    """Let an error in the block be reported as damage of this part of the model file."""
    try:
        yield
    except DescendError as error:
        raise damaged(model_path, where, str(error).splitlines()[0].rstrip(".")) from None
    except Exception:
        raise damaged(model_path, where, "it makes no sense with the rest") from None
