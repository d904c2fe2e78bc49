"""What the source code says of its own structure, read with `ast`: see test_architecture.py for what has to hold.

`python tests/architecture.py` prints every place that breaks a rule.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "descend"
FILES = sorted(SOURCE.rglob("*.py"))
LONGEST_FILE, LONGEST_BODY, LARGEST_SHARE = 350, 60, 0.15


@dataclass(frozen=True)
class Place:
    """A line that breaks a rule."""

    rule: str
    file: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.rule}: src/descend/{self.file.relative_to(SOURCE)}:{self.line}: {self.text}"


def room(file: Path) -> str:
    """Return the room of a file, or the name of a file that lies beside the rooms."""
    return file.relative_to(SOURCE).parts[0].removesuffix(".py")


@cache
def tree(file: Path) -> ast.Module:
    """Return a file, parsed."""
    return ast.parse(file.read_text(encoding="utf-8"))


@cache
def lines(file: Path) -> list[str]:
    """Return the lines of a file."""
    return file.read_text(encoding="utf-8").splitlines()


def place(rule: str, file: Path, node: ast.AST) -> Place:
    """Return where a node stands."""
    number = getattr(node, "lineno", 1)
    return Place(rule, file, number, lines(file)[number - 1].strip())


@cache
def loss_names() -> frozenset[str]:
    """Return the names of the losses, but for words of other things too: functions of formulas, and how errors grow."""
    from descend.formula.functions import FUNCTIONS
    from descend.losses import LOSSES
    from descend.options.of_rows import FORMS

    return frozenset(LOSSES) - frozenset(FUNCTIONS) - frozenset(FORMS)


@cache
def classes_of(name: str) -> frozenset[str]:
    """Return the public classes that a room defines."""
    nodes = (node for file in FILES if room(file) == name for node in ast.walk(tree(file)))
    return frozenset(node.name for node in nodes if isinstance(node, ast.ClassDef) and not node.name.startswith("_"))


def imported_classes(file: Path, kind: str) -> set[str]:
    """Return what a file calls the classes of the room ``kind``, except the base of all losses."""
    classes = classes_of(kind) - {"Loss"}
    found: set[str] = set()
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.ImportFrom) and node.module and f"{node.module}.".startswith(f"descend.{kind}."):
            found |= {alias.asname or alias.name for alias in node.names if alias.name in classes}
        if isinstance(node, ast.ImportFrom | ast.Import) and any(kind in alias.name for alias in node.names):
            found |= classes  # the room itself, whose classes are attributes then
    return found


def names_in(node: ast.AST) -> set[str]:
    """Return every name and attribute below a node."""
    below = list(ast.walk(node))
    names = {part.id for part in below if isinstance(part, ast.Name)}
    return names | {part.attr for part in below if isinstance(part, ast.Attribute)}


def names_of_losses() -> Iterator[Place]:
    """Yield where somebody outside the room of losses asks a loss for its name, or lists the names of losses.

    A name may be given (`loss="squared"`), but not compared, looked up or listed. In the rooms of formulas and of the
    doctor, and among the dialects of SQL, `poisson`, `absolute` and `gamma` are functions.
    """
    for file in FILES:
        for node in ast.walk(tree(file)) if room(file) != "losses" else ():
            functions = room(file) in ("formula", "doctor") or file.name == "dialects.py"
            listed = not functions and _looked_up(node) & loss_names()
            if listed or _asks_name_of_loss(node):
                yield place("name of a loss", file, node)


def _looked_up(node: ast.AST) -> set[object]:
    """Return the constants that a node compares with, looks up, or lists."""
    asked: list[ast.expr | None] = []
    if isinstance(node, ast.Compare):
        asked = [node.left, *node.comparators]
    elif isinstance(node, ast.MatchValue):
        asked = [node.value]
    elif isinstance(node, ast.Subscript):
        asked = [node.slice]
    elif isinstance(node, ast.Dict):
        asked = [*node.keys]
    elif isinstance(node, ast.Set | ast.List | ast.Tuple):
        asked = [*node.elts]
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        asked = [*node.args] if node.func.attr in ("get", "pop", "startswith", "endswith", "__eq__") else []
    return {each.value for each in asked if isinstance(each, ast.Constant)}


def _asks_name_of_loss(node: ast.AST) -> bool:
    subjects: list[ast.expr] = []
    if isinstance(node, ast.Compare):
        subjects = [node.left, *node.comparators]
    elif isinstance(node, ast.Match):
        subjects = [node.subject]
    elif isinstance(node, ast.Subscript):
        subjects = [node.slice]
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get":
        subjects = [*node.args]
    return any(
        isinstance(subject, ast.Attribute)
        and subject.attr in ("name", "__name__")
        and "loss" in ast.unparse(subject.value).lower()
        for subject in subjects
    )


def losses_chosen() -> Iterator[Place]:
    """Yield where somebody outside the room of losses hands on the name of one: `loss="squared"` in a call, or built.

    It may be a default, or the data of a problem in the lab.
    """
    for file in FILES:
        for node in ast.walk(tree(file)) if room(file) not in ("losses", "doctor", "lab") else ():
            if not isinstance(node, ast.Call) or ast.unparse(node.func).endswith("with_options"):
                continue
            handed = [*(each.value for each in node.keywords if each.arg == "loss")]
            called = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
            handed += node.args if called in ("build", "spell", "using") else []
            if {each.value for each in handed if isinstance(each, ast.Constant)} & loss_names():
                yield place("loss chosen by name", file, node)


def classes_asked(kind: str) -> Iterator[Place]:
    """Yield where somebody outside the room ``kind`` asks whether something is of one of its classes.

    What a user hands in may be asked whether it is a loss at all.
    """
    for file in FILES:
        classes = imported_classes(file, kind) if room(file) != kind else set()
        for node in ast.walk(tree(file)) if classes else ():
            if _asked_of(node) & classes:
                yield place(f"class of {kind}", file, node)


def _asked_of(node: ast.AST) -> set[str]:
    """Return the classes that a node asks for: isinstance, issubclass, `type(x) is`, `== C(...)`, or `case C():`."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) == 2:
        return names_in(node.args[1]) if node.func.id in ("isinstance", "issubclass") else set()
    if isinstance(node, ast.Compare):
        operands = [node.left, *node.comparators]
        each = [
            part for operand in operands for part in (operand.elts if isinstance(operand, ast.Tuple) else [operand])
        ]
        called = [part.func if isinstance(part, ast.Call) else part for part in each]
        return {part.id for part in called if isinstance(part, ast.Name)}
    return names_in(node.cls) if isinstance(node, ast.MatchClass) else set()


