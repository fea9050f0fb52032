"""The sentences of the pages on stationary points, in English and Chinese."""

from __future__ import annotations

from symgrad.extrema.found import Kind, Need
from symgrad.prose import Text

TITLE = Text(en="{title}: stationary points", zh="{title}：驻点")
CONDITIONS = Text(en="The stationarity conditions", zh="驻点条件")
SOLVING = Text(en="Solving them", zh="求解驻点条件")
POINTS = Text(en="The stationary points", zh="驻点")
KINDS = Text(en="Minimum, maximum or saddle point?", zh="极小值点、极大值点还是鞍点？")
WANTED = Text(
    en="Wanted: the values of {parameters} at which the derivatives of {loss} by every parameter are 0, that is, its"
    " stationary points; and whether each of them is a minimum, a maximum or a saddle point.",
    zh="所求为使 {loss} 对每个参数的导数都为 0 的 {parameters}，即"
    " {loss} 的驻点，并判定各驻点是极小值点、极大值点还是鞍点。",
)
ALL_ZERO = Text(
    en="The gradients are derived and proved step by step on a page"
    " of their own ({command}); the numbers are those of that"
    " page. At a stationary point every one of them is 0:",
    zh="梯度的逐步推导与证明见另一页（{command}），公式编号与该页一致。在驻点处，所有梯度都为 0：",
)

# ---- by laws

STEP = Text(en="For {parameter}", zh="求 {parameter}")
AFFINE = Text(
    en="The derivative of this gradient by {parameter} does not hold"
    " {parameter}: the condition is a linear equation for it.",
    zh="该梯度对 {parameter} 的导数不含 {parameter}：驻点条件是关于 {parameter} 的线性方程。",
)
NORMAL_EQUATIONS = Text(
    en="Written with {parameter} on one side{factor} these are the normal equations:",
    zh="把含 {parameter} 的项移到一边{factor}，得到正规方程：",
)
EQUATION_IS = Text(
    en="Written with {parameter} on one side{factor} it reads:",
    zh="把含 {parameter} 的项移到一边{factor}，得：",
)
NOTHING = Text(en="", zh="")
TIMES = Text(en=" and multiplied by {factor}", zh="并乘以 {factor}")
WITH_PUT_IN = Text(en="First {parameters} is put in, as found above.", zh="先代入上面求得的 {parameters}。")
INVERSE = Text(
    en="The gradient holds {parameter} only through its inverse, and is affine in that: the condition is a linear equation for"
    " {inverse}. Written with {inverse} on one side{factor} it reads:",
    zh="该梯度只通过逆矩阵含有 {parameter}，并且关于 {inverse} 是仿射的：驻点条件是关于 {inverse} 的线性方程。"
    "把含 {inverse} 的项移到一边{factor}，得：",
)
COORDINATES = Text(
    en="The loss holds {parameter} only through its inverse and its"
    " determinant. Which points are stationary does not depend on"
    " the coordinates, so it is differentiated by {inverse} instead. Set to 0{factor}, that derivative reads:",
    zh="损失只通过逆矩阵与行列式含有 {parameter}。驻点与坐标的选取无关，"
    "因此改为对 {inverse} 求导，令其为 0{factor}，得：",
)
SOLUTION_IF = Text(en="Where {conditions}, it has exactly one solution:", zh="当 {conditions}时，它有唯一解：")
SOLUTION = Text(en="It has exactly one solution:", zh="它有唯一解：")
OTHERWISE = Text(
    en="Where that does not hold, there may be no solution or infinitely many.",
    zh="若上述条件不成立，则可能无解或有无穷多解。",
)
CANCELS = Text(
    en="The matrix on the left cancels: it stands in front of the right side too.",
    zh="左边的矩阵可以约去：右边也有同样的因子。",
)
RESULT = Text(
    en="So there is one stationary point:",
    zh="因此有一个驻点：",
)

# ---- by SymPy

