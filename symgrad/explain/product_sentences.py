"""The sentences of the pages on second derivatives, Jacobians and tangents, in English and Chinese."""

from __future__ import annotations

from symgrad.prose import Text

# ---- the Hessian

HESSIAN_TITLE = Text(en="{title}: the Hessian", zh="{title}：海森矩阵")
PRODUCT_TITLE = Text(en="{title}: the Hessian times a vector", zh="{title}：海森矩阵与向量之积")
DIRECTION = Text(en="any direction in which {variable} may move", zh="{variable} 的任意一个变化方向")
OUTPUT_WEIGHTS = Text(en="one number for each entry of {variable}", zh="对应 {variable} 每个元素的一个数")
FREE = Text(en="free", zh="任意取定")
GRADIENT_AND_LOSS = Text(en="The loss and its gradient", zh="损失函数与梯度")
TO_A_NUMBER = Text(en="From the gradient to a number", zh="由梯度构造标量")
BACK_TO = Text(en="From {scalar} back to the parameters", zh="反向传播：从 {scalar} 到参数")
UNIT_VECTORS = Text(en="The Hessian itself", zh="海森矩阵本身")
WANTED_HESSIAN = Text(
    en="Wanted: the second derivatives {entry}, that is, by how much one entry of the gradient changes, per unit, when one"
    " entry of {columns} is changed a little. Together they are the Hessian {symbol} of the loss {loss}, with the shape of"
    " {rows} followed by that of {columns}: {shape}.",
    zh="所求为二阶导数 {entry}：当 {columns} 的某个元素作微小改变时，梯度的某个元素每单位改变多少。"
    "全部二阶导数构成损失 {loss} 的海森矩阵"
    " {symbol}，其形状为 {rows} 的形状后接 {columns} 的形状，即 {shape}。",
)
WANTED_SCALAR = Text(
    en="Wanted: the second derivative {entry} of the loss {loss}, that is, by how much the first derivative changes, per"
    " unit, when {columns} is changed a little.",
    zh="所求为损失 {loss} 的二阶导数 {entry}：当 {columns} 作微小改变时，一阶导数每单位改变多少。",
)
WANTED_PRODUCT = Text(
    en="Wanted: how the gradient of {rows} changes, per unit, when {columns} moves along {direction}. That is the Hessian"
    " {symbol} of the loss {loss} applied to {direction}; {symbol} itself is never formed.",
    zh="所求为：当 {columns} 沿 {direction} 变化时，{rows} 的梯度每单位改变多少，"
    "即损失 {loss} 的海森矩阵 {symbol} 作用于 {direction} 的结果；"
    "全程不必写出 {symbol}。",
)
LOSS_VALUES = Text(
    en="The loss in the order of computation, and its gradient, which is derived and proved step by step on a page of its"
    " own ({command}):",
    zh="按计算顺序列出损失函数及其梯度；梯度的逐步推导与证明见另一页（{command}）：",
)
CALLED = Text(en="Here {items}: from now on values like any other.", zh="其中 {items}，以下均视为普通的中间变量。")
IS_CALLED = Text(en="{name} is {derivative}", zh="{name} 即 {derivative}")
PAIRED = Text(
    en="The gradient is not a scalar, and the chain rule of the gradient page starts from a scalar. So take {direction}, of"
    " the shape of {columns} and held constant, and form",
    zh="梯度不是标量，而链式法则从一个标量出发。因此取一个与 {columns} 形状相同、保持不变的 {direction}，并令",
)
PAIRED_ENTRY = Text(
    en="Only the gradient in it depends on {rows}. So the derivative of {scalar} by one entry of {rows} adds up second"
    " derivatives, each with its entry of {direction}:",
    zh="其中只有梯度依赖于 {rows}。于是 {scalar} 对 {rows} 的一个元素求导，得到的是各二阶导数与 {direction} 相应元素乘积之和：",
)
PRODUCT_RESULT = Text(
    en="{equation} is the Hessian times {direction}. No symmetry of second derivatives was used.",
    zh="{equation} 就是海森矩阵与 {direction} 之积，推导中没有用到二阶导数的对称性。",
)
UNITS = Text(
    en="{product} is linear in {direction}: multiplied out, each of its terms holds {direction} exactly once. Let {direction}"
    " run over the unit vectors, 1 at one place and 0 elsewhere: each of them picks one column of {symbol}. Written for all"
    " of them at once, {direction} is taken out of each term and its index is the last index of {symbol}.",
    zh="{product} 关于 {direction} 是线性的：展开后每一项恰含 {direction} 一次。"
    "让 {direction} 取遍单位向量（一处为 1，其余为 0），每个单位向量恰取出"
    " {symbol} 的一列。合写在一起，就是从每一项中去掉 {direction}，它的指标便成为 {symbol} 的最后一个指标。",
)
UNITS_SCALAR = Text(
    en="{product} is linear in {direction}, a number: at 1 it is the second derivative.",
    zh="{product} 关于数 {direction} 是线性的：取 {direction} 为 1 即得二阶导数。",
)
UNITS_REASON = Text(en="{direction} over the unit vectors", zh="{direction} 取遍单位向量")
IN_ENTRIES = Text(
    en="{symbol} has more than two axes, so it is written entry by entry:",
    zh="{symbol} 的阶数大于 2，因此逐元素写出：",
)

