"""The sentences of the section with worked numbers, in English and Chinese."""

from __future__ import annotations

from symgrad.prose import Text

HEADING = Text(en="In numbers", zh="用数字走一遍")
MADE_UP = Text(
    en="Small numbers, made up so that every line can be checked by hand.", zh="取一组便于手算核对的小数据。"
)
GIVEN = Text(en="The numbers of {file}.", zh="数据取自 {file}。")
GIVEN_BARE = Text(en="The numbers that were given.", zh="采用所给的数据。")
SIZES = Text(en="Here {sizes}.", zh="此处 {sizes}。")
ROUNDED = Text(
    en="The entries of an array are rounded alike, to five digits of the largest; nothing is rounded in between.",
    zh="每个数组的元素按同一位数舍入（最大元素保留五位有效数字），中间结果不舍入。",
)
LONG = Text(
    en="Of long arrays the first entries are shown and the last.", zh="较长的数组只列出前几个元素和最后一个元素。"
)
FORWARD = Text(en="There, equation by equation:", zh="前向传播，逐式计算：")
BACKWARD = Text(en="And back:", zh="反向传播：")
BACKWARD_ROWS = Text(en="And back, in numerator layout:", zh="反向传播（分子布局）：")
BY = Text(en="by {equation}", zh="由 {equation}")
DIFFERENCES = Text(
    en="Each gradient beside the difference quotients {quotient}, with {h} added to one entry at a time, and the largest"
    " difference relative to the largest entry:",
    zh="把每个梯度与差商 {quotient} 比较，每次只改变一个元素，取 {h}；并列出最大差值与最大元素之比：",
)
ERROR = Text(en="relative difference {error}", zh="相对误差 {error}")
NOT_TAKEN = Text(
    en="A dot stands where no difference was taken; it was taken at the largest of the entries shown.",
    zh="圆点处未计算差商；差商只在所列元素中最大的几个上计算。",
)
KINK = Text(
    en="At these numbers the difference quotients of {parameters} do not settle on one value: the loss has a kink there, or"
    " no value on one side.",
    zh="在这组数据处，{parameters} 的差商没有稳定在一个值上：损失在此处不可导，或在其一侧没有定义。",
)
DESCENT = Text(
    en="One step {step} for all parameters at once, with {rate}, takes {loss} from {before} to {after}.",
    zh="对所有参数同时作一步 {step}，取 {rate}，{loss} 由 {before} 降到 {after}。",
)
STATIONARY = Text(
    en="No small step against the gradient lowers {loss}: the parameters stand at a stationary point or a kink.",
    zh="沿梯度的反方向走一小步不会使 {loss} 下降：当前参数位于驻点或不可导点。",
)
