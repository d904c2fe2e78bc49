"""What the page says by itself, while it plays and while somebody descends by hand: English, Chinese."""

from __future__ import annotations

PHRASES = {
    "step_up": (
        "J falls as {name} grows (slope {slope}), so {name} goes up, by {size}.",
        "{name} 增大时 J 减小（斜率 {slope}），所以 {name} 增大 {size}。",
    ),
    "step_down": (
        "J rises as {name} grows (slope {slope}), so {name} goes down, by {size}.",
        "{name} 增大时 J 也增大（斜率 {slope}），所以 {name} 减小 {size}。",
    ),
    "step_carried_up": (
        "The slope of {name} ({slope}) says down, but {name} still goes up, by {size}: earlier steps carry it on.",
        "{name} 的斜率（{slope}）要它减小，但它仍增大 {size}：之前的步子带着它继续走。",
    ),
    "step_carried_down": (
        "The slope of {name} ({slope}) says up, but {name} still goes down, by {size}: earlier steps carry it on.",
        "{name} 的斜率（{slope}）要它增大，但它仍减小 {size}：之前的步子带着它继续走。",
    ),
    "step_batches_up": (
        "Over the small steps of this epoch {name} goes up, by {size}.",
        "这一轮的各小步合起来，{name} 增大 {size}。",
    ),
    "step_batches_down": (
        "Over the small steps of this epoch {name} goes down, by {size}.",
        "这一轮的各小步合起来，{name} 减小 {size}。",
    ),
    "step_stays": ("{name} stays where it is.", "{name} 不变。"),
    "step_fell": ("J falls from {before} to {after}, by {share} %.", "J 从 {before} 降到 {after}，减少 {share}%。"),
    "step_crossed": (
        "The slope along {names} turns: the step went across the floor of the valley.",
        "沿 {names} 的斜率变号了：这一步越过了谷底。",
    ),
    "step_level": ("J hardly changes: {after}.", "J 几乎不变：{after}。"),
    "step_too_long": (
        "J rises from {before} to {after}: the direction was right, but the step was too long. It went across the "
        "valley and up the other side.",
        "J 从 {before} 升到 {after}：方向没错，但步子太大，越过山谷，爬上了对面的坡。",
    ),
    "step_past": (
        "J rises from {before} to {after}: its own speed carries it past the floor of the valley.",
        "J 从 {before} 升到 {after}：惯性带着它冲过了谷底。",
    ),
    "step_noise": (
        "J of all rows rises from {before} to {after}: each small step saw only a part of them.",
        "全部数据的 J 从 {before} 升到 {after}：每一小步只看到一部分数据。",
    ),
    "step_lost": ("J has no value there any more.", "到了那里，J 已经没有值了。"),
}
"""By key. The page fills in what stands in braces."""
