"""What a page in a browser says beside its document: its contents, and how sure a step is."""

from __future__ import annotations

from symgrad.prose import Text

WORDS = {
    "contents": Text(en="Contents", zh="目录"),
    "proved": Text(en="proved", zh="证毕"),
    "verified": Text(en="verified numerically", zh="数值验证"),
    "unchecked": Text(en="not checked", zh="未验证"),
    "results": Text(en="The gradients", zh="梯度"),
    "program": Text(en="Program", zh="程序"),
    "drawing": Text(en="Picture", zh="图"),
    "formulas": Text(en="Equations", zh="公式"),
    "made_by": Text(en="Written by symgrad.", zh="由 symgrad 生成。"),
}
