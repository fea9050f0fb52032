"""What `symgrad check` prints, in both languages; rules and reasons in the words of the pages."""

from __future__ import annotations

from collections.abc import Mapping

from symgrad.derive.derivation import Verdict
from symgrad.explain import sentences as say
from symgrad.prose import Text
from symgrad.rewrite.display import Why

HEADER = (
    Text(en="step", zh="步骤"),
    Text(en="what", zh="对象"),
    Text(en="rule", zh="法则"),
    Text(en="verdict", zh="结论"),
    Text(en="at the sizes", zh="所取尺寸"),
)
SEED = Text(en="the seed", zh="反向传播的起点")
COMMA = Text(en=", ", zh="、")
SEMICOLON = Text(en="; ", zh="；")
SAME = Text(en="= {reason}", zh="= {reason}")
DEFINITION = Text(en="the definition of {names}", zh="{names} 的定义")
VERDICTS: Mapping[Verdict, Text] = {
    Verdict.PROVED: Text(en=Verdict.PROVED.value, zh="证毕"),
    Verdict.VERIFIED: Text(en=Verdict.VERIFIED.value, zh="数值验证"),
    Verdict.UNCHECKED: Text(en=Verdict.UNCHECKED.value, zh="未验证"),
}
# Those that name no array; the others are filled with names where a page has the numbers of equations.
REASONS: Mapping[Why, Text] = {
    Why.CANCEL: say.CANCEL,
    Why.MULTIPLY_OUT: say.MULTIPLY_OUT,
    Why.COMPARE: say.COMPARE,
    Why.ONE_OF_THREE: say.ONE_OF_THREE,
    Why.INVERT: say.INVERT,
}
END_TO_END = Text(
    en="end to end: at {points} points, 50-digit differences agree to a relative error of {error}",
    zh="整个梯度：在 {points} 个点处与 50 位精度的差商比较，最大相对误差 {error}",
)
