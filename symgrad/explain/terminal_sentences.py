"""The sentences that only a page of text has, in English and Chinese."""

from __future__ import annotations

from symgrad.prose import Text

GRAPH = Text(en="The computation graph in words:", zh="计算图的文字说明：")