SYMPY = Text(
    en="SymPy solves the condition for {parameters}: as far as that is concerned, each sum over data is a number. The solution"
    " was put into every gradient again.",
    zh="由 SymPy 对 {parameters} 求解驻点条件：就此而言，数据的各种求和都是常数。所得的解已代回每个梯度检验。",
)
ENTRY_BY_ENTRY = Text(
    en="Each entry of this gradient holds the same entry of {parameter} and no other: it is an equation of one unknown.",
    zh="该梯度的每个元素只含 {parameter} 的对应元素：每个元素各是一个一元方程。",
)
SYMPY_PLAIN = Text(
    en="SymPy solves the condition; each real solution was put into"
    " the gradient again, those that are complex or outside the"
    " loss's domain are left out.",
    zh="由 SymPy 求解驻点条件；每个实数解都已代回梯度检验，复数解以及损失函数定义域之外的解均舍去。",
)
COMPLETE = Text(en="There are no other stationary points.", zh="此外没有别的驻点。")
PERHAPS_MORE = Text(
    en="Whether there are others is not decided here.",
    zh="这里没有判定是否还有其他驻点。",
)
FAMILY = Text(
    en="There are infinitely many: {integer} runs over all integers.", zh="驻点有无穷多个：{integer} 取遍所有整数。"
)
ONE_ROOT = Text(en="It is found where {conditions}.", zh="其前提是 {conditions}。")
NO_POINT = Text(
    en="No real number solves the condition, as SymPy proves: the loss has no stationary point, and so no minimum or maximum at"
    " a point inside its domain where it is differentiable.",
    zh="SymPy 证明没有实数满足驻点条件：该损失函数没有驻点，因而在其定义域内部的可导点处既无极小值也无极大值。",
)
NO_PARAMETER = Text(
    en="No gradient holds a parameter: the loss is affine, and every point is stationary or none is, as the data are.",
    zh="所有梯度都不含参数：损失是仿射函数，视数据而定，要么每一点都是驻点，要么没有驻点。",
)
NOT_FOUND = Text(
    en="No closed form was found. That does not say that there is none.",
    zh="没有找到闭式解。这并不意味着闭式解不存在。",
)
USE_FIT = Text(
    en="The minimum, where there is one, can be computed: {command} descends to it from data.",
    zh="最小值点若存在，可以数值计算：{command} 由数据出发，用梯度下降求得。",
)
GIVEN_THE_OTHERS = Text(
    en="What can be solved is the condition of one parameter with"
    " the others held; put in turn, each of these steps lowers the"
    " loss or leaves it as it is, where it is convex in that parameter.",
    zh="可以求解的是固定其余参数时单个参数的驻点条件；轮流求解，只要损失关于该参数是凸的，每一步都不会使损失增大。",
)
GIVEN_ONE = Text(en="The condition is a linear equation:", zh="驻点条件是线性方程：")
GIVEN_OTHER = Text(en="{parameter}, where {conditions}:", zh="{parameter}（当 {conditions}时）：")
GIVEN_OTHER_SURE = Text(en="{parameter}:", zh="{parameter}：")
ONE_POINT_IS_KNOWN = Text(
    en="One stationary point is known: where {zeros} are 0, their gradients are 0 whatever the data are{rest}.",
    zh="有一个驻点是已知的：{zeros} 全为 0 时，无论数据如何，它们的梯度都为 0{rest}。",
)
AND_THE_REST = Text(
    en=", and the linear equations that are left give {others}",
    zh="，由剩下的线性方程解出 {others}",
)
KINKED = Text(
    en="{loss} has kinks, where a subgradient stands for the derivative: points there are not looked for, and no kind is told"
    " from second derivatives.",
    zh="{loss} 有不可导点，在那里以次梯度代替导数：这里不寻找不可导点处的驻点，也不用二阶导数判定类型。",
)

# ---- kinds

