"""Why a run of gradient descent ended, in words; of one that failed also what to do."""

from __future__ import annotations

from collections.abc import Mapping

from symgrad.compile.domain import Breakdown
from symgrad.compile.domain_sentences import NOTHING
from symgrad.optimize import Cause, Diagnosis, Remedy, Stop
from symgrad.prose import Text

STOPS: Mapping[Stop, Text] = {
    Stop.GRADIENT_NORM: Text(en=Stop.GRADIENT_NORM.value, zh="梯度范数已足够小"),
    Stop.ITERATION_LIMIT: Text(en=Stop.ITERATION_LIMIT.value, zh="达到迭代次数上限"),
    Stop.NO_DECREASE: Text(en=Stop.NO_DECREASE.value, zh="在浮点精度内不再下降"),
    Stop.DIVERGED: Text(en=Stop.DIVERGED.value, zh="发散"),
    Stop.NOT_FINITE: Text(en=Stop.NOT_FINITE.value, zh="出现非有限的数"),
}
FAILED = Text(
    en="iteration {iteration}: {what}{where}{origin}; {remedy}",
    zh="第 {iteration} 次迭代：{what}{where}{origin}。{remedy}",
)
CAUSES: Mapping[Cause, Text] = {
    Cause.DIVERGED: Text(
        en="the loss rose from {best} to {loss} with learning rate {rate}",
        zh="学习率为 {rate} 时，损失由 {best} 升至 {loss}",
    ),
    Cause.NOT_FINITE: Text(
        en="the loss is {loss} after a step with learning rate {rate}", zh="以学习率 {rate} 迭代一步后，损失为 {loss}"
    ),
    Cause.NOT_FINITE_AT_START: Text(en="the loss is {loss} at the starting values", zh="初值处的损失为 {loss}"),
    Cause.UNBOUNDED: Text(en="the loss fell from {start} to -infinity", zh="损失由 {start} 降至负无穷"),
}
NO_GRADIENT = Text(en=", and the gradient of {name} is not finite", zh="，{name} 的梯度含有非有限的元素")
BECAUSE = Text(en=", because {origin}", zh="，因为{origin}")
REMEDIES: Mapping[Remedy, Text] = {
    Remedy.OTHER_START: Text(
        en="change the starting values, or the data that take the model out of its domain",
        zh="请更换初值，或检查使模型超出定义域的数据",
    ),
    Remedy.BOUND_THE_LOSS: Text(
        en="it has no minimum: check its sign, or add a penalty", zh="损失没有最小值：请检查其符号，或加上惩罚项"
    ),
    Remedy.SMALLER_STEP: Text(en="try {next}, or backtracking", zh="可将学习率改为 {next}，或采用回溯线搜索"),
}
BELOW_BOUND = Text(
    en="the loss is quadratic: use one below 2/λ_max = {bound}, such as {next}",
    zh="损失是二次函数，学习率应小于 2/λ_max = {bound}，例如取 {next}",
)
BELOW_ESTIMATE = Text(
    en="use one below the local estimate 2/λ_max = {bound}, such as {next}, or backtracking",
    zh="学习率应小于局部估计值 2/λ_max = {bound}，例如取 {next}，或采用回溯线搜索",
)


def ending(stop: Stop, diagnosis: Diagnosis | None, breakdown: Breakdown | None) -> Text:
    """Why a run ended; in English a diagnosis says what it says of itself.

    >>> failed = Diagnosis(Cause.DIVERGED, Remedy.SMALLER_STEP, 12, 9e9, 1.0, 1.0, 0.6)
    >>> ending(Stop.DIVERGED, failed, None).zh
    '第 12 次迭代：学习率为 0.6 时，损失由 1 升至 9e+09。可将学习率改为 0.06，或采用回溯线搜索'
    """
    if diagnosis is None:
        return STOPS[stop]
    numbers = {
        "loss": diagnosis.loss,
        "start": diagnosis.start_loss,
        "best": diagnosis.best_loss,
        "rate": diagnosis.learning_rate,
    }
    shows_where = diagnosis.cause in (Cause.NOT_FINITE, Cause.NOT_FINITE_AT_START)
    name = diagnosis.parameter if shows_where else None
    origin = breakdown.text if breakdown is not None and shows_where else NOTHING
    return FAILED.filled(
        iteration=diagnosis.iteration,
        what=CAUSES[diagnosis.cause].filled(**_shown(numbers)),
        where=NO_GRADIENT.filled(name=name) if name else NOTHING,
        origin=BECAUSE.filled(origin=origin) if origin.en else NOTHING,
        remedy=_remedy(diagnosis),
    )


def _remedy(diagnosis: Diagnosis) -> Text:
    bound, rate = diagnosis.bound, diagnosis.suggested_rate
    if rate is None:
        return REMEDIES[diagnosis.remedy]
    if bound is None or diagnosis.curvature is None or bound > diagnosis.learning_rate:
        return REMEDIES[Remedy.SMALLER_STEP].filled(**_shown({"next": rate}))
    sentence = BELOW_BOUND if diagnosis.curvature.is_quadratic else BELOW_ESTIMATE
    return sentence.filled(**_shown({"bound": bound, "next": rate}))


def _shown(numbers: Mapping[str, float]) -> dict[str, str]:
    return {name: f"{number:.6g}" for name, number in numbers.items()}
