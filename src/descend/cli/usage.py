"""Errors in the command line itself, and what the user probably meant."""

from __future__ import annotations

from collections.abc import Iterator

from descend.registry import closest

SYNONYMS = {
    "--learning-rate": "lr rate alpha eta step-size stepsize",
    "--epochs": "iterations iters iter n-iter niter max-iter maxiter max-iterations max-epochs n-epochs steps",
    "--loss": "loss-function lossfunction objective cost criterion family distribution likelihood",
    "--optimizer": "method algorithm solver opt",
    "--start": "init initial initial-guess guess p0 x0",
    "--tolerance": "tol ftol gtol xtol eps epsilon",
    "--batch-size": "batch batchsize",
    "--seed": "random-state random-seed",
    "--bound": "bounds limits constraint",
    "--fix": "fixed freeze",
    "--tie": "ties",
    "--weights": "weight sample-weight",
    "--sigma": "yerr error uncertainty std",
    "--l2": "ridge weight-decay",
    "--l1": "lasso",
    "--where": "filter subset condition",
    "--missing": "na dropna drop-na nan-policy",
    "--time-limit": "timeout max-time",
    "--standardize": "standardise normalize normalise scale",
    "--log-every": "verbose v print-every",
    "--interval": "ci confidence",
    "--level": "confidence-level",
    "--plot": "figure picture png image",
    "--report": "html page",
    "--animate": "animation gif movie video",
    "--gradient": "grad jac",
    "--output": "o out save to-file",
    "--save": "o out output model to-file",
    "--at": "x values",
    "--by": "group groups group-by groupby",
    "--trials": "n-trials totals",
    "--optimizers": "methods optimizer algorithms",
}
"""Our options by the names that other programs give them."""


def explained(error: Exception) -> str:
    """Say what is wrong with the command, and where its options are listed."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "descend"
    message = _no_option(error) or error.format_message()  # type: ignore[attr-defined]
    end = "" if message.endswith((".", "?")) else "."
    return f"UsageError: {message}{end}\n`{command} --help` lists what it takes."


def _no_option(error: Exception) -> str:
    """Return a message for an option that does not exist; an empty text for other errors."""
    option_named, context = getattr(error, "option_name", None), getattr(error, "ctx", None)
    if option_named is None or context is None or type(error).__name__ != "NoSuchOption":
        return ""
    options = [option for parameter in context.command.params for option in parameter.opts if option.startswith("--")]
    name = str(option_named).lstrip("-").replace("_", "-").casefold()
    meant = next(_called(name, options), "")
    guess = f" Did you mean `{meant}`?" if meant else closest(f"--{name}", options) if len(name) > 2 else ""
    return f"There is no option `{option_named}`.{guess}"


def _called(name: str, options_known: list[str]) -> Iterator[str]:
    yield from (option for option in options_known if option == f"--{name}")
    yield from (option for option in options_known if name in SYNONYMS.get(option, "").split())
