"""The words of the page, in English and Chinese."""

from __future__ import annotations

import json

from descend.lab.words.phrases import PHRASES
from descend.losses import LOSSES
from descend.options.request import OPTIONS

TEXTS = {
    "title": ("gradient descent lab", "梯度下降实验室"),
    "problem": ("Problem", "问题"),
    "own_file": ("The file of this lab", "本实验室的文件"),
    "uploaded": ("Your own CSV", "自己的 CSV"),
    "upload": ("Upload a CSV", "上传 CSV"),
    "formula": ("Formula", "公式"),
    "formula_hint": ("Columns: {columns}. Other names are parameters.", "数据列：{columns}。其他名称是参数。"),
    "race": ("Choose several to race.", "可多选，同场竞赛。"),
    "log_rate": ("Learning rate, as a power of ten", "学习率（以十的幂表示）"),
    "auto": ("choose for me", "自动选择"),
    "stable": ("stable", "稳定"),
    "diverges": ("diverges", "发散"),
    "limit_of": (
        "At the start λ = {largest}. {name} is stable there for η up to {limit}.",
        "起点处 λ = {largest}。{name} 在 η 不超过 {limit} 时稳定。",
    ),
    "no_limit": (
        "At the start λ = {largest}. No largest stable rate is known for {name}.",
        "起点处 λ = {largest}。{name} 没有已知的最大稳定学习率。",
    ),
    "no_rate": ("{name} finds the length of each step itself.", "{name} 自行决定每一步的长度。"),
    "no_curvature": ("J has no curvature here that could tell a limit.", "这里 J 没有可用来给出上限的曲率。"),
    "start_hint": ("Or click on the surface.", "也可以在曲面上点击。"),
    "left_out": ("It is left out.", "已忽略。"),
    "all_rows": ("all rows", "全部数据"),
    "none_held_out": ("none", "不留出"),
    "validation_hint": (
        "Nothing is fitted to these rows: how well the curve does there is dashed beside J.",
        "这些行不参与拟合：曲线在它们上的损失用虚线画在 J 旁边。",
    ),
    "held_out_now": ("held out: {value}", "留出的行：{value}"),
    "held_out": ("the same for the rows held out", "留出的行的损失"),
    "held_out_rows": ("held out", "留出的行"),
    "held_out_loss": ("held out", "留出的行"),
    "overfits": (
        "From epoch {epoch} on it learns the noise: for the rows held out the loss rises from {low} to {high}, while J "
        "still falls.",
        "从第 {epoch} 轮起，曲线在学习噪声：留出的行的损失从 {low} 升到 {high}，而 J 还在下降。",
    ),
    "noise": ("Noise", "噪声"),
    "sample": ("New sample", "重新抽样"),
    "data_figure": ("Data and curve", "数据与曲线"),
    "surface_figure": ("J, and the way down", "J 与下降路径"),
    "loss_figure": ("J per epoch", "每轮的 J"),
    "step_figure": ("This step, with its numbers", "这一步的数值"),
    "ended": ("The descent ends here.", "下降到此结束。"),
    "batched": (
        "One epoch is {steps} steps, each on {batch} rows.",
        "一轮有 {steps} 步，每步使用 {batch} 行。",
    ),
    "play": ("Play", "播放"),
    "pause": ("Pause", "暂停"),
    "back": ("One step back", "后退一步"),
    "next": ("One step on", "前进一步"),
    "first": ("To the start", "回到起点"),
    "epoch_slider": ("Epoch", "轮次"),
    "what": ("What happened", "发生了什么"),
    "details": ("In the library's own words (English)", "程序原文（英文）"),
    "run": ("optimizer", "算法"),
    "outcome": ("ended", "结果"),
    "used": ("epochs", "轮数"),
    "parameters": ("parameters", "参数"),
    "gradient_hint": (
        "Write dJ/dparameter, a line for each; it is judged as you type.",
        "为每个参数写一行 dJ/d参数，边写边判。",
    ),
    "by_hand": ("descend with it", "用它来下降"),
    "derived": ("Show the derived gradient", "查看推导出的梯度"),
    "deepest": ("J from {low} (deepest colour) to {high}.", "J 从 {low}（颜色最深）到 {high}。"),
    "deepest_more": ("J from {low} (deepest colour) to {high} or more.", "J 从 {low}（颜色最深）到 {high} 以上。"),
    "others_best": (
        "The other parameters stay at their best values.",
        "其他参数取最优值。",
    ),
    "thinned": ("J of {drawn} rows, evenly spaced.", "J 只用等间隔的 {drawn} 行计算。"),
    "drawn": ("{drawn} of {rows} rows drawn, chosen at random.", "只画出 {rows} 行中随机选取的 {drawn} 行。"),
    "take": ("Take it with you", "带走结果"),
    "command": ("As command line", "命令行"),
    "python": ("As Python", "Python 代码"),
    "copy": ("Copy", "复制"),
    "copied": ("Copied", "已复制"),
    "report": ("Download report", "下载报告"),
    "link": ("Copy link", "复制链接"),
    "link_hint": ("The address of this page holds all of its settings.", "本页地址包含全部设置。"),
    "link_upload": (
        "The link holds the settings and your data, up to 1 MB: small data in the link itself, larger ones in a file "
        "that this lab keeps for it.",
        "链接包含全部设置和您的数据（最多 1 MB）：小数据直接写在链接里，较大的由本实验室保存。",
    ),
    "link_failed": (
        "The link is without your data, which are larger than 1 MB or no longer here.",
        "链接不含您的数据：数据超过 1 MB，或已不在这里。",
    ),
    "kept_gone": (
        "The data of this link are not kept here any more. Ask for a new link.",
        "此链接的数据已不在这里，请索取新的链接。",
    ),
    "need_upload": (
        "This page was made with an uploaded file, which does not travel in its address. Upload it again.",
        "此页面使用了上传的文件，而文件不会包含在地址中。请重新上传。",
    ),
    "choose_formula": ("Type a formula, such as {example}.", "请输入公式，例如 {example}。"),
    "sampled": (
        "The lab descends on {rows} of {total} rows, chosen at random; the copied command takes them all.",
        "实验室随机选取 {total} 行中的 {rows} 行进行下降；复制的命令会使用全部数据。",
    ),
    "columns_left_out": ("Left out, for they hold no numbers: {names}.", "以下各列不是数值，已略去：{names}。"),
    "too_large": ("This is larger than {most} MB, the most that is taken here.", "文件超过 {most} MB，这里不接收。"),
    "in_valley": ("in a shallower valley", "落在较浅的山谷"),
    "lowest": ("lowest J", "最低的 J"),
    "border": ("both are as likely", "两者可能性相等"),
    "observed": ("{name}, observed", "{name}（观测）"),
    "predicted": ("{name}, predicted", "{name}（预测）"),
    "epoch": ("epoch", "轮次"),
    "bad_formula": (
        "The formula is longer than the lab takes. Use the command line.",
        "公式太长，请使用命令行。",
    ),
    "bad_loss": ("There is no loss `{text}`.", "没有损失函数 `{text}`。"),
    "trials_hint": (
        "Of how many trials each share is: a column or a number. Write the response as a share, such as dead/n.",
        "每个比例的试验次数：一列或一个数。因变量写成比例，例如 dead/n。",
    ),
    "dispersion_hint": (
        "estimated, where counts or shares scatter more than their distribution; or a number.",
        "若计数或比例比其分布更分散，请填 estimated，或填一个数。",
    ),
    "bad_trials": (
        "The name of the column of trials is longer than the lab takes. Use the command line.",
        "试验次数的列名太长，请使用命令行。",
    ),
    "bad_dispersion": (
        "The dispersion is estimated, known, or a number above 0; this is `{text}`.",
        "离散度填 estimated、known 或大于 0 的数；这里是 `{text}`。",
    ),
    "bad_optimizers": ("Choose one to six optimizers.", "请选择一到六种优化算法。"),
    "bad_batch": (
        "A batch is a whole number of rows, 1 or more; this is `{text}`.",
        "批量大小是不小于 1 的整数；这里是 `{text}`。",
    ),
    "bad_validation": (
        "The share of the rows held out lies between 0 and 1; this is `{text}`.",
        "留出的行的比例在 0 与 1 之间；这里是 `{text}`。",
    ),
    "bad_epochs": ("The lab runs 1 to 5,000 epochs; this is `{text}`.", "轮数在 1 到 5,000 之间；这里是 `{text}`。"),
    "bad_gradient": (
        "The gradient is longer than the lab takes. Use the command line.",
        "梯度太长，请使用命令行。",
    ),
    "bad_start": ("The start cannot be read: write it as w=0, b=1.", "无法读取起点：请写成 w=0, b=1。"),
    "valley": (
        "This valley of J goes no deeper than {floor}. There is a deeper one: J = {lowest} at {place}.",
        "J 的这个山谷最低只到 {floor}。还有更深的：在 {place} 处 J = {lowest}。",
    ),
    "valley_same_start": ("From the same start {name} gets there.", "从同一起点出发，{name} 可以到达那里。"),
    "valley_elsewhere": (
        "Start nearer to it: click on the surface, or type a start.",
        "请从离它更近的地方出发：在曲面上点击，或输入起点。",
    ),
    "silent": ("The lab does not answer. Is it still running?", "实验室没有响应。它还在运行吗？"),
    "unread": (
        "Not everything in this address could be read, and was left as usual: {names}.",
        "地址中有些内容无法读取，已按默认处理：{names}。",
    ),
    "curves": ("Named curves", "常用曲线"),
    "curve_hint": ("Choose one, such as Voigt", "选择一条，例如沃伊特峰"),
    "by_hint": (
        "Several columns make a group of each combination.",
        "可多选：各列取值的每种组合为一组。",
    ),
    "groups": ("All groups", "全部分组"),
    "groups_figure": ("Data and the curve of each group", "各组的数据与曲线"),
    "worst_figure": ("The {drawn} worst of {groups} groups", "{groups} 组中拟合最差的 {drawn} 组"),
    "groups_table": ("The groups: choose one to see its descent", "各组：点选一组查看其下降过程"),
    "groups_ended": ("{groups} groups: {counts}, in {seconds} s", "共 {groups} 组：{counts}，用时 {seconds} 秒"),
    "groups_shown": ("{first} to {last} of {total} groups", "第 {first} 至 {last} 组，共 {total} 组"),
    "groups_take_all": ("Fits of groups take all rows.", "分组拟合使用全部数据。"),
    "ungrouped": ("{rows} rows have no group, and are left out.", "{rows} 行不属于任何组，已略去。"),
    "find": ("Find", "查找"),
    "worst_first": ("Worst first", "最差的在前"),
    "before": ("Before", "上一页"),
    "after": ("Next", "下一页"),
    "comma": (", ", "，"),
    "rows": ("rows", "行数"),
    "refused": ("refused", "无法拟合"),
    "why": ("why", "原因（英文）"),
    "one_group": ("Group {by} = {name}", "分组 {by} = {name}"),
    "back_to_all": ("Back to all groups", "返回全部分组"),
    "theme": ("Light or dark", "浅色或深色"),
    "language": ("中文", "English"),
    "settings": ("More settings", "更多设置"),
    "of": ("epoch {epoch} of {last}", "第 {epoch} 轮，共 {last} 轮"),
}
"""By key: English, Chinese."""

