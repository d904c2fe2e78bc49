"""What losses are called in Chinese, by the names that the option calls them."""

from __future__ import annotations

CHINESE = {
    "squared": "平方误差",
    "absolute": "绝对误差",
    "huber": "Huber 损失",
    "soft_l1": "光滑绝对误差",
    "cauchy": "柯西损失",
    "tukey": "Tukey 双权损失",
    "log_cosh": "对数双曲余弦",
    "pinball": "分位数损失",
    "poisson": "泊松计数",
    "negative_binomial": "负二项计数",
    "gamma": "伽马分布",
    "inverse_gaussian": "逆高斯分布",
    "tweedie": "Tweedie 分布",
    "logistic": "逻辑损失（是或否）",
    "bernoulli": "伯努利概率",
    "binomial": "二项比例",
    "ordinal": "有序类别",
    "multinomial": "多类别",
    "student_t": "t 分布",
    "weibull": "威布尔时间",
    "exponential": "指数时间",
    "lognormal": "对数正态时间",
    "von_mises": "冯·米塞斯方向",
    "quasi_poisson": "拟泊松计数",
    "quasi_binomial": "拟二项比例",
}