KIND: dict[Kind, Text] = {
    Kind.MINIMUM: Text(en="local minimum", zh="极小值点"),
    Kind.MAXIMUM: Text(en="local maximum", zh="极大值点"),
    Kind.SADDLE: Text(en="saddle point", zh="鞍点"),
    Kind.NEITHER: Text(en="neither a minimum nor a maximum", zh="既非极小值点也非极大值点"),
    Kind.UNDECIDED: Text(en="undecided", zh="未能判定"),
}
GLOBAL: dict[Kind, Text] = {
    Kind.MINIMUM: Text(en="global minimum", zh="全局最小值点"),
    Kind.MAXIMUM: Text(en="global maximum", zh="全局最大值点"),
}
POINT = Text(en="point", zh="驻点")
VALUE = Text(en="value of {loss}", zh="{loss} 的值")
SECOND = Text(en="second derivative", zh="二阶导数")
NTH = Text(en="derivative of order {order}: {value}", zh="{order} 阶导数：{value}")
EIGENVALUES = Text(en="eigenvalues of the Hessian", zh="海森矩阵的特征值")
HESSIAN_THERE = Text(en="Hessian there", zh="该处的海森矩阵")
KIND_OF = Text(en="kind", zh="类型")
BY_SECOND = Text(
    en="Where the second derivative is positive, the point is a minimum; where it is negative, a maximum.",
    zh="二阶导数为正处是极小值点，为负处是极大值点。",
)
BY_ORDER = Text(
    en="Where the second derivative is 0, the first derivative that"
    " is not 0 decides: if its order is even, its sign is that of"
    " the loss's change on both sides; if it is odd, the loss rises on one side and falls on the other.",
    zh="二阶导数为 0 时，由第一个不为 0 的高阶导数判定：阶数为偶数时，"
    "两侧损失的变化与该导数同号；阶数为奇数时，损失一侧增大、一侧减小。",
)
BY_EIGENVALUES = Text(
    en="All eigenvalues positive: a minimum; all negative: a maximum;"
    " of both signs: a saddle point, since the loss rises along"
    " one eigenvector and falls along another. Where one is 0 and"
    " the others have one sign, second derivatives do not decide.",
    zh="特征值全为正是极小值点，全为负是极大值点；有正有负则是鞍点，因为损失沿一个特征向量增大、沿另一个减小。"
    "若有特征值为 0 而其余同号，则二阶导数不能判定。",
)
HESSIAN_IS = Text(
    en="The Hessian, proved on a page of its own ({command}), is", zh="海森矩阵（证明见另一页 {command}）为"
)
SECOND_IS = Text(
    en="The second derivative, proved on a page of its own ({command}), is", zh="二阶导数（证明见另一页 {command}）为"
)
APPROXIMATE = Text(
    en="The sign ≈ marks a root of a polynomial that has no short formula; each was isolated exactly, so that their number and"
    " all signs are certain.",
    zh="≈ 表示没有简短公式的多项式根；每个根都已精确隔离，因此根的个数和各符号都是确定的。",
)
NOT_DECIDED = Text(
    en="What kind of point it is was not decided here: nothing is claimed of it.",
    zh="这里没有判定它属于哪种类型，不作任何断言。",
)
UNKNOWN_SCALAR = Text(
    en="Whether the stationary point is a minimum or a maximum depends on the data: it is a minimum where the second derivative"
    " there is positive, a maximum where it is negative. Facts such as {facts}, declared of the data, may decide it.",
    zh="该驻点是极小值点还是极大值点取决于数据：二阶导数在该处为正则为极小值点，为负则为极大值点。"
    "对数据声明 {facts} 等事实或许可以判定。",
)
COMPOSITION = Text(
    en="{loss} is {curvature} in {parameters}{together}: it is"
    " composed of affine maps, {curvature} functions and sums with"
    " weights that are not negative (the rules of disciplined convex programming){conditions}.",
    zh="{loss} 关于 {parameters}{together}{curvature}函数："
    "它由仿射映射、{curvature}函数以及非负权重的求和复合而成（规范凸规划的规则）{conditions}。",
)
BY_HESSIAN = Text(
    en="Its Hessian is made of terms such as {gram} with {weights}:"
    " {sign} for every vector {vector}, at every point. So {loss} is"
    " {curvature}{conditions}.",
    zh="它的海森矩阵由形如 {gram}（{weights}）的项组成：在每一点，对任意向量"
    " {vector} 都有 {sign}。因此 {loss} 是{curvature}函数{conditions}。",
)
AMONG_SYMMETRIC = Text(
    en="Among symmetric positive definite matrices, which are a"
    " convex set, {loss} is {curvature} in {parameter}: for every"
    " symmetric change {change} the second derivative is {sign}.",
    zh="在对称正定矩阵（构成凸集）中，{loss} 关于 {parameter}"
    " 是{curvature}函数：对任意对称的改变量 {change}，二阶导数 {sign}。",
)
ONLY_SYMMETRIC = Text(
    en="This is said of symmetric matrices. Changes of {parameter} that are not symmetric are left out.",
    zh="以上结论只对对称矩阵成立，不考虑 {parameter} 的非对称改变。",
)
CONVEX = Text(en="convex", zh="凸")
CONCAVE = Text(en="concave", zh="凹")
TOGETHER = Text(en=" together", zh="（联合起来）是")
NOT_TOGETHER = Text(en="", zh=" 是")
PROVIDED = Text(en=", where {conditions}", zh="，条件是 {conditions}")
WHY_GLOBAL = Text(
    en="That is why a stationary point is a global {extremum}. A"
    " {curvature} function lies {side} its tangents: for all"
    " {there} and {here} at which it is defined,",
    zh="这就是驻点必为全局{extremum}的原因：{curvature}函数总在其切线（切平面）的{side}，即对定义域内任意 {there} 与 {here}，",
)
WHY_GLOBAL_END = Text(
    en="At a stationary point {here} the gradient is 0, so the second"
    " term is gone: {claim} for every {there}. No other point is"
    " {better}.",
    zh="在驻点 {here} 处梯度为 0，第二项消失，于是对任意 {there} 都有 {claim}：没有别的点{better}。",
)
MINIMUM_WORD = Text(en="minimum", zh="最小值点")
MAXIMUM_WORD = Text(en="maximum", zh="最大值点")
ABOVE = Text(en="above", zh="上方")
BELOW = Text(en="below", zh="下方")
LOWER = Text(en="lower", zh="更低")
HIGHER = Text(en="higher", zh="更高")
POINT_IS = Text(en="The stationary point is a {kind}{conditions}.", zh="该驻点是{kind}{conditions}。")
ONLY_ONE = Text(
    en="No direction is flat{conditions}: it is the only one.",
    zh="没有任何方向是平坦的{conditions}，因此它是唯一的。",
)
EVERY_SOLUTION = Text(
    en="Where the equation has several solutions, every one of them"
    " is a global {extremum}, and {loss} is the same at all.",
    zh="若方程有多个解，则每个解都是全局{extremum}，{loss} 在这些解处的值相同。",
)
NESTED = Text(
    en="{loss} need not be convex in all parameters together. But"
    " found in the order {order}, each parameter is the minimum of"
    " {loss} with those before it put in, whatever those after it are: so no other point is lower.",
    zh="{loss} 不必关于全部参数联合为凸。但按 {order} 的次序求解时，代入前面已求得的参数后，"
    "无论后面的参数取何值，每个参数都使 {loss} 取得最小值；因此没有别的点更低。",
)
DEFINITE = Text(
    en="At the stationary point the second derivatives by different"
    " parameters are 0, and those by each one are definite, of one sign.",
    zh="在该驻点处，对不同参数的混合二阶导数为 0，而每个参数自身的二阶导数矩阵都是定号的，且符号相同。",
)
OPPOSITE = Text(
    en="At the stationary point the second derivatives by {first} are"
    " positive definite and those by {second} negative definite:"
    " {loss} rises in one direction and falls in another.",
    zh="在该驻点处，对 {first} 的二阶导数正定，而对 {second} 的二阶导数负定：{loss} 沿一个方向增大，沿另一个方向减小。",
)
FLAT_BLOCK = Text(
    en="At that point the second derivatives by {first} alone are"
    " 0, those by {first} and {second} together are not, where"
    " {conditions}. So moving {second} a little, and {first} along"
    " or against what the mixed derivatives make of it, changes"
    " {loss} to second order with either sign: the point is a saddle point.",
    zh="在该点，只对 {first} 的二阶导数为 0，而当 {conditions}时，对 {first} 与 {second} 的混合二阶导数不为 0。"
    "于是让 {second} 作微小改变，并让 {first}"
    " 沿着或逆着混合导数给出的方向改变，{loss} 的二阶变化可正可负：该点是鞍点。",
)
UNKNOWN = Text(
    en="Whether the stationary point is a minimum, a maximum or a"
    " saddle point depends on the data, through the signs of the"
    " eigenvalues of the Hessian there: all positive, a minimum;"
    " all negative, a maximum; of both signs, a saddle point. It is"
    " not decided by what is declared of the data; facts such as {facts} may decide it.",
    zh="该驻点是极小值点、极大值点还是鞍点取决于数据，由该处海森矩阵特征值的符号决定："
    "全正为极小值点，全负为极大值点，有正有负为鞍点。"
    "仅凭对数据的声明不能判定；声明 {facts} 等事实或许可以判定。",
)
NOT_CONVEX = Text(
    en="{loss} is not seen to be convex: a stationary point may be a"
    " minimum, a saddle point or neither, and descent from different"
    " starts may end in different points.",
    zh="没有看出 {loss} 是凸函数：驻点可能是极小值点、鞍点，也可能都不是；从不同初值出发的梯度下降可能到达不同的点。",
)
CONVEX_ANYWAY = Text(
    en="So descent that comes to rest has found the minimum.",
    zh="因此梯度下降一旦停下，便找到了最小值点。",
)

