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
    "own_data": ("Data of your own", "自己的数据"),
    "own_paste": ("Paste", "粘贴"),
    "own_draw": ("Draw", "手绘"),
    "own_equation": ("From a formula", "由公式生成"),
    "own_paste_title": ("Paste from a spreadsheet", "从表格粘贴"),
    "own_draw_title": ("Draw your data", "画出数据"),
    "own_equation_title": ("Data that follow a formula of yours", "按您的公式生成数据"),
    "own_paste_hint": (
        "Copy the cells with their header and paste them here: tabs, semicolons, decimal commas and units in the "
        "header, such as t (s), are understood.",
        "把单元格连同表头复制到这里：制表符、分号、小数逗号和表头里的单位（如 t (s)）都能识别。",
    ),
    "own_paste_label": ("Cells", "单元格"),
    "own_draw_hint": (
        "Draw with the mouse, a pen or a finger. By keyboard: arrows move the cross, Space puts a point there.",
        "用鼠标、笔或手指画。键盘：方向键移动十字，空格键放一个点。",
    ),
    "own_equation_hint": (
        "normal() and uniform() make noise. Then let a formula of your choice descend to it.",
        "normal() 和 uniform() 产生噪声。然后让您选的公式去拟合它。",
    ),
    "own_use": ("Use these data", "使用这些数据"),
    "own_close": ("Close", "关闭"),
    "draw_what": ("Draw", "画"),
    "draw_curve": ("a curve", "一条曲线"),
    "draw_points": ("single points", "单个点"),
    "draw_zero": ("points of kind 0 (dots)", "第 0 类的点（圆点）"),
    "draw_one": ("points of kind 1 (triangles)", "第 1 类的点（三角）"),
    "draw_undo": ("Undo", "撤销"),
    "draw_clear": ("Clear", "清空"),
    "draw_left": ("x from", "x 从"),
    "draw_right": ("x to", "x 到"),
    "draw_low": ("y from", "y 从"),
    "draw_high": ("y to", "y 到"),
    "draw_label": ("A place to draw data, x across and y up", "画数据的地方，横轴 x，纵轴 y"),
    "draw_told": ("{count} points", "{count} 个点"),
    "draw_at": ("x = {x}, y = {y}", "x = {x}，y = {y}"),
    "draw_few": ("Draw three points or more.", "请至少画三个点。"),
    "draw_ends": ("x and y each go from a number to a larger one.", "x 和 y 的范围都要从小到大。"),
    "draw_kinds": ("Draw points of both kinds.", "两类点都要画。"),
    "made_label": ("Equation", "方程"),
    "made_low": ("x from", "x 从"),
    "made_high": ("x to", "x 到"),
    "made_rows": ("rows, up to {most}", "行数，最多 {most}"),
    "hand": ("By hand", "亲手下降"),
    "hand_about": ("Choose each step yourself", "自己选择每一步"),
    "hand_title": ("Down by hand", "亲手下降"),
    "hand_direction": ("Direction", "方向"),
    "hand_size": ("Size", "大小"),
    "hand_take": ("Take the step", "走这一步"),
    "hand_undo": ("Undo", "撤销"),
    "hand_again": ("Start again", "重新开始"),
    "hand_leave": ("Let the optimizer descend", "让算法下降"),
    "hand_up": ("{name} up by {size}", "{name} 增大 {size}"),
    "hand_down": ("{name} down by {size}", "{name} 减小 {size}"),
    "hand_larger": ("larger {name}", "更大的 {name}"),
    "hand_smaller": ("smaller {name}", "更小的 {name}"),
    "hand_comma": (", ", "，"),
    "hand_and": (" and ", "、"),
    "hand_here": (
        "You stand at {place}; J = {loss}. Downhill from here is toward {way}.",
        "您在 {place}，J = {loss}。下坡的方向是{way}。",
    ),
    "hand_aim": (
        "Choose a direction and a size, or click on the surface to aim there. Then take the step.",
        "选择方向和大小，或在曲面上点击来瞄准，然后走这一步。",
    ),
    "hand_step": ("Step {count}: {moves}.", "第 {count} 步：{moves}。"),
    "hand_fell": ("J fell from {before} to {after}, by {share} %.", "J 从 {before} 降到 {after}，减少 {share}%。"),
    "hand_further": ("It still goes down that way: you could have gone further.", "前面还是下坡：还可以走得更远。"),
    "hand_crossed": (
        "You crossed the floor of the valley: a shorter step that way would have gone deeper.",
        "您越过了谷底：同一方向走短一点会更低。",
    ),
    "hand_too_long": (
        "J rose from {before} to {after}. The direction was right, downhill, but the step was too long: across the "
        "valley and up the other side. Try a shorter one.",
        "J 从 {before} 升到 {after}。方向没错，是下坡，但步子太大：越过山谷，爬上了对面。试试小一点。",
    ),
    "hand_uphill": (
        "J rose from {before} to {after}: you went uphill. Turn round.",
        "J 从 {before} 升到 {after}：您在上坡。请掉头。",
    ),
    "hand_level": (
        "J hardly changed: you went along the slope, not down it.",
        "J 几乎没变：您沿着等高线走，没有下坡。",
    ),
    "hand_lost": ("J has no value there. Undo, and take a smaller step.", "那里 J 没有值。请撤销，走小一点。"),
    "hand_gd": (
        "gd, with η = {rate}, would have gone to {place}, where J = {loss}: {who}.",
        "gd（η = {rate}）会走到 {place}，那里 J = {loss}：{who}。",
    ),
    "hand_mine": ("yours is lower", "您的更低"),
    "hand_its": ("lower than yours", "比您的低"),
    "hand_same": ("about the same", "差不多"),
    "hand_reached": (
        "You are down: J is nowhere below {lowest}. It took you {count} steps.",
        "您到谷底了：J 最低就是 {lowest}。您用了 {count} 步。",
    ),
    "no_token": (
        "This lab is open to those who have its whole link. Ask whoever sent you here for it.",
        "此实验室只对持有完整链接的人开放。请向发送者索取完整链接。",
    ),
    "too_much": (
        "You have asked this lab for a lot in a short time. It goes on in {seconds} s.",
        "您在短时间内请求太多，{seconds} 秒后继续。",
    ),
    "too_many_epochs": (
        "A descent takes {most} epochs at most in this lab; this is {epochs}.",
        "此实验室的一次下降最多 {most} 轮；这里是 {epochs} 轮。",
    ),
    "projector": ("Projector", "投影"),
    "print": ("Print", "打印"),
    "save_picture": ("Save this picture", "保存图片"),
    "video": ("Save film", "保存动画"),
    "video_about": ("Save the three pictures, moving, as a film", "把三幅图的动画存成视频"),
    "video_going": ("Saving …", "正在保存…"),
    "video_none": ("This browser cannot record", "此浏览器无法录制"),
}
"""By key. The page fills in what stands in braces."""