OUTCOMES = {
    "converged": ("Converged", "已收敛"),
    "epochs_used_up": ("Not there yet", "尚未到达"),
    "time_used_up": ("Stopped: it took too long", "已停止：用时过长"),
    "stopped_early": ("Stopped early", "提前停止"),
    "diverged": ("Diverged", "发散了"),
    "stalled": ("Stalled", "停滞"),
    "interrupted": ("Interrupted", "被中断"),
}


class Words:
    """The texts in one language.

    >>> words("en")("of", epoch=3, last=10), words("zh").chinese
    ('epoch 3 of 10', True)
    """

    def __init__(self, chinese: bool) -> None:
        self.chinese = chinese

    def __call__(self, key: str, **named: object) -> str:
        """Look up a text, and fill in its named values."""
        text = (TEXTS.get(key) or PHRASES[key])[self.chinese]
        return text.format(**named) if named else text

    def phrases(self, *kinds: str) -> str:
        """Return the texts that the page fills in by itself, of some kinds, as JSON by key."""
        wanted_prefixes = tuple(f"{kind}_" for kind in kinds)
        phrases_chosen = {key: pair[self.chinese] for key, pair in PHRASES.items() if key.startswith(wanted_prefixes)}
        return json.dumps(phrases_chosen, ensure_ascii=False)

    def loss(self, name: str) -> str:
        """Return what the list of losses calls one: its name, and in Chinese what it is."""
        plain = name.replace("_", " ")
        chinese = LOSSES[name].chinese if self.chinese and name in LOSSES else ""
        return f"{plain} {chinese}" if chinese else plain

    def label(self, key: str) -> str:
        """Return the label of the control of an option."""
        label = OPTIONS[key].label
        assert label is not None
        return label[self.chinese]


def words(language: str) -> Words:
    """Return the texts in a language."""
    return Words(language == "zh")


def too_large(most: int, language: str = "en") -> str:
    """Say that something is longer than ``most`` bytes."""
    return words(language)("too_large", most=f"{most / 2**20:,.0f}")