# ---- conditions

NEED: dict[Need, Text] = {
    Need.INVERTIBLE: Text(en="{of} is invertible", zh="{of} 可逆"),
    Need.NOT_ZERO: Text(en="{of} is not 0", zh="{of} 不为 0"),
    Need.NO_ZERO: Text(en="no entry of {of} is 0", zh="{of} 的元素均不为 0"),
    Need.FULL_RANK: Text(en="the columns of {of} are linearly independent", zh="{of} 的各列线性无关"),
    Need.POSITIVE: Text(en="{of} is positive", zh="{of} 为正"),
    Need.NONNEGATIVE: Text(en="{of} is not negative", zh="{of} 非负"),
    Need.REAL: Text(en="{of} is a real number", zh="{of} 是实数"),
    Need.DEFINITE: Text(en="{of} is symmetric and positive definite", zh="{of} 对称正定"),
}

# ---- checks

EQUATION_CHECKED = Text(
    en="the gradient by {parameter} is a multiple of left side − right side of its equation",
    zh="对 {parameter} 的梯度是其方程左边减右边的倍数",
)
PUT_IN_CHECKED = Text(en="put in, every gradient is 0", zh="代入后，每个梯度都为 0")
HESSIAN_CHECKED = Text(en="the Hessian, every line of it", zh="海森矩阵，逐行")
COORDINATES_CHECKED = Text(
    en="the derivative by the inverse of {parameter} is a multiple of left side − right side of its equation",
    zh="对 {parameter} 的逆矩阵的导数是其方程左边减右边的倍数",
)
POINT_NUMBER = Text(en="point {number}", zh="驻点 {number}")
BY_EQUATION = Text(
    en="its equation holds by the definition of the inverse; and {how}",
    zh="由逆矩阵的定义，方程成立；并且{how}",
)
