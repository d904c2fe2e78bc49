"""How descents ended and what the court finds, in Chinese: the same numbers as in English."""

from __future__ import annotations

import re
import string

import numpy as np
import pytest

import descend
from descend.diagnosis.cause import Cause
from descend.gradients.court.judgement import VERDICTS
from descend.lab.words import chinese_messages as chinese

LINE = {"x": np.array([1.0, 2.0, 3.0, 4.0]), "y": np.array([2.0, 4.1, 5.9, 8.2])}


@pytest.mark.parametrize(
    ("gradient", "said"),
    [
        ("w = mean(2*x*(w*x - y))", "梯度正确：已用代数证明，对任何参数和数据都成立。"),
        ("w = mean(x*(w*x - y))", "w 的梯度有误：只有应有值的 0.5 倍，平方的导数会带出因子 2。请乘以 2。"),
        ("w = mean(6*x*(w*x - y))", "w 的梯度有误：是应有值的 3 倍。请乘以 0.3333。"),
        ("w = -mean(2*x*(w*x - y))", "w 的梯度有误：符号反了，这样会越走越高。请在前面加负号：残差是“预测值 − y”。"),
        ("w = sum(2*x*(w*x - y))", "w 的梯度有误：写成了各行之和，而 J 是平均值，所以大了 n 倍。请除以行数 n。"),
        ("w = mean(2*(w*x - y))", "w 的梯度有误：写出的与应有的之比是 `1/x`：链式法则没有用完。"),
        ("w = 7", "w 的梯度有误：在某一点它给出 7，而导数是"),
    ],
)
def test_a_verdict(gradient, said):
    assert chinese.verdict(descend.check("y ~ w*x", LINE, gradient=gradient)).startswith(said)


def test_every_verdict_has_words():
    """What is not in the table is worded from the numbers: factor, ratio, and what was given."""
    assert set(chinese.VERDICTS) | {"correct", "factor", "missing_chain_factor", "wrong"} == set(VERDICTS)


def test_two_parameters_of_which_each_is_wrong_in_its_own_way():
    judgement = descend.check("y ~ w*x + b", LINE, gradient=["w = mean(x*(w*x + b - y))", "b = -mean(2*(w*x + b - y))"])
    assert chinese.verdict(judgement).startswith("w 的梯度有误：只有") and "另有 1 个也有误。" in chinese.verdict(
        judgement
    )


@pytest.mark.parametrize(
    ("formula", "options", "cause", "numbers"),
    [
        ("y ~ w*x", {"learning_rate": 0.5}, "rate_too_large", ["learning_rate", "largest_stable_rate"]),
        ("y ~ w*x + b", {"learning_rate": 0.001}, "too_few_epochs", ["loss", "loss_reachable"]),
        ("y ~ w*x + log(b)", {"start": {"b": 0.001}, "learning_rate": 1e-5}, None, []),
    ],
)
def test_the_numbers_of_a_cause_are_those_of_the_library(formula, options, cause, numbers):
    fit = descend.fit(formula, LINE, **({"optimizer": "gd", "start": {}, "epochs": 20} | options))
    said = chinese.why(fit)
    if cause is not None:
        assert fit.cause == cause
    for name in numbers:
        assert chinese.number(fit.diagnosis.evidence[name]) in said
    assert "{" not in said and re.search("[一-鿿]", said)


def test_every_cause_and_every_outcome_has_words():
    assert set(chinese.CAUSES) == set(chinese.CAUSE_ADVICE) == set(Cause)
    assert set(chinese.OUTCOME_ADVICE) == set(descend.Outcome)


def test_words_for_every_cause_begin_with_those_that_know_most():
    for templates in chinese.CAUSE_ADVICE.values():
        fields = [len({name for _, name, _, _ in string.Formatter().parse(text) if name}) for text in templates]
        assert fields == sorted(fields, reverse=True)