def models_sounded() -> Iterator[Place]:
    """Yield where a model is asked whether it has an attribute at all: its class, asked in another way."""
    for file in FILES:
        for node in ast.walk(tree(file)) if room(file) != "models" else ():
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
                asks = node.func.id == "hasattr" or (node.func.id == "getattr" and len(node.args) == 3)
                if asks and ast.unparse(node.args[0]).split(".")[-1] == "model":
                    yield place("hasattr of a model", file, node)


def module_name(file: Path) -> str:
    """Return the name that a file is imported by."""
    parts = file.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def imports() -> dict[str, dict[str, tuple[Path, int]]]:
    """Return what each module of ours imports of ours and where: in functions, and for type checking only, too."""
    modules = {module_name(file): file for file in FILES}
    found: dict[str, dict[str, tuple[Path, int]]] = {name: {} for name in modules}
    for name, file in modules.items():
        for node in ast.walk(tree(file)):
            imported: list[str] = []
            if isinstance(node, ast.Import):
                imported = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                inner = [f"{node.module}.{alias.name}" for alias in node.names]
                imported = [each if each in modules else node.module for each in inner]
            for each in imported:
                if each in modules and each != name:
                    found[name].setdefault(each, (file, node.lineno))
    return found


def cycles() -> list[list[str]]:
    """Return the knots: sets of modules that all reach each other (Tarjan's strong components)."""
    graph = {name: list(targets) for name, targets in imports().items()}
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    knots: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for target in graph[name]:
            if target not in index:
                visit(target)
                low[name] = min(low[name], low[target])
            elif target in stack:
                low[name] = min(low[name], index[target])
        if low[name] == index[name]:
            knot = stack[stack.index(name) :]
            del stack[stack.index(name) :]
            if len(knot) > 1:
                knots.append(sorted(knot))

    sys.setrecursionlimit(max(5000, sys.getrecursionlimit()))
    for name in graph:
        if name not in index:
            visit(name)
    return knots


def edges_in_cycles() -> Iterator[Place]:
    """Yield each import between two modules that reach each other."""
    for knot in cycles():
        for name in knot:
            for target, (file, line) in imports()[name].items():
                if target in knot:
                    yield Place(f"cycle of {len(knot)}", file, line, f"imports {target}")


@cache
def linter() -> dict[str, object]:
    """Return import-linter's table of pyproject.toml."""
    tool: dict[str, object] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    return dict(tool["importlinter"])  # type: ignore[call-overload, no-any-return]


def layers() -> list[set[str]]:
    """Return the rooms in the order of pyproject.toml, the last to be imported first."""
    order = linter()["contracts"][0]["layers"]  # type: ignore[index]
    return [{re.sub(r"[() ]", "", each) for each in layer.split("|")} for layer in order]


def upward_imports() -> Iterator[Place]:
    """Yield each import of a room that comes later, type-checking imports included."""
    depth = {name: number for number, layer in enumerate(layers()) for name in layer}
    for name, targets in imports().items():
        for target, (file, line) in targets.items():
            if name == "descend" or target == "descend":
                continue
            here, there = name.split(".")[1], target.split(".")[1]
            if here != there and depth[there] <= depth[here]:
                yield Place("imports a later room", file, line, f"imports {target}")


def long_files() -> Iterator[Place]:
    """Yield the files that are too long."""
    for file in FILES:
        if len(lines(file)) > LONGEST_FILE:
            yield Place("long file", file, 1, f"{len(lines(file))} lines")


