"""A formula as code for many groups at once: columns are (rows, groups), parameters (groups,).

Under a squared loss the parameters that enter linearly are no unknowns of the descent: at each point of the others they
are solved for (variable projection). With the prediction  f = remainder + sum_k c_k phi_k  and D = df/dbeta, the code
returns for each group what a step needs, c and

    r'r/2,  D'r,  D'D,  phi'D,  and the Cholesky factor of phi'phi,     with r = f - y at these c.

D'D - D'phi (phi'phi)^-1 phi'D is then Kaufman's curvature of the projected loss, and D'r its gradient.

Sources: Golub & Pereyra (1973), SIAM J. Numer. Anal. 10, 413-432; Kaufman (1975), BIT 15, 49-57.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate
from typing import NamedTuple

from sympy import Expr, Integer, Mul, factor_terms, preorder_traversal
from sympy.core.relational import Relational
from sympy.logic.boolalg import BooleanFunction

from descend.formula.compile import Compiled, define, names_of
from descend.formula.printers.code import NUMPY, Language
from descend.formula.row_code import CONSTANT, SCALAR, RowWriter
from descend.formula.symbols import Column, Parameter
from descend.gradients.derived import Program
from descend.losses.formulas import PREDICTION, RESIDUAL, RESPONSE, derivative
from descend.many.components import by_component, linear_in

ROOT = Column("the square root of the weight")
OBSERVED = Column("the response")
ONE = "1.0"
"""A base that is the same in all rows."""


@dataclass(frozen=True, eq=False)
class BatchCode:
    """What is summed over the rows of each group.

    linear, nonlinear: places of the components that are solved for, and of those that descend.
    weighted: whether rows have weights.
    data: what the code reads of the rows, as expressions of columns, OBSERVED and ROOT, the root of the row weight.
    products: pairs of these, or one alone, whose sums over the rows never change.
    unit: what the sums have to be multiplied by to be those of the loss.
    brief: whether they can be had without residuals, as where all terms are solved for:  r'r = y'y - c'phi'y  and
    D'r = D'phi c - D'y, a quarter less work. These lose the digits that the loss is smaller by than y'y.
    relative: whether the loss is never negative, so that changes of it are judged by its size.
    """

    linear: tuple[int, ...]
    nonlinear: tuple[int, ...]
    weighted: bool
    data: tuple[Expr, ...]
    products: tuple[tuple[int, ...], ...]
    unit: float
    relative: bool
    brief: bool
    evaluate: Compiled

    @property
    def size(self) -> int:
        """How many components there are."""
        return len(self.linear) + len(self.nonlinear)

    @cached_property
    def parts(self) -> tuple[int, ...]:
        """Where the parts of `sums.Sums` end among the sums of a group."""
        linear, nonlinear = len(self.linear), len(self.nonlinear)
        curvature, below = nonlinear * (nonlinear + 1) // 2, linear * (linear - 1) // 2
        return tuple(accumulate((0, 1, linear, nonlinear, curvature, linear, below, linear * nonlinear)))


@lru_cache(maxsize=64)
def batch_code(program: Program, weighted: bool, project: bool = True, language: Language = NUMPY) -> BatchCode:
    """Return the code of a program. project: whether linear parameters are solved for, where the loss allows it."""
    score, slopes = by_component(program)
    quadratic = program.loss.quadratic
    eliminated = linear_in(program) if project and quadratic else frozenset()
    linear = tuple(place for place, component in enumerate(slopes) if component in eliminated)
    nonlinear = tuple(place for place in range(len(slopes)) if place not in linear)
    symbols = {component: Parameter(f"p{place}") for place, component in enumerate(slopes)}
    score = score.xreplace(symbols)
    columns = [_aligned(factor_terms(slope.xreplace(symbols)), score) for slope in slopes.values()]
    writer = _Writer(score, columns, program.loss.expressions, weighted, language)
    if quadratic:
        writer.squares(linear, nonlinear)
    else:
        writer.likelihood(program)
    unit = float(program.loss.expressions[2]) if quadratic else 1.0
    source, data, products = writer.source(nonlinear)
    relative = program.loss.of_residual
    evaluate = define("evaluate", source, names_of(language))
    return BatchCode(linear, nonlinear, weighted, data, products, unit, relative, writer.brief, evaluate)


@lru_cache(maxsize=64)
def code_of_scores(program: Program, weighted: bool, language: Language = NUMPY) -> BatchCode:
    """Return code that gives for each row the derivatives of the score, and what the loss says of it.

    That is its slope and second derivative, times the weight of the row, the root of that weight, and the residual.
    """
    score, slopes = by_component(program)
    symbols = {component: Parameter(f"p{place}") for place, component in enumerate(slopes)}
    columns = [factor_terms(slope.xreplace(symbols)) for slope in slopes.values()]
    writer = _Writer(score.xreplace(symbols), columns, program.loss.expressions, weighted, language)
    writer.scores(program)
    places = tuple(range(len(columns)))
    source, data, products = writer.source(places)
    evaluate = define("evaluate", source, names_of(language))
    return BatchCode((), places, weighted, data, products, 1.0, False, False, evaluate)


class Factored(NamedTuple):
    """A column of the design: ``base``, the name of an array of rows and groups, or ONE, times ``factor`` per group."""

    factor: str
    base: str

    @property
    def text(self) -> str:
        """The column as an expression."""
        return f"{self.factor}*{self.base}" if self.factor and self.base != ONE else self.factor or self.base


RESPONSES = Factored("", "y")
RESIDUALS = Factored("", "r")
EITHER = Factored("", "either")
"""The responses in brief, else the residuals."""


class _Writer:
    """Writes the code of one program.

    score, columns: the prediction and its derivatives by p0, p1, ..., the parameters. loss: its expressions.
    """

    brief = False

    def __init__(
        self, score: Expr, columns: list[Expr], loss: tuple[Expr, ...], weighted: bool, language: Language
    ) -> None:
        self.root: Expr = ROOT if weighted else Integer(1)
        self.score, self.columns = score, columns
        atoms = {symbol for factored in (score, *columns, *loss) for symbol in factored.atoms(Column)} | {ROOT}
        self.reads: dict[Expr, str] = {column: f"c{place}" for place, column in enumerate(sorted(atoms, key=str))}
        names: dict[Expr, str] = {Parameter(f"p{place}"): f"p{place}" for place in range(len(columns))}
        names |= {PREDICTION: "s", RESIDUAL: "r", RESPONSE: "y"}
        self.writer = RowWriter(language, self.reads | names, {}, {})
        self.lines = self.writer.lines
        self.sums: dict[tuple[str, ...], str] = {}
        self.of_data: dict[tuple[str, ...], str] = {}
        self.products: dict[frozenset[Expr], str] = {}

    def squares(self, linear: tuple[int, ...], nonlinear: tuple[int, ...]) -> None:
        """Write the sums of a squared loss."""
        self.reads[OBSERVED * self.root] = "y"
        remainder = self.score.xreplace({Parameter(f"p{place}"): Integer(0) for place in linear}) * self.root
        columns = [column * self.root for column in self.columns]
        self.writer.count([remainder, *columns])
        phi = [self._factored(columns[place]) for place in linear]
        level = None if remainder == 0 else self._factored(remainder)
        solved = _tuple(f"p{place}" for place in linear)
        if linear:
            gram = self._triangle(phi, phi)
            right = [self._product(each, RESPONSES) for each in phi]
            if level is not None:
                right = [f"{one} - {self._product(each, level)}" for one, each in zip(right, phi, strict=True)]
            self.lines.append(f"{solved}, factor = solve({gram}, {_tuple(right)})")
        terms = [
            each._replace(factor="*".join(filter(None, (f"p{place}", each.factor))))
            for place, each in zip(linear, phi, strict=True)
        ]
        residuals = [*self._residuals([*terms, *([] if level is None else [level])]), "loss = 0.5*dot(r, r)"]
        self.brief = bool(linear) and level is None
        if self.brief:
            squares = " - ".join(
                [self._product(RESPONSES, RESPONSES), *(f"p{k}*{each}" for k, each in zip(linear, right, strict=True))]
            )
            brief = [f"loss = 0.5*({squares})", "either = y"]
            self.lines += ["if brief:", *(f"    {line}" for line in brief)]
            self.lines += ["else:", *(f"    {line}" for line in (*residuals, "either = r"))]
        else:
            self.lines += residuals
        self.lines.append(f"if shallow: return {solved}, loss")
        ordered = sorted(nonlinear, key=lambda place: len(self._per_row(columns[place])))  # short products first
        factored_columns = {place: self._factored(columns[place]) for place in ordered}
        slopes = [factored_columns[place] for place in nonlinear]
        columns_across = [[self._product(each, slope) for each in phi] for slope in slopes]
        across = _tuple(map(_tuple, zip(*columns_across, strict=True)))
        pulls = [self._product(slope, EITHER if self.brief else RESIDUALS) for slope in slopes]
        if self.brief:
            sums = [
                " + ".join(f"p{k}*{one}" for k, one in zip(linear, normal, strict=True)) for normal in columns_across
            ]
            pulls = [f"{one} - {pull} if brief else {pull}" for one, pull in zip(sums, pulls, strict=True)]
        normal = self._triangle(slopes, slopes)
        self.lines.append(f"return {solved}, loss, {_tuple(pulls)}, {normal}, {across}, {'factor' if linear else '()'}")

    def likelihood(self, program: Program) -> None:
        """Write the sums of any other loss, by its value, slope and weight in each row."""
        self.reads[OBSERVED] = "y"
        of_loss = [each * self.root * self.root for each in program.loss.expressions]
        self.writer.count([self.score, *self.columns, *of_loss])
        self.lines.append(f"s = {self._factored(self.score).text} + 0.0*y")
        self.lines.append("r = s - y")
        value, slope, weight = (self._factored(each) for each in of_loss)
        self.lines += [f"loss = {self._product(value, Factored('', ONE))}", "if shallow: return (), loss"]
        slopes = [self._factored(column) for column in self.columns]
        gradient = _tuple(self._product(each, slope) for each in slopes)
        curvature_sums = self._triangle([self._times(each, weight) for each in slopes], slopes)
        self.lines.append(f"return (), loss, {gradient}, {curvature_sums}, (), ()")

    def scores(self, program: Program) -> None:
        """Write what each row has (see `code_of_scores`)."""
        self.reads[OBSERVED] = "y"
        slope = program.loss.expressions[1]
        of_loss = [each * self.root * self.root for each in (slope, derivative(slope, PREDICTION))]
        self.writer.count([self.score, *self.columns, *of_loss])
        self.lines.append(f"s = {self._factored(self.score).text} + 0.0*y")
        self.lines.append("r = s - y")
        texts = [f"{self._factored(each).text} + 0.0*y" for each in (*self.columns, *of_loss, self.root)] + ["r"]
        self.lines.append(f"return {_tuple(texts)}")

    def source(self, nonlinear: tuple[int, ...]) -> tuple[str, tuple[Expr, ...], tuple[tuple[int, ...], ...]]:
        """Return the source, and which data and which sums of data it is given."""
        body = "\n    ".join(self.lines)
        words = set(re.findall(r"\w+", body)) | {word for pair in self.of_data for word in pair}
        used = {name: each for each, name in (self.reads | self.writer.prepared).items() if name in words}
        code = {"data": used, "products": self.of_data.values(), "nonlinear": [f"p{place}" for place in nonlinear]}
        head = [f"{', '.join(names)}, = {name}" for name, names in code.items() if names]
        # Data are kept as numbers, and conditions among them are read as such again.
        conditions = [name for name, each in used.items() if isinstance(each, Relational | BooleanFunction)]
        head += [f"{name} = {name} != 0.0" for name in conditions]
        number_of_name = {name: place for place, name in enumerate(used)}
        products = tuple(tuple(number_of_name[name] for name in pair if name != ONE) for pair in self.of_data)
        begin = "def evaluate(data, products, nonlinear, count, solve, dot, total, shallow, brief):\n    "
        return begin + "\n    ".join([*head, body]) + "\n", tuple(used.values()), products

    def _factored(self, expression: Expr) -> Factored:
        """Write a column of the design; what is the same in all rows of a group is taken out of it.

        A product that holds a known one is written by way of that.
        """
        row_factors = self._per_row(expression)
        per_group = [part for part in Mul.make_args(expression) if part not in row_factors]
        factor, base = Mul(*per_group), Mul(*row_factors)
        within = [product for product in self.products if product < set(row_factors)]
        if within:
            largest = max(within, key=len)
            remainder = self._name(Mul(*(part for part in row_factors if part not in largest)))
            self.lines.append(f"u{len(self.lines)} = {self.products[largest]}*{remainder}")
            name = self.lines[-1].partition(" ")[0]
        else:
            name = ONE if base == 1 else self._name(base)
        if len(row_factors) > 1:
            self.products.setdefault(frozenset(row_factors), name)
        return Factored("" if factor == 1 else self._name(factor), name)

    def _per_row(self, expression: Expr) -> list[Expr]:
        """Return the factors of a product that differ from row to row."""
        return [factor for factor in Mul.make_args(expression) if self.writer.kind(factor) not in (CONSTANT, SCALAR)]

    def _name(self, expression: Expr) -> str:
        text = self.writer.name(expression)
        return f"({text})" if text.startswith("-") else text

    def _times(self, one: Factored, other: Factored) -> Factored:
        """Write the product of two columns."""
        factor = "*".join(filter(None, (one.factor, other.factor)))
        bases = [each.base for each in (one, other) if each.base != ONE]
        if len(bases) == 2:
            self.lines.append(f"u{len(self.lines)} = {'*'.join(bases)}")
            return Factored(factor, self.lines[-1].partition(" ")[0])
        return Factored(factor, bases[0] if bases else ONE)

    def _triangle(self, ones: list[Factored], others: list[Factored]) -> str:
        """Write the sums of products of two lists of columns, up to the diagonal."""
        return _tuple(_tuple(self._product(one, other) for other in others[: i + 1]) for i, one in enumerate(ones))

    def _product(self, one: Factored, other: Factored) -> str:
        """Write the sum over the rows of the product of two columns."""
        bases = tuple(sorted((one.base, other.base)))
        if bases not in self.sums:
            self.sums[bases] = self._sum(bases)
        return "*".join(filter(None, (one.factor, other.factor, self.sums[bases])))

    def _sum(self, bases: tuple[str, ...]) -> str:
        if bases == (ONE, ONE):
            return "count"
        if {*bases} <= {ONE, *self.reads.values(), *self.writer.prepared.values()}:
            return self.of_data.setdefault(bases, f"m{len(self.of_data)}")
        arrays = [base for base in bases if base != ONE]
        self.lines.append(f"g{len(self.lines)} = {'dot' if len(arrays) == 2 else 'total'}({', '.join(arrays)})")
        return self.lines[-1].partition(" ")[0]

    def _residuals(self, terms: list[Factored]) -> list[str]:
        """Return the lines of r, the sum of the terms less y."""
        terms = sorted(terms, key=lambda term: term.base == ONE)
        if not terms or terms[0].base == ONE or not terms[0].factor:
            begin = [f"r = {terms[0].text if terms else '0.0'} - y"]
        else:
            begin = [f"r = {terms[0].text}", "r -= y"]
        return [*begin, *(f"r += {term.text}" for term in terms[1:])]


def _aligned(column: Expr, score: Expr) -> Expr:
    """Return a product with each difference written as its opposite where the score holds that."""
    score_parts = set(preorder_traversal(score))
    factors = Mul.make_args(column)
    turned = [factor for factor in factors if factor.is_Add and factor not in score_parts and -factor in score_parts]
    return Mul(*(-factor if factor in turned else factor for factor in factors), *(Integer(-1) for _ in turned))


def _tuple(texts: Iterable[str]) -> str:
    texts_listed = list(texts)
    return f"({', '.join(texts_listed)}{',' if len(texts_listed) == 1 else ''})"