# ---- what the Hessian says

SAYS = Text(en="What it says", zh="海森矩阵的含义")
CURVATURE = Text(
    en="{curvature} is the curvature of {loss} along {direction}: the second derivative of {loss} on the straight line"
    " through {rows} in that direction. Where it is positive for every direction, {loss} curves upwards like a bowl, and a"
    " point with gradient 0 is a minimum; where it has both signs, such a point is a saddle.",
    zh="{curvature} 是 {loss} 沿方向 {direction} 的曲率，"
    "即 {loss} 限制在过 {rows} 且方向为 {direction} 的直线上时的二阶导数。若它对一切方向都为正，则"
    " {loss} 呈碗形，梯度为 0 的点是极小值点；若它有正有负，则梯度为 0 的点是鞍点。",
)
QUADRATIC = Text(
    en="Near {rows}, with all else held, the loss is a quadratic function up to terms of third order in the small step"
    " {step}:",
    zh="其余各量不变时，在 {rows} 附近损失近似为二次函数，误差是微小增量 {step} 的三阶量：",
)
MIXED = Text(
    en="When {columns} moves by a small {step}, the gradient of {rows} moves by {change}. The order of the two derivatives"
    " does not matter: the block of {columns} and {rows} holds the same numbers, with the axes exchanged.",
    zh="当 {columns} 作微小变化 {step} 时，{rows} 的梯度约改变 {change}。两次求导的次序无关紧要："
    "{columns} 与 {rows} 的那一块含有同样的数，只是指标对调。",
)
FLAT = Text(
    en="The Hessian is 0: the gradient does not change with {columns} at all.",
    zh="海森矩阵为 0：梯度完全不随 {columns} 变化。",
)
KINKED = Text(
    en="The loss has kinks. A step such as {step} has the derivative 0 wherever it has one, so it is differentiated to 0: the"
    " Hessian describes the curvature between the kinks, and says nothing of how the gradient jumps at them.",
    zh="该损失有不可导点。形如 {step} 的阶跃在可导处导数为 0，因此对它求导得 0：海森矩阵只描述相邻不可导点之间的曲率，"
    "并不反映梯度在这些点处的跳跃。",
)

# ---- checks

BLOCK_LINES = Text(en="each line of {block}", zh="{block} 的每一行")
SUMMED_BACK = Text(
    en="multiplied with {direction} it gives ({label}) again; {how}", zh="与 {direction} 相乘即还原 ({label})；{how}"
)
GRADIENT_ITSELF = Text(en="the gradient that all starts from", zh="作为出发点的梯度")
GRADIENT_PROVED = Text(
    en="every step proved on its own page; 50-digit differences of the loss at {points} random points",
    zh="每一步均在其页上证明；并在 {points} 个随机点处与损失的 50 位精度差商比较",
)

# ---- an array's derivative

