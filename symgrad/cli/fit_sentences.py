"""What `symgrad fit` prints, in both languages."""

from __future__ import annotations

from collections.abc import Mapping

from symgrad.fitting.start import Origin
from symgrad.prose import Text

FAILED = Text(en="the fit failed at {why}", zh="拟合失败。{why}")
ROWS = Text(en="{table}: {rows} rows, {parts}", zh="{table}：{rows} 行，{parts}")
ALL_ROWS = Text(en="all to train on", zh="全部用于训练")
PARTS = Text(en="{train} to train on, {test} to test on", zh="{train} 行用于训练，{test} 行用于测试")
DESCENT = Text(
    en="gradient descent, {step}, from {start}: {iterations} iterations, {why}",
    zh="梯度下降，{step}，初值为{start}：迭代 {iterations} 次，{why}",
)
FIXED_STEP = Text(en="fixed step {rate}", zh="固定学习率 {rate}")
BACKTRACKING = Text(en="backtracking", zh="回溯线搜索")
ORIGINS: Mapping[Origin, Text] = {
    Origin.GIVEN: Text(en=Origin.GIVEN.value, zh="给定值"),
    Origin.ZEROS: Text(en=Origin.ZEROS.value, zh="零"),
    Origin.NORMALS: Text(en=Origin.NORMALS.value, zh="由种子生成的正态随机数"),
}
AND = Text(en=" and ", zh="和")
LOSS = Text(en="loss {first} → {last}, gradient norm {norm}", zh="损失 {first} → {last}，梯度范数 {norm}")
NOTE = Text(en="note: {note}", zh="注意：{note}")
NOT_YET = Text(
    en="the gradient is not yet small; give more --iterations{more}", zh="梯度尚未足够小；请增大 --iterations{more}"
)
OR_STANDARDIZE = Text(en=" or --standardize", zh="，或使用 --standardize")
NOTHING = Text(en="", zh="")
SCORES: Mapping[str, Text] = {
    "loss": Text(en="loss", zh="损失"),
    "mse": Text(en="MSE", zh="均方误差"),
    "mae": Text(en="MAE", zh="平均绝对误差"),
    "r2": Text(en="R²", zh="R²"),
    "accuracy": Text(en="accuracy", zh="准确率"),
    "log_loss": Text(en="log-loss", zh="对数损失"),
}
TRAIN = Text(en="train", zh="训练集")
TEST = Text(en="test", zh="测试集")
ORIGINAL_UNITS = Text(en="in original units:", zh="按原始单位：")
STANDARDISED = Text(en="for standardised data:", zh="对应标准化后的数据：")
MANY = Text(en="{name}: {shape} numbers; -o writes them", zh="{name}：{shape} 个数，可用 -o 写出")
CLASSES = Text(en="classes of {name}: {classes}", zh="{name} 的类别：{classes}")