def long_functions(limit: int = LONGEST_BODY) -> Iterator[Place]:
    """Yield the functions whose bodies, docstrings not counted, are too long."""
    for file in FILES:
        for node in ast.walk(tree(file)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and body_lines(node) > limit:
                yield Place("long function", file, node.lineno, f"{node.name}: {body_lines(node)} lines")


def body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return how many lines a function's body has after its docstring."""
    body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
    return 0 if not body else (body[-1].end_lineno or 0) - body[0].lineno + 1


def occurrences(rule: str, pattern: str) -> Iterator[Place]:
    """Yield every place where a pattern stands."""
    for file in FILES:
        for number, line in enumerate(lines(file), 1):
            for _ in re.findall(pattern, line):
                yield Place(rule, file, number, line.strip())


RIDDLE = re.compile(
    "_*(wish|told|grown|what|whole|ground|ruler|rest|larger|strangers|lost|asked|gathered|posed|elsewhere)_*", re.I
)
"""Words that say nothing of what a thing is; none is the name of one."""


VAGUE = re.compile("_*(found|given|known|kept|seen|shown|said|wanted|stored|taken|made|moved)_*", re.I)
"""Participles that could be anything: a line with `covariance` says its room, one with `found` does not."""


def riddles(words: re.Pattern[str] = RIDDLE) -> Iterator[Place]:
    """Yield where a function, an argument, a variable or an attribute gets a name that only its author can read."""
    for file in FILES:
        for node in ast.walk(tree(file)):
            name = ""
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                name = node.name
            elif isinstance(node, ast.arg):
                name = node.arg
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                name = node.id
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                name = node.attr
            if words.fullmatch(name):
                yield place("name that is a riddle", file, node)


def options_listed_again() -> Iterator[Place]:
    """Yield where options of a fit are listed a second time: their help, or many of them as arguments.

    The functions that a user calls name them, for editors look there; a test holds these against the options.
    """
    from descend.options.request import OPTIONS

    helps = {option.help for option in OPTIONS.values() if option.help}
    for file in FILES:
        for node in ast.walk(tree(file)):
            if isinstance(node, ast.Constant) and node.value in helps and room(file) != "options":
                yield place("help of an option", file, node)
            if isinstance(node, ast.FunctionDef) and room(file) != "api":
                names = [argument.arg for argument in (*node.args.args, *node.args.kwonlyargs)]
                if sum(name in OPTIONS for name in names) > 4:
                    yield place("arguments that are options", file, node)


def large_rooms() -> Iterator[Place]:
    """Yield the rooms that are too large a share of the house."""
    sizes: dict[str, int] = defaultdict(int)
    for file in FILES:
        sizes[room(file)] += len(lines(file))
    for name, size in sizes.items():
        if size > LARGEST_SHARE * total_lines():
            yield Place("large room", SOURCE / name, 1, f"{size} of {total_lines()} lines")


def total_lines() -> int:
    """Return the lines of the house."""
    return sum(len(lines(file)) for file in FILES)


ENTERED = """
import inspect
import sys
from pathlib import Path

import numpy as np

rng = np.random.default_rng(0)
x = np.linspace(0, 10, 200)
y = 5 * np.exp(-0.7 * x) + 1 + rng.normal(0, 0.05, 200)
path = Path({folder!r}) / "decay.csv"
path.write_text("x,y\\n" + "\\n".join(f"{{a}},{{b}}" for a, b in zip(x, y)))

import descend

root = str(Path(descend.__file__).parent) + "/"
fit, entered = descend.fit, set()

def note(frame, event, argument):
    code = frame.f_code
    function = code.co_flags & inspect.CO_OPTIMIZED  # the body of a class or a module is none
    if event == "call" and function and code.co_filename.startswith(root):
        entered.add(code.co_filename[len(root):])

sys.setprofile(note)
fit("y ~ a*exp(-b*x) + c", path)
sys.setprofile(None)
print(*sorted(entered), sep="\\n")
"""


def files_entered(folder: Path) -> list[str]:
    """Return the files of ours in which functions are called where a curve is fitted to a CSV."""
    code = ENTERED.format(folder=str(folder))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


RULES = {
    "names of losses outside their room": names_of_losses,
    "losses chosen by name outside their room": losses_chosen,
    "classes of losses asked for outside their room": lambda: classes_asked("losses"),
    "classes of models asked for outside their room": lambda: classes_asked("models"),
    "hasattr and getattr of a model": models_sounded,
    "imports within cycles": edges_in_cycles,
    "imports of a later room": upward_imports,
    "files over 350 lines": long_files,
    "function bodies over 60 lines": long_functions,
    "rooms over 15%": large_rooms,
    "options listed again": options_listed_again,
    "names that are riddles": riddles,
    "names that could be anything": lambda: riddles(VAGUE),
    "fmt: skip": lambda: occurrences("fmt: skip", r"# fmt: skip"),
    "Any": lambda: occurrences("Any", r"\bAny\b"),
}

if __name__ == "__main__":
    print(f"{total_lines()} lines")
    for rule, breaks in RULES.items():
        places = list(breaks())
        print(f"\n== {rule}: {len(places)}")
        for each in [] if rule == "Any" else places:
            print(each)