JACOBIAN_TITLE = Text(en="{title}: what backward(gradient=v) computes", zh="{title}：backward(gradient=v) 计算的是什么")
DEFAULT_TITLE = Text(en="A non-scalar output", zh="非标量输出")
WHY_V = Text(en="Why backward needs a vector", zh="为什么 backward 需要一个向量")
MANY_OUTPUTS = Text(
    en="{output} has the shape {shape}: it is not one number. A gradient answers how one number changes; here every entry of"
    " {output} has a gradient of its own. Together they are the Jacobian {symbol}, whose row {row} is the gradient of"
    " {entry}:",
    zh="{output} 的形状为 {shape}，不是一个数。梯度回答的是一个数如何变化；而这里 {output} 的每个元素都有自己的梯度。"
    "把它们合在一起就是雅可比矩阵 {symbol}，"
    "其第 {row} 行是 {entry} 的梯度：",
)
REFUSES = Text(
    en="That is why {bare} is refused in PyTorch (“grad can be implicitly created only for scalar outputs”). With"
    " {call} it computes the gradient of one scalar, the entries of {output} weighted with those of {direction}:",
    zh="因此在 PyTorch 中直接调用 {bare} 会被拒绝（“grad can be implicitly created only for scalar outputs”）。"
    "而 {call} 所求的是一个标量的梯度，"
    "这个标量是 {output} 的各元素以 {direction} 的相应元素为权的加权和：",
)
IS_JTV = Text(
    en="{direction} has the shape of {output} and is held constant. The gradient of {scalar} is the weighted sum of the rows of"
    " {symbol}, {product}, and has the shape of {variable}. No {symbol} is formed on the way.",
    zh="{direction} 与 {output} 形状相同并保持不变。{scalar} 的梯度是 {symbol} 各行的加权和，即 {product}，"
    "形状与 {variable} 相同。全程不必写出 {symbol}。",
)
OUTPUT_FORWARD = Text(en="From {variable} to {scalar}", zh="前向传播：从 {variable} 到 {scalar}")
OUTPUT_BACKWARD = Text(en="From {scalar} back to {variable}", zh="反向传播：从 {scalar} 到 {variable}")
VJP_BOX = Text(en="What backward computes", zh="backward 的结果")
JACOBIAN_HEADING = Text(en="The Jacobian", zh="雅可比矩阵")
JACOBIAN_UNITS = Text(
    en="{product} is linear in {direction}. Let {direction} run over the unit vectors: the unit vector that is 1 at {row}"
    " picks row {row} of {symbol}, the gradient of {entry}. Written for all of them at once, {direction} is taken out of each"
    " term, and what indexed it comes first in {symbol}.",
    zh="{product} 关于 {direction} 是线性的。让 {direction} 取遍单位向量："
    "在 {row} 处为 1 的单位向量取出 {symbol} 的第 {row} 行，即 {entry} 的梯度。合写在一起，就是从每一项中"
    "去掉 {direction}，它的指标便排在 {symbol} 的最前面。",
)
CHOICES = Text(en="What gradient=v chooses", zh="gradient=v 的取法")
CHOICE_ONES = Text(
    en="{choice} gives the gradient of the sum of all entries of {output}: it is what {call} computes.",
    zh="{choice} 给出 {output} 全部元素之和的梯度，与 {call} 的结果相同。",
)
CHOICE_UNIT = Text(
    en="A unit vector {choice} picks one output: row {row} of {symbol}. As many calls as {output} has entries give all of"
    " {symbol}.",
    zh="单位向量 {choice} 取出一个输出，即 {symbol} 的第 {row} 行。{output} 有多少个元素，"
    "就要调用多少次才能得到整个 {symbol}。",
)
CHOICE_ANY = Text(
    en="Any other {direction} weights the outputs. In a larger net it is what arrives from above: the gradient of the loss by"
    " {output}.",
    zh="其他的 {direction} 给各输出加权。在更大的网络中，它就是上游传来的量：损失对 {output} 的梯度。",
)
IN_NUMBERS = Text(en="In numbers", zh="数值例子")
AT = Text(en="With {values}, to six digits,", zh="取 {values}，则（保留六位有效数字）")
ACCUMULATES = Text(
    en="PyTorch adds what a call computes to {grad} and does not overwrite it. Two calls therefore leave the sum of both,"
    " unless {zero} is set in between:",
    zh="PyTorch 把每次调用的结果加到 {grad} 上，而不是覆盖它。因此连续两次调用后得到的是两次结果之和，除非在其间执行 {zero}：",
)
CALL = Text(en="call, in this order", zh="依次调用")
RETAINS = Text(
    en="Each call goes back through the same graph again: PyTorch has to be told {option} in all but the last.",
    zh="每次调用都要再次沿同一计算图反传：除最后一次外，均须设置 {option}。",
)
COMPUTES = Text(en="what it computes", zh="本次结果")
AFTER = Text(en="{grad} afterwards", zh="调用后的 {grad}")
ZEROED = Text(en="{zero} first, then {call}", zh="先执行 {zero}，再执行 {call}")

# ---- forward mode

TANGENT_TITLE = Text(en="{title}: forward mode", zh="{title}：前向模式")
TANGENT_WANTED = Text(
    en="Wanted: how {output} moves, per unit, when {variable} moves along {direction}. That is {product}, the Jacobian of"
    " {output} by {variable} applied to {direction}, of the shape of {output}.",
    zh="所求为：当 {variable} 沿 {direction} 变化时，{output} 每单位如何变化，"
    "即 {output} 对 {variable} 的雅可比矩阵作用于 {direction} 的结果 {product}，"
    "其形状与 {output} 相同。",
)
VALUES_FIRST = Text(en="The values", zh="各个量")
TANGENTS = Text(en="The tangents", zh="切向量")
TANGENTS_TEXT = Text(
    en="A dot marks how a value moves. Forward mode goes through the equations in the order of computation: a value moves by"
    " the sum, over all that it is made of, of the local derivative times the movement of that part.",
    zh="字母上加点表示该量的变化率。前向模式按计算顺序逐个处理各式：每个量的变化率，"
    "等于组成它的各部分的变化率乘以相应的局部导数再求和。",
)
DIFFERENCES_ALONG = Text(
    en="50-digit differences along {direction} at {points} random points; largest relative error {error}",
    zh="在 {points} 个随机点处与沿 {direction} 的 50 位精度差商比较；最大相对误差 {error}",
)
WHOLE_TANGENT = Text(en="the whole tangent", zh="整个切向量")
EACH_TANGENT = Text(en="each tangent, every line of it", zh="每个切向量，逐行")
