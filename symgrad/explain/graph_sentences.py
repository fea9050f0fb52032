"""The sentences of the computation graph, in English and Chinese."""

from __future__ import annotations

from symgrad.prose import Text

CAPTION = Text(
    en="The computation graph. Frames with sharp corners hold data, thick ones parameters, round ones computed values with the"
    " numbers of their equations. Solid arrows lead forward to the loss, dashed ones carry the derivatives back.",
    zh="计算图。直角框为数据，粗线框为参数，圆角框为算出的量（附公式编号）。实线箭头表示前向传播，虚线箭头表示导数的反向传播。",
)
CAPTION_OF_GROUPS = Text(
    en="The computation graph. Frames with sharp corners hold data, thick ones parameters, round ones computed values with the"
    " numbers of their equations; {groups}. Solid arrows lead forward to the loss, dashed ones carry the derivatives back.",
    zh="计算图。直角框为数据，粗线框为参数，圆角框为算出的量（附公式编号）；{groups}。实线箭头表示前向传播，虚线箭头表示导数的反向传播。",
)
GROUP = Text(en="the large frame is repeated {values}", zh="大框{values} 重复")
VALUES = Text(en="for {values}", zh="对 {values}")
TOO_LARGE = Text(
    en="The computation graph has {count} values; it is left out, since so large a picture is not read.",
    zh="计算图共有 {count} 个量，图过大不便阅读，此处从略。",
)
# The picture in words
COMPUTED = Text(en="{name} is computed from {sources}", zh="{name} 由 {sources} 算出")
IS_ANOTHER = Text(en="{name} begins as {sources}", zh="{name} 的初值为 {sources}")
ALONE = Text(en="{item}.", zh="{item}。")
IN_GROUP = Text(en="Repeated {values}: {items}.", zh="{values} 重复：{items}。")
BACK = Text(
    en="The derivatives come back along the same arrows: {derivatives}.", zh="导数沿同样的箭头反向传回：{derivatives}。"
)
