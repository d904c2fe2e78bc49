"""The library's messages in Chinese: how a descent ended and why, and the verdict on a gradient.

They are not translated sentences but made anew from outcome, cause, verdict, and the numbers that come with them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from descend.gradients.court import Judgement
from descend.gradients.court.judgement import Finding
from descend.lab.figures.step_in_numbers import number
from descend.losses import LOSSES
from descend.results import Fit

MESSAGE_BELOW = "这样无法计算，原因如下（原文）："
OUTCOME_ADVICE = {
    "converged": "梯度在容许误差内为零，无需更多轮次。",
    "epochs_used_up": "梯度尚未到零，轮数已用完：增加轮数，或增大学习率。",
    "time_used_up": "时间用完时梯度尚未到零：减少轮数或增大批量。",
    "stopped_early": "验证损失已连续多轮不再下降，按 `patience` 的设定提前结束。",
    "diverged": "损失无限增长：请减小学习率，或选“自动选择”。",
    "stalled": "损失不再下降，但并非极小值，或处于平台：换一个起点试试。",
    "interrupted": "已中断：这是目前为止的参数。",
}
CAUSES = {
    "wrong_gradient": "梯度写错了",
    "bad_rows": "数据中有异常行",
    "domain_error": "公式在某些行没有定义",
    "overflow": "数值溢出",
    "far_origin": "某一列的原点太远",
    "plateau": "处于平台",
    "batch_noise": "小批量带来的噪声",
    "unscaled_column": "某一列的尺度相差太大",
    "rate_too_large": "学习率太大",
    "too_few_epochs": "轮数太少",
}
CAUSE_ADVICE = {
    "wrong_gradient": (
        "参数 {parameter} 的导数应为 {measured}，手写的梯度给出 {given}。请改正，或不用它下降。",
        "手写的梯度与 J 的变化不符。请改正，或不用它下降。",
    ),
    "bad_rows": (
        "数据列 `{column}` 在第 {rows} 行的值为 {values}，其余各行都在 {others_min} 与 {others_max} 之间。"
        "请在文件中改正或删去这些行。",
    ),
    "domain_error": (
        "`{expression}` 在第 {row} 行没有值。请换一个起点，或用小于 {learning_rate} 的学习率。",
        "公式在某些行没有值。请换一个起点，或减小学习率。",
    ),
    "overflow": (
        "`{expression}` 在第 {row} 行溢出。请缩小其中数据列的尺度，减小学习率或选“自动选择”也有帮助。",
        "数值溢出。请缩小数据列的尺度，或减小学习率。",
    ),
    "far_origin": (
        "数据列 `{column}` 的值在 {min} 与 {max} 之间，离零太远。损失停在 {loss}，"
        "若从 {origin} 算起可以降到 {loss_reachable}。"
        "请在公式中用 `({column} - {origin})` 代替 `{column}`。",
    ),
    "plateau": (
        "损失停在 {loss}，那里的梯度只有 {gradient_norm}；从别的起点可以降到 {loss_reachable}。换一个起点试试。",
        "损失停在 {loss}，那里的梯度只有 {gradient_norm}。换一个起点试试。",
    ),
    "batch_noise": (
        "{batch_size} 行一批的梯度有噪声：损失停在 {loss} 附近，而用全部数据可以到 {loss_over_all_rows}。"
        "请把批量增大到 {batch_size_that_helps}，或把学习率减小到 {learning_rate_that_helps}。",
    ),
    "unscaled_column": (
        "数据列 `{column}` 的值约为 {size}，与其他列的尺度相差太大：J 的条件数是 {condition}，各列标准化后是 "
        "{condition_standardized}。请先把这一列标准化。",
    ),
    "rate_too_large": (
        "学习率 {learning_rate} 太大：损失停在 {loss}，而用 {rate_that_descends} 可以降到 {loss_at_that}。"
        "请用 {rate_that_descends}，或选“自动选择”。",
        "学习率 {learning_rate} 是起点处最大稳定学习率 {largest_stable_rate} 的 {times_too_large} 倍。"
        "请用 {half}，或选“自动选择”。",
        "学习率 {learning_rate} 太大。请用 {rate_that_descends}，或选“自动选择”。",
        "学习率 {learning_rate} 太大。请减小，或选“自动选择”。",
    ),
    "too_few_epochs": (
        "{epochs} 轮后损失为 {loss}，还可以降到 {loss_reachable}；照此速度约需 {epochs_needed} 轮。"
        "请增加轮数、增大学习率，或换一种算法，例如 lbfgs。",
        "{epochs} 轮后损失为 {loss}，还可以降到 {loss_reachable}。请增加轮数、增大学习率，或换一种算法，例如 lbfgs。",
    ),
}
"""By cause: what happened and what to do. The variant that uses the most numbers comes first."""
VERDICTS = {
    "sign": "符号反了，这样会越走越高。请在前面加负号：残差是“预测值 − y”。",
    "sum_not_mean": "写成了各行之和，而 J 是平均值，所以大了 n 倍。请除以行数 n。",
    "mean_not_sum": "多除了一次行数 n。求平均或除以 n，只能做一次。",
    "swapped": "这是对另一个参数的导数。请检查每一行写的是哪个参数。",
    "other_loss": "这是另一种损失函数的梯度，而不是 {loss} 的。请改正梯度，或换用那种损失函数。",
    "stale": "它不随参数变化。请用每次的参数重新计算。",
    "transposed": "行和列对调了：每行数据一行，每个参数一列。请转置。",
    "not_zeroed": "每次都加在上一次的结果上。请每次从零开始。",
}
COMMAS = re.compile(r"numbers in (?P<file>.+) are read with decimal commas.*: (?P<shown>\S+) as (?P<read>\S+)")


def noted(note: str) -> str | None:
    """Return a note of the library on how a file was read, in Chinese; None if there are no words for it.

    >>> noted("numbers in a.csv are read with decimal commas: 0,5 as 0.5")
    'a.csv 中的数字以逗号为小数点：0,5 读作 0.5。'
    """
    match = COMMAS.fullmatch(note)
    return None if match is None else "{file} 中的数字以逗号为小数点：{shown} 读作 {read}。".format(**match.groupdict())


def why(fit: Fit) -> str:
    """Say what happened in a descent, and what to do about it."""
    diagnosis = fit.diagnosis
    cause = None if diagnosis.cause is None else str(diagnosis.cause)
    if cause is None and {"rows", "others_min"} <= set(diagnosis.evidence):
        cause = "bad_rows"
    evidence_words = {name: _written(value) for name, value in diagnosis.evidence.items() if _known(value)}
    if "largest_stable_rate" in evidence_words:
        evidence_words["half"] = number(diagnosis.evidence["largest_stable_rate"] / 2.0, 2)
    for template in CAUSE_ADVICE.get(cause or "", ()):
        try:
            reason_text = template.format(**evidence_words)
        except KeyError:
            continue
        return reason_text if diagnosis.cause is not None else OUTCOME_ADVICE[str(fit.outcome)] + reason_text
    return OUTCOME_ADVICE[str(fit.outcome)]


def verdict(judgement: Judgement) -> str:
    """Say what the verdict on a gradient is.

    >>> import descend
    >>> data = {"x": [1.0, 2.0, 3.0], "y": [2.0, 4.1, 5.9]}
    >>> verdict(descend.check("y ~ w*x", data, gradient="w = mean(x*(w*x - y))"))
    'w 的梯度有误：只有应有值的 0.5 倍，平方的导数会带出因子 2。请乘以 2。'
    """
    if judgement.proved:
        return "梯度正确：已用代数证明，对任何参数和数据都成立。"
    if judgement.agree:
        return f"梯度正确：在 {judgement.points} 个点上都与 J 的梯度一致（只差舍入误差）。"
    wrong = [finding for finding in judgement.parameters.values() if finding.verdict != "correct"]
    verdict_text = _mistake(wrong[0], judgement)
    same = [finding.name for finding in wrong if _mistake(finding, judgement) == verdict_text]
    others_wrong = len(wrong) - len(same)
    return f"{'、'.join(same)} 的梯度有误：{verdict_text}" + (f"另有 {others_wrong} 个也有误。" if others_wrong else "")


def _mistake(finding: Finding, judgement: Judgement) -> str:
    factor = finding.factor
    if finding.verdict == "factor" and factor:
        squared = "，平方的导数会带出因子 2" if factor == 0.5 and LOSSES.build(judgement.loss).quadratic else ""
        only = "只有" if 0.0 < factor < 1.0 else "是"
        return f"{only}应有值的 {number(factor)} 倍{squared}。请乘以 {number(1.0 / factor)}。"
    if finding.verdict == "missing_chain_factor" and finding.ratio:
        return f"写出的与应有的之比是 `{finding.ratio}`：链式法则没有用完。"
    if finding.verdict in VERDICTS:
        return VERDICTS[finding.verdict].format(loss=judgement.loss)
    yours, right = finding.yours, finding.derived if finding.derived is not None else finding.numeric
    if yours is None or right is None:
        return "它不是 J 的导数。"
    return f"在某一点它给出 {number(yours)}，而导数是 {number(right)}。"


def _known(value: object) -> bool:
    return value is not None and not (isinstance(value, float) and not math.isfinite(value))


def _written(value: object) -> str:
    if isinstance(value, float):
        return number(value)
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list | tuple):
        values_shown = "、".join(_written(each) for each in list(dict.fromkeys(value))[:5])
        return values_shown + (" 等" if len(dict.fromkeys(value)) > 5 else "")
    return str(value) if not isinstance(value, Mapping) else ""
