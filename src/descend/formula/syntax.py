"""Formula text to a tree that remembers where each piece stood, so that an error can point at it.

    formula     =  expression "~" expression
    expression  =  logic; logic = comparison {("and" | "or") comparison}; comparison = sum {("<" | "<=" | ...) sum}
    sum         =  product {("+" | "-") product}
    product     =  {"+" | "-"} signed {("*" | "/") signed}
    signed      =  {"+" | "-"} power
    power       =  atom [("^" | "**") signed]                        right associative, binds tighter than a sign
    atom        =  number | name | call | "(" expression ")" | grouped | named "@" list | list "@" named
    named       =  name | grouped
    grouped     =  name "[" name {"," name} "]"                      a parameter with a value for each group of rows
    call        =  name "(" [argument {"," argument}] ")"             argument: an expression, or name "=" value
    value       =  expression | "[" expression {"," expression} "]"
    list        =  "[" item {"," item} "]"                           item: an expression, or a pattern such as x*

Nothing here is evaluated; user text never reaches ``eval`` or ``sympify``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NoReturn

from descend.errors import FormulaError
from descend.formula.tokens import SIMPLIFY, Token, pointed, refuse_depth, tokenize
from descend.formula.tree import Call, Chain, Dot, Grouped, Listed, Name, Node, Number, Pattern, Power, Prefix

ASSIGNED = re.compile(r"(?<![<>=!])=(?!=)")
"""The sign between a name and what is said of it, as in ``t=dt``."""
ENDS_OF_ITEM = (("operator", ","), ("operator", "]"))
CHOICE = "For a choice between two values write where(x > 0, a, b)."
FORM = "Write response ~ expression"
DEEPEST = 40
"""Levels of nesting for which Python's stack has room in every later step, above all SymPy's derivatives."""
OR, AND, COMPARISON, SUM, PRODUCT, SIGNED = range(6)
"""Ranks of operators, the loosest first."""
OPERATORS = (("or",), ("and",), ("<", "<=", ">", ">=", "==", "!="), ("+", "-"), ("*", "/"))


class Parser:
    """Recursive descent over the tokens of one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokenize(text)
        self.position = 0
        self.depth = 0

    @property
    def now(self) -> Token:
        return self.tokens[self.position]

    def take(self) -> Token:
        token = self.now
        self.position += 1
        return token

    def accept(self, *operators: str) -> Token | None:
        if self.now.kind in ("operator", "name") and self.now.text in operators:
            return self.take()
        return None

    def fail(self, token: Token | Node, fault: str, next_step: str) -> NoReturn:
        raise pointed(self.text, token.start, token.end, fault, next_step)

    def expect(self, operator: str, opened: Token, fault: str) -> Token:
        token = self.accept(operator)
        if token is None:
            if self.now.kind == "end":
                self.fail(opened, f"This `{opened.text}` is never closed.", f"Add `{operator}` {fault}.")
            self.unexpected()
        return token

    def unexpected(self) -> NoReturn:
        token = self.now
        if token.kind == "end":
            fault = "The formula stops short: something must follow here."
            self.fail(token, fault, "Complete it, for example `y ~ w*x + b`.")
        values = ("number", "name", "quoted")
        before = self.tokens[self.position - 1] if self.position else token
        if before is not token and before.kind in values and token.kind in values:
            joined = "*".join(self.text[each.start : each.end] for each in (before, token))
            if before.end == token.start and before.kind == "number":
                self.refuse_alias(before, token)
            fault = f"`{token.text}` follows another value with nothing between them."
            choice = token.text in ("if", "else")
            self.fail(token, fault, CHOICE if choice else f"To multiply, write `{joined}`.")
        if token.text == "(":
            self.refuse_power_of_function(token)
        following = self.tokens[self.position + 1]
        if token.text == "," and before.kind == following.kind == "number":
            self.fail(
                token, "A comma cannot stand here.", f"Write decimals with a point: `{before.text}.{following.text}`."
            )
        self.fail(token, f"`{token.text}` cannot stand here.", "Check the brackets and operators around it.")

    def refuse_power_of_function(self, opened: Token) -> None:
        """Refuse ``sin^2(x)``."""
        from descend.formula.functions import function_named

        name, *power = (token.text for token in self.tokens[max(self.position - 3, 0) : self.position])
        if power and power[0] in ("^", "**") and function_named(name) is not None:
            self.fail(opened, "`(` cannot stand here.", f"A power of a function is `{name}(...){''.join(power)}`.")

    def refuse_alias(self, number: Token, name: Token) -> None:
        """Refuse what else a named curve is called, where that begins with a digit, as `4PL` does."""
        from descend.formula.unknown_functions import curve_instead

        alias = self.text[number.start : name.end]
        if (meant := curve_instead(alias, exactly=True)) is not None:
            raise pointed(self.text, number.start, name.end, f"There is no function `{alias}`.{meant[0]}", meant[1])

    def nested(self, rule: Callable[..., Node], *arguments: int) -> Node:
        if self.depth >= DEEPEST:
            self.fail(self.now, f"The formula is nested more than {DEEPEST} deep.", SIMPLIFY)
        self.depth += 1
        node = rule(*arguments)
        self.depth -= 1
        return node

    def finish(self) -> None:
        if self.now.kind == "end":
            return
        if token := self.accept("~"):
            self.fail(token, "A formula has one `~`.", f"{FORM}, for example `y ~ w*x`.")
        if token := self.accept("="):
            fault = "`=` cannot stand here."
            self.fail(token, fault, f"{FORM}; to compare two values write `==` inside where( ).")
        self.unexpected()

    def expression(self, rank: int = OR) -> Node:
        """Read operands of higher ranks, joined by operators of this one."""
        if rank == SIGNED:
            return self.signed()
        if rank == COMPARISON and (token := self.accept("not")):
            operand = self.nested(self.expression, COMPARISON)
            return Prefix(token.start, operand.end, "not", operand)
        if rank == PRODUCT and (token := self.accept("+", "-")):  # -(a + b)/c is read as it is written
            return self.after_sign(token, self.expression, PRODUCT)
        operands, operators = [self.expression(rank + 1)], []
        while token := self.accept(*OPERATORS[rank]):
            operators.append(token.text)
            operands.append(self.expression(rank + 1))
        first, last = operands[0], operands[-1]
        return Chain(first.start, last.end, rank, tuple(operands), tuple(operators)) if operators else first

    def signed(self) -> Node:
        token = self.accept("+", "-")
        return self.power() if token is None else self.after_sign(token, self.signed)

    def after_sign(self, token: Token, rule: Callable[..., Node], *arguments: int) -> Node:
        operand = self.nested(rule, *arguments)
        return operand if token.text == "+" else Prefix(token.start, operand.end, "-", operand)

    def power(self) -> Node:
        base = self.atom()
        if self.accept("^", "**"):
            exponent = self.nested(self.signed)
            return Power(base.start, exponent.end, base, exponent)
        return base

    def atom(self) -> Node:
        token = self.now
        if token.kind == "number":
            self.take()
            return Number(token.start, token.end, token.text)
        if token.kind in ("name", "quoted"):
            return self.named()
        if self.accept("("):
            inner_node = self.nested(self.expression)
            self.expect(")", token, "where it ends")
            return inner_node
        if self.accept("["):
            return self.list_first(token)
        self.unexpected()

    def named(self) -> Node:
        token = self.take()
        name = _name(token)
        if not name.quoted and name.name in ("and", "or", "not"):
            fault = f"`{name.name}` joins conditions, so it cannot stand alone."
            self.fail(token, fault, f"If it is a column, put it in backticks: `{name.name}`.")
        if not name.quoted and name.name.startswith("__"):
            fault = f"`{name.name}` is not a name a formula can use: it begins with two underscores."
            self.fail(token, fault, "If it is a column, rename it.")
        opened = self.now
        if not name.quoted and self.accept("("):
            return self.call(name, opened)
        vector = self.grouped(name)
        if self.accept("@"):
            opened = self.now
            if not self.accept("["):
                example = f"Write `{name.name} @ [x1, x2]` or `{name.name} @ [*]`."
                self.fail(opened, "After `@` comes a list of columns.", example)
            items = self.items(opened)
            return Dot(name.start, self.tokens[self.position - 1].end, vector, items)
        return vector

    def grouped(self, name: Name) -> Name | Grouped:
        """Read the columns in brackets after a name, if there are any."""
        opened = self.now
        if not self.accept("["):
            return name
        columns: list[Name] = []
        while not columns or self.accept(","):
            token = self.take() if self.now.kind in ("name", "quoted") else self.now
            if token.kind not in ("name", "quoted") or self.now.text not in (",", "]"):
                if self.now.kind == "end":
                    self.expect("]", opened, "after the last column")
                fault = f"In `{name.name}[ ]` stand columns, whose values tell the groups of `{name.name}` apart."
                group = f"Write `{name.name}[site]` for a value at each site"
                self.fail(token, fault, f"{group}; for a sum over columns `{name.name} @ [x1, x2]`.")
            columns.append(_name(token))
        closed = self.expect("]", opened, "after the last column")
        return Grouped(name.start, closed.end, name, tuple(columns))

    def call(self, name: Name, opened: Token) -> Node:
        arguments: list[Node] = []
        named: list[tuple[Name, Node]] = []
        if not self.accept(")"):
            self.argument(arguments, named)
            while self.accept(","):
                self.argument(arguments, named)
            self.expect(")", opened, "after the last argument")
        return Call(name.start, self.tokens[self.position - 1].end, name.name, tuple(arguments), tuple(named))

    def argument(self, arguments: list[Node], named: list[tuple[Name, Node]]) -> None:
        """Read an argument, and add it to those in order or to those by name."""
        token, following = self.now, self.tokens[min(self.position + 1, len(self.tokens) - 1)]
        if token.kind in ("name", "quoted") and following.kind == "operator" and following.text == "=":
            self.position += 2
            named.append((_name(token), self.nested(self.value)))
            return
        if named:
            fault = "An argument without a name follows one with a name."
            self.fail(token, fault, "Put those without a name first; to compare two values write `==`.")
        arguments.append(self.nested(self.expression))

    def value(self) -> Node:
        """Read the value of an argument by name: an expression, or a list of them."""
        opened, begin = self.now, self.position
        if not self.accept("["):
            return self.expression()
        items = self.items(opened)
        if self.now.text != "@":
            return Listed(opened.start, self.tokens[self.position - 1].end, items)
        self.position = begin
        return self.expression()

    def list_first(self, opened: Token) -> Node:
        items = self.items(opened)
        if not self.accept("@"):
            self.fail(opened, "A list of columns must be multiplied by a vector parameter.", "Write `w @ [x1, x2]`.")
        token = self.take()
        if token.kind not in ("name", "quoted"):
            self.fail(token, "After `@` comes the name of the vector parameter.", "Write `w @ [x1, x2]`.")
        vector = self.grouped(_name(token))
        return Dot(opened.start, vector.end, vector, items)

    def items(self, opened: Token) -> tuple[Node, ...]:
        if token := self.accept("]"):
            self.fail(token, "This list is empty.", "Name columns in it, for example `w @ [x1, x2]`.")
        items = [self.item()]
        while self.accept(","):
            items.append(self.item())
        self.expect("]", opened, "after the last column")
        return tuple(items)

    def item(self) -> Node:
        """Read a column, an expression, or a pattern: names, ``*`` and ``?``, with a sign first or last."""
        stop = self.position
        while self.tokens[stop].kind != "end" and (self.tokens[stop].kind, self.tokens[stop].text) not in ENDS_OF_ITEM:
            stop += 1
        tokens = self.tokens[self.position : stop]
        text = "".join(token.text for token in tokens)
        joined = all(token.kind in ("name", "number") or token.text in ("*", "**", "?") for token in tokens)
        if tokens and joined and (text[0] in "*?" or text[-1] in "*?"):
            self.position = stop
            return Pattern(tokens[0].start, tokens[-1].end, text)
        return self.nested(self.expression)


