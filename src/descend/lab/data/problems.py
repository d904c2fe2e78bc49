"""The built-in problems: each a recipe of `descend generate`, so that anybody can make the same rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Problem:
    """A recipe of rows, and a first descent on them.

    equations: for `descend generate`; ``{noise}`` stands for the noise. columns: likewise. noise: the usual one, None
    for no noise; least, most: its limits. start: of the parameters of ``formula``. about: what one can see in this
    problem. validation: the share of the rows that is held out, if any. by: the columns that tell groups apart, each of
    which has a fit of its own.
    """

    name: str
    title: tuple[str, str]
    about: tuple[str, str]
    formula: str
    equations: tuple[str, ...]
    columns: Mapping[str, str]
    start: Mapping[str, float]
    rate: float
    epochs: int = 100
    loss: str = "squared"
    optimizers: tuple[str, ...] = ("gd",)
    noise: float | None = 1.0
    least: float = 0.0
    most: float = 5.0
    rows: int | None = None
    validation: float | None = None
    by: tuple[str, ...] = ()
    window: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """The ranges of parameters on the surface, where the usual ones would miss what one should see."""

    def can_have(self, noise: float) -> bool:
        """Whether the problem allows this much noise."""
        return self.noise is not None and self.least <= noise <= self.most

    def written(self, noise: float | None) -> list[str]:
        """Return the equations with the noise filled in."""
        amount = self.noise if noise is None else noise
        return [text.replace("{noise}", f"{amount or 0.0:g}") for text in self.equations]


PROBLEMS = {
    problem.name: problem
    for problem in (
        Problem(
            "line",
            ("A line through the origin", "过原点的直线"),
            (
                "One parameter: J is a parabola, and each step goes down it. Raise the rate past 2/λ and watch.",
                "只有一个参数：J 是一条抛物线，每一步都沿着它下降。把学习率调到 2/λ 以上试试。",
            ),
            "y ~ w*x",
            ("y = 2*x + {noise}*uniform()",),
            {"x": "0:10:0.1"},
            {"w": 0.0},
            0.001,
            noise=2.0,
        ),
        Problem(
            "valley",
            ("A line with an intercept", "带截距的直线"),
            (
                "Two parameters, one direction forty times more curved than the other: the path zigzags, then crawls "
                "along the valley. Race momentum against it.",
                "两个参数，曲率相差很大：路径先来回折返，再沿谷底缓慢爬行。让动量法与它比一比。",
            ),
            "y ~ w*x + b",
            ("y = 2*x + 1 + {noise}*normal()",),
            {"x": "0:5:0.05"},
            {"w": 4.0, "b": -3.0},
            0.07,
            noise=0.5,
            window={"w": (-0.5, 4.5), "b": (-4.0, 6.0)},
        ),
        Problem(
            "decay",
            ("Exponential decay", "指数衰减"),
            (
                "Not linear: the curvature changes on the way, so a rate that is stable at the start may not stay so.",
                "非线性：曲率沿途变化，起点处稳定的学习率后来未必稳定。",
            ),
            "y ~ a*exp(-b*x)",
            ("y = 3*exp(-0.8*x) + {noise}*normal()",),
            {"x": "0:5:0.05"},
            {"a": 1.0, "b": 2.0},
            0.3,
            200,
            noise=0.1,
            most=1.0,
            window={"a": (0.0, 4.5), "b": (0.0, 2.6)},
        ),
        Problem(
            "wave",
            ("A wave with many minima", "多个极小值的波"),
            (
                "J has many valleys: where the descent ends depends on where it starts. Click on the surface.",
                "J 有许多山谷：终点取决于起点。在曲面上点击选择起点。",
            ),
            "y ~ a*sin(w*x)",
            ("y = 2*sin(1.5*x) + {noise}*normal()",),
            {"x": "0:10:0.1"},
            {"a": 1.0, "w": 2.4},
            0.02,
            200,
            noise=0.3,
            most=2.0,
            window={"a": (-0.5, 3.2), "w": (0.2, 3.2)},
        ),
        Problem(
            "outliers",
            ("A line with outliers", "含离群点的直线"),
            (
                "One row in ten is far off. Squared error follows it; try the huber or cauchy loss.",
                "十分之一的数据远远偏离。平方误差会被它们带走；试试 huber 或 cauchy 损失。",
            ),
            "y ~ w*x + b",
            ("y = 2*x + 1 + {noise}*normal() + 15*bernoulli(0.1)",),
            {"x": "0:4:0.04"},
            {"w": 0.0, "b": 0.0},
            0.08,
            200,
            loss="huber",
            noise=0.5,
            window={"w": (-0.6, 4.0), "b": (-1.0, 6.0)},
        ),
        Problem(
            "waves",
            ("A curve that learns the noise", "学会了噪声的曲线"),
            (
                "Eleven parameters, thirteen points, one wave: J falls and falls, but for the rows held out the loss "
                "turns upwards. Stop there, or leave waves out of the formula.",
                "十一个参数，十三个点，其实只有一个波：J 不断下降，留出的行的损失却掉头上升。应在那里停下，"
                "或从公式里去掉几个波。",
            ),
            "y ~ c + a1*sin(x) + b1*cos(x) + a2*sin(2*x) + b2*cos(2*x) + a3*sin(3*x) + b3*cos(3*x) + a4*sin(4*x) + "
            "b4*cos(4*x) + a5*sin(5*x) + b5*cos(5*x)",
            ("y = sin(x) + {noise}*normal()",),
            {"x": "0:6.2:0.3"},
            {},
            0.3,
            300,
            noise=0.5,
            most=2.0,
            validation=0.4,
            window={"a1": (-1.5, 2.5), "b1": (-2.0, 2.0)},
        ),
        Problem(
            "wells",
            ("Decay in eight wells", "八个孔中的衰减"),
            (
                "One fit for each well, all at once: rates rise from well to well. Choose one to see its descent.",
                "每个孔各拟合一次，同时完成：衰减率逐孔增大。点选一个孔，看它的下降过程。",
            ),
            "y ~ a*exp(-b*t)",
            (
                "well = floor(i/12)",
                "t = i - 12*well",
                "y = (2 + 0.5*well)*exp(-(0.1 + 0.05*well)*t) + {noise}*normal()",
            ),
            {"i": "0:96:1"},
            {"a": 1.0, "b": 0.3},
            0.1,
            300,
            noise=0.1,
            most=1.0,
            by=("well",),
            window={"a": (0.0, 8.0), "b": (0.0, 0.8)},
        ),
        Problem(
            "classes",
            ("Two classes", "两个类别"),
            (
                "A yes or no for each row: logistic loss, and a curve of probabilities.",
                "每行数据是“是”或“否”：逻辑损失，拟合概率曲线。",
            ),
            "y ~ sigmoid(a + b*x)",
            ("y = bernoulli(1/(1 + exp(6 - 1.5*x/{noise})))",),
            {"x": "0:8:0.08"},
            {"a": 0.0, "b": 0.0},
            0.15,
            300,
            loss="logistic",
            noise=1.0,
            least=0.1,
            most=2.0,
            window={"a": (-11.0, 2.0), "b": (-1.0, 3.0)},
        ),
        Problem(
            "sides",
            ("Which side of the curve", "曲线的哪一侧"),
            (
                "Points of two kinds: the border bends and sharpens until each kind is on its own side.",
                "两类点：分界线逐渐弯曲、变得分明，直到两类各在一侧。",
            ),
            "z ~ sigmoid(b*(y - a*x^2))",
            ("y = 6*uniform() - 1", "z = bernoulli(1/(1 + exp((x^2 - y)/{noise})))"),
            {"x": "-2.4:2.4:0.02"},
            {"a": -0.5, "b": 0.2},
            0.5,
            200,
            loss="logistic",
            noise=0.3,
            least=0.1,
            most=2.0,
            window={"a": (-1.0, 2.5), "b": (-0.5, 4.5)},
        ),
        Problem(
            "banana",
            ("Rosenbrock's valley", "罗森布罗克山谷"),
            (
                "The classic test of optimizers: into the bent valley it is quick, along its floor it is slow.",
                "优化算法的经典考题：进入弯曲的山谷很快，沿谷底前进很慢。",
            ),
            "y ~ u*a + v*(b - a^2)",
            ("u = 1 - i", "v = 10*i", "y = 1 - i"),
            {"i": "0:2:1"},
            {"a": -1.2, "b": 1.0},
            0.001,
            200,
            optimizers=("gd", "momentum", "adam"),
            noise=None,
            window={"a": (-2.0, 2.0), "b": (-1.0, 3.0)},
        ),
    )
}
"""By name, in the order of the menu."""
