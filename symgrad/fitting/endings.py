"""Why a run of gradient descent ended, in words; of one that failed also what to do.

The English is `optimize`'s own, which knows one language. Here stands the Chinese.
"""

from __future__ import annotations

from collections.abc import Mapping

from symgrad.compile.domain import Breakdown
from symgrad.optimize import Cause, Diagnosis, Remedy, Stop
from symgrad.prose import Text

STOPS: Mapping[Stop, str] = {
    Stop.GRADIENT_NORM: "梯度范数已足够小",
    Stop.ITERATION_LIMIT: "达到迭代次数上限",
    Stop.NO_DECREASE: "在浮点精度内不再下降",
    Stop.DIVERGED: "发散",
    Stop.NOT_FINITE: "出现非有限的数",
}
FAILED = "第 {iteration} 次迭代：{what}{where}{origin}。{remedy}"
CAUSES: Mapping[Cause, str] = {
    Cause.DIVERGED: "学习率为 {rate} 时，损失由 {best} 升至 {loss}",
    Cause.NOT_FINITE: "以学习率 {rate} 迭代一步后，损失为 {loss}",
    Cause.NOT_FINITE_AT_START: "初值处的损失为 {loss}",
    Cause.UNBOUNDED: "损失由 {start} 降至负无穷",
}
NO_GRADIENT = "，{name} 的梯度含有非有限的元素"
BECAUSE = "，因为{origin}"
REMEDIES: Mapping[Remedy, str] = {
    Remedy.OTHER_START: "请更换初值，或检查使模型超出定义域的数据",
    Remedy.BOUND_THE_LOSS: "损失没有最小值：请检查其符号，或加上惩罚项",
    Remedy.SMALLER_STEP: "可将学习率改为 {next}，或采用回溯线搜索",
}
BELOW_BOUND = "损失是二次函数，学习率应小于 2/λ_max = {bound}，例如取 {next}"
BELOW_ESTIMATE = "学习率应小于局部估计值 2/λ_max = {bound}，例如取 {next}，或采用回溯线搜索"


def ending(stop: Stop, diagnosis: Diagnosis | None, breakdown: Breakdown | None) -> Text:
    """Why a run ended; in English a diagnosis says it of itself.

    >>> failed = Diagnosis(Cause.DIVERGED, Remedy.SMALLER_STEP, 12, 9e9, 1.0, 1.0, 0.6)
    >>> ending(Stop.DIVERGED, failed, None).zh
    '第 12 次迭代：学习率为 0.6 时，损失由 1 升至 9e+09。可将学习率改为 0.06，或采用回溯线搜索'
    """
    if diagnosis is None:
        return Text(en=stop.value, zh=STOPS[stop])
    return Text(en=str(diagnosis), zh=_in_chinese(diagnosis, breakdown))


def _in_chinese(diagnosis: Diagnosis, breakdown: Breakdown | None) -> str:
    numbers = {
        "loss": diagnosis.loss,
        "start": diagnosis.start_loss,
        "best": diagnosis.best_loss,
        "rate": diagnosis.learning_rate,
    }
    shows_where = diagnosis.cause in (Cause.NOT_FINITE, Cause.NOT_FINITE_AT_START)
    name = diagnosis.parameter if shows_where else None
    return FAILED.format(
        iteration=diagnosis.iteration,
        what=CAUSES[diagnosis.cause].format(**_shown(numbers)),
        where=NO_GRADIENT.format(name=name) if name else "",
        origin=BECAUSE.format(origin=breakdown.text.zh) if breakdown is not None and shows_where else "",
        remedy=_remedy(diagnosis),
    )


def _remedy(diagnosis: Diagnosis) -> str:
    bound, rate = diagnosis.bound, diagnosis.suggested_rate
    if rate is None:
        return REMEDIES[diagnosis.remedy]
    if bound is None or diagnosis.curvature is None or bound > diagnosis.learning_rate:
        return REMEDIES[Remedy.SMALLER_STEP].format(**_shown({"next": rate}))
    sentence = BELOW_BOUND if diagnosis.curvature.is_quadratic else BELOW_ESTIMATE
    return sentence.format(**_shown({"bound": bound, "next": rate}))


def _shown(numbers: Mapping[str, float]) -> dict[str, str]:
    return {name: f"{number:.6g}" for name, number in numbers.items()}