def _name(token: Token) -> Name:
    return Name(token.start, token.end, token.text, token.kind == "quoted")


def formulas_in(text: str) -> list[str]:
    """Return the formulas in a text, which has semicolons between them where there are several.

    >>> formulas_in("y1 ~ a*x; `y;2` ~ a*x + b")
    ['y1 ~ a*x', '`y;2` ~ a*x + b']
    """
    if ";" not in text:
        return [text]
    return [formula.strip() for formula in re.findall(r"(?:`[^`]*`|[^;`])+", text) if formula.strip()] or [text]


@lru_cache(maxsize=256)
@refuse_depth
def parse_formula(text: str) -> tuple[Node, Node]:
    """Parse ``response ~ expression`` and return both sides."""
    if not text.strip():
        raise FormulaError(f"The formula is empty. {FORM}, for example `y ~ w*x`.")
    parser = Parser(text)
    signs = {token.text: token for token in reversed(parser.tokens) if token.kind == "operator"}
    if "~" not in signs:
        fault = "A formula needs a `~` between the response and the expression."
        parser.fail(signs.get("=", parser.now), fault, f"{FORM}, for example `y ~ w*x`.")
    if token := parser.accept("~"):
        parser.fail(token, "Nothing stands before the `~`.", "Write the response there, for example `y ~ w*x`.")
    left = parser.expression()
    if not parser.accept("~"):
        parser.finish()
    right = parser.expression()
    parser.finish()
    return left, right


@refuse_depth
def parse_expression(text: str) -> Node:
    """Parse one expression without a ``~``."""
    if not text.strip():
        raise FormulaError("The expression is empty. Write one, for example `2*x + 1`.")
    parser = Parser(text)
    node = parser.expression()
    parser.finish()
    return node


@refuse_depth
def parse_assignment(text: str, example: str = "w = mean(2*x*(w*x - y))") -> tuple[Name, tuple[Node, ...] | None, Node]:
    """Parse ``name = expression`` or ``name[x1] = expression``; return name, index and expression."""
    next_step = f"Write it as `{example}`."
    if not text.strip():
        raise FormulaError(f"The equation is empty. {next_step}")
    parser = Parser(text)
    token = parser.take()
    if token.kind not in ("name", "quoted"):
        parser.fail(token, "A name and `=` must come first.", next_step)
    opened = parser.now
    index = parser.items(opened) if parser.accept("[") else None
    if not parser.accept("="):
        parser.fail(parser.now, "A name and `=` must come first.", next_step)
    node = parser.expression()
    parser.finish()
    return _name(token), index, node
