"""The sentences of a page, in English and Chinese. Placeholders stand for formulas and names."""

from __future__ import annotations

from symgrad.prose import Text

# Headings
GIVEN = Text(en="What is given, and what is wanted", zh="已知与所求")
FORWARD = Text(en="From the parameters to the loss", zh="前向传播：从参数到损失")
BACKWARD = Text(en="From the loss back to the parameters", zh="反向传播：从损失到参数")
RESULTS = Text(en="The gradients", zh="梯度")
MEANING = Text(en="A check in numbers, and descent", zh="数值检验与梯度下降")
CHECKS = Text(en="How this was checked", zh="验证")
PROGRAM = Text(en="In NumPy", zh="NumPy 实现")
STEP = Text(en="Step {number}. {derivative}, {rule}", zh="第 {number} 步：{derivative}（{rule}）")
STEPS = Text(en="Steps {number}. {derivative}, {rule}", zh="第 {number} 步：{derivative}（{rule}）")

# Families: what differs in a number only is stated once
FOR_EACH = Text(en="Then for {values}, one after the other:", zh="然后依次对 {values} 计算：")
FROM_HERE = Text(en="For {values}, one after the other:", zh="依次对 {values} 计算：")
THEN = Text(en="And then:", zh="然后：")
SAME_STEPS = Text(
    en="Steps {first} to {last} are the same for {values}, one after the other; they are stated once.",
    zh="第 {first} 步至第 {last} 步依次对 {values} 重复同样的推导，以下只写一次。",
)
ONLY_FOR = Text(en="This one holds for {values}.", zh="这一步只对 {values} 成立。")
USED_IN_EVERY = Text(
    en="{variable} is used for every {letter}, in {equations}: the shares are added up.",
    zh="{variable} 对每个 {letter} 都在 {equations} 中用到，因此要把各部分相加。",
)
CELL = Text(en="{symbol}, {values}", zh="{symbol}，{values}")
LONG_PROGRAM = Text(
    en="The program computes layer after layer, step after step, what is stated above; it has {lines} lines, each with"
    " the numbers of the equations that it computes, and is written by {command}.",
    zh="程序逐层、逐步计算以上各式，共 {lines} 行，每行末尾标出它所计算的公式编号；由 {command} 生成。",
)
SIZES_BETWEEN = Text(en="all sizes from {least} to {most}", zh="各尺寸取 {least} 至 {most}")

# Section 1
SYMBOL = Text(en="symbol", zh="符号")
MEANS = Text(en="meaning", zh="含义")
SHAPE = Text(en="shape", zh="形状")
ROLE = Text(en="role", zh="类别")
SCALAR = Text(en="scalar", zh="标量")
DATA = Text(en="data", zh="数据")
LABELS = Text(en="labels", zh="标签")
PARAMETER = Text(en="parameter", zh="参数")
HYPERPARAMETER = Text(en="hyperparameter", zh="超参数")
DEFAULT = Text(en="{value} by default", zh="默认值为 {value}")
WANTED = Text(
    en="Wanted: {derivatives}, that is, by how much the loss {loss} changes, per unit, when one entry of {parameters} is"
    " changed a little and everything else is held.",
    zh="所求为 {derivatives}，即其余量保持不变时，损失 {loss} 关于 {parameters} 各元素的变化率。",
)
CONVENTION = Text(
    en="A gradient has the shape of its parameter (denominator layout), and a vector is a column.",
    zh="梯度与其参数形状相同（分母布局），向量均为列向量。",
)
CONVENTION_IN_ROWS = Text(
    en="Derivatives stand in numerator layout: a vector is a column, its derivative a row; the derivative by an m × n matrix is"
    " n × m, so that each entry stands where the transpose of the parameter has it.",
    zh="采用分子布局：向量均为列向量，对向量的导数是行向量；对 m × n 矩阵的导数是 n × m 矩阵，即与该矩阵的转置形状相同、元素逐位对应。",
)
NOTATION = Text(en="Notation: {items}.", zh="记号：{items}。")
CAPITALS = Text(
    en="{of_large} is an entry of {large}, {of_small} one of {small}",
    zh="{of_large} 是 {large} 的元素，{of_small} 是 {small} 的元素",
)

# Section 2
VALUES = Text(
    en="Every value that the loss needs, in the order of computation, with its shape beside it:",
    zh="按计算顺序列出损失所需的各个量，其形状标在右侧：",
)
ORDER = Text(
    en="The chain rule goes back from the loss: the derivatives are found in the order {path}. Each is the sum, over the"
    " values that use it, of the derivative that arrives there times the local derivative.",
    zh="链式法则从损失出发反向进行，求导的次序为 {path}。每个量的梯度，等于用到它的各个量的上游梯度与相应局部导数之积的和。",
)
CHAIN = Text(
    en="The chain rule goes back the same way: {path}. At each arrow one derivative is multiplied on, and where a value is"
    " used more than once, its shares are added up.",
    zh="链式法则沿原路返回：{path}。每经过一个箭头便乘上一个导数；一个量若被多次使用，则把各部分相加。",
)
KINKS = Text(en="Convention at kinks.", zh="不可导点：")
KINKS_MEET = Text(
    en="Each lies between the slopes of its own function to the left and to the right; where several kinks fall on one point,"
    " their sum need not lie between the slopes of the whole.",
    zh="每项约定的值都介于该函数的左、右导数之间；若几个不可导点重合，合起来的值则未必介于整个函数的左、右导数之间。",
)

# Section 3: why a step holds
LINEARITY = Text(
    en="In {equation}, {variable} enters linearly: its share is what arrives at {target}, with the same coefficients.",
    zh="在 {equation} 中，{variable} 以线性方式出现：传回的梯度等于 {target} 处的梯度乘以相同的系数。",
)
CONTRACTION = Text(
    en="In {equation}, {entry} takes part in {reached} for every {indices}: hence the sum over {indices}.",
    zh="在 {equation} 中，{entry} 对每个 {indices} 都影响 {reached}，因此要对 {indices} 求和。",
)
CONTRACTION_SINGLE = Text(
    en="In {equation}, {entry} takes part in {reached} only.",
    zh="在 {equation} 中，{entry} 只影响 {reached}。",
)
CONTRACTION_LOSS = Text(
    en="In {equation}, {entry} stands in products: the derivative of a product leaves its other factors, once for every"
    " place where {entry} stands.",
    zh="在 {equation} 中，{entry} 出现在乘积里：求导后留下其余因子，{entry} 每出现一处便有一份，再全部相加。",
)
ELEMENTWISE = Text(
    en="In {equation} each entry of {variable} acts on its own, through {function}, and {rule}.",
    zh="在 {equation} 中，{function} 逐元素作用于 {variable}，且 {rule}。",
)
ELEMENTWISE_SUM = Text(
    en="In {equation}, {entry} takes part in {reached} for every {indices}, through {function}, and {rule}: hence the"
    " sum over {indices}.",
    zh="在 {equation} 中，{entry} 对每个 {indices} 都经 {function} 影响 {reached}，且 {rule}，因此要对 {indices} 求和。",
)
ELEMENTWISE_SCALAR = Text(
    en="In {equation}, {variable} stands inside {function}, and {rule}.",
    zh="在 {equation} 中，{variable} 出现在 {function} 中，且 {rule}。",
)
ELEMENTWISE_PLAIN = Text(
    en="In {equation} each entry of {variable} acts on its own.",
    zh="在 {equation} 中，{variable} 的各元素各自独立地起作用。",
)
LIKEWISE = Text(en="The same holds for {results}.", zh="{results} 同理。")
SHARES = Text(
    en="{variable} is used in {equations}: the shares are added up.",
    zh="{variable} 在 {equations} 中都用到，因此要把各部分相加。",
)
# No line ends between the two words, so that none stands alone.
IN_MATRICES = Text(en="In\N{NO-BREAK SPACE}matrices:", zh="写成矩阵形式：")
AS_A_ROW = Text(en="As a row, {entry} in column {column}:", zh="写成行向量，{entry} 位于第 {column} 列：")
IN_MATRICES_TURNED = Text(
    en="In matrices, {entry} in row {row} and column {column}:",
    zh="写成矩阵形式，{entry} 位于第 {row} 行第 {column} 列：",
)
TRANSPOSED_LEFT = Text(
    en="The sum runs over the first index of {array}: that is why {array} comes transposed, and on the left.",
    zh="求和对 {array} 的第一个指标进行，因此 {array} 要转置，并写在左边。",
)
TRANSPOSED_RIGHT = Text(
    en="The sum runs over the second index of {array}: that is why {array} comes transposed, and on the right.",
    zh="求和对 {array} 的第二个指标进行，因此 {array} 要转置，并写在右边。",
)
EQUATION = Text(en="({number})", zh="({number})")

# Section 3: from one line to the next
PUT_IN = Text(en="with {equations} put in", zh="代入 {equations}")
INVERT = Text(en="a matrix times its inverse is the identity", zh="矩阵与其逆矩阵之积为单位矩阵")
INVERT_BY = Text(
    en="by {equations}: the inverse of a product is the product of the inverses in reverse order, and a matrix times its"
    " inverse is the identity",
    zh="由 {equations}：乘积的逆等于各逆矩阵按相反次序的乘积，而矩阵与其逆矩阵之积为单位矩阵",
)
CANCEL = Text(en="equal factors cancel", zh="约去相同因子")
MULTIPLY_OUT = Text(en="multiply out", zh="展开并合并")
ASSUMED = Text(en="Assumed of what is computed: {items}.", zh="对计算所得的量作如下假设：{items}。")
ASSUMED_OF = Text(en="{array} is {fact}", zh="{array} {fact}")
COMPARE = Text(
    en="a comparison holds by the sign of the difference of its sides", zh="比较是否成立，取决于两边之差的符号"
)
ONE_OF_THREE = Text(en="exactly one of <, = and > holds", zh="<、=、> 三者恰有一个成立")
ROWS_SUM_TO_ONE = Text(en="each row of {array} sums to 1", zh="{array} 的每行之和为 1")
ENTRIES_SUM_TO_ONE = Text(en="the entries of {array} sum to 1", zh="{array} 的元素之和为 1")
ROWS_SUM_TO_ZERO = Text(en="each row of {array} sums to 0", zh="{array} 的每行之和为 0")
COLUMNS_SUM_TO_ZERO = Text(en="each column of {array} sums to 0", zh="{array} 的每列之和为 0")
ENTRIES_SUM_TO_ZERO = Text(en="the entries of {array} sum to 0", zh="{array} 的元素之和为 0")
BY_DEFINITION = Text(en="by {equations}", zh="由 {equations}")
IS_SYMMETRIC = Text(en="{array} is symmetric", zh="{array} 是对称矩阵")
IS_SYMMETRIC_BY = Text(en="{array} is symmetric, by {equation}", zh="由 {equation}，{array} 是对称矩阵")
SQUARES_TO_ONE = Text(en="the entries of {array} are ±1", zh="{array} 的元素为 ±1")
PICKS = Text(
    en="by {equations}, where {array} is 1, the entry that it picks", zh="由 {equations}，{array} 为 1 处即所选取的元素"
)
SQUARES_TO_ITSELF = Text(en="the entries of {array} are 0 or 1", zh="{array} 的元素为 0 或 1")

# Section 4
STANDS_IN = Text(en="{derivative} stands in {equation}", zh="{derivative} 见 {equation}")
HERE = Text(en="Here {items}.", zh="其中 {items}。")

# Section 5
ALL_ZERO = Text(
    en="At a minimum of {loss} where it is differentiable, every gradient is 0.",
    zh="若 {loss} 在极小值点处可导，则该点处所有梯度均为 0。",
)
NUDGE = Text(
    en="With sample numbers ({sizes}), {value} and {slope}. Raising {entry} by {epsilon} should"
    " change the loss by {predicted}; it changes by {actual}.",
    zh="取一组示例数值（{sizes}），得 {value}，{slope}。将 {entry} 增大 {epsilon}，损失的改变量应约为 {predicted}；实际改变量为 {actual}。",
)
SCALAR_NUDGE = Text(
    en="With sample numbers, {value} and {slope}. Raising {entry} by {epsilon} should change the"
    " loss by {predicted}; it changes by {actual}.",
    zh="取一组示例数值，得 {value}，{slope}。将 {entry} 增大 {epsilon}，损失的改变量应约为 {predicted}；实际改变量为 {actual}。",
)
UPDATE_EACH = Text(
    en="Gradient descent takes a small step against the gradient, with the learning rate {rate}, for every parameter {any}:",
    zh="梯度下降对每个参数 {any} 沿梯度的反方向走一小步，学习率为 {rate}：",
)
UPDATE = Text(
    en="Gradient descent takes a small step against the gradient, with the learning rate {rate}:",
    zh="梯度下降沿梯度的反方向走一小步，学习率为 {rate}：",
)

# Section 6
WHAT = Text(en="what", zh="对象")
STATEMENT = Text(en="statement", zh="内容")
HOW = Text(en="how", zh="方法")
EACH_STEP = Text(en="each step, every line of it", zh="每一步，逐行")
PROVED_AT = Text(
    en="proved, entry by entry, with symbols, at {sizes}",
    zh="证毕：以符号逐元素证明，尺寸取 {sizes}",
)
PROVED = Text(en="proved with symbols", zh="证毕：以符号证明")
VERIFIED = Text(en="verified numerically, to 50 digits at random points", zh="数值验证：在随机点处以 50 位精度核对")
VERIFIED_AT = Text(
    en="verified numerically, to 50 digits at random points, at {sizes}",
    zh="数值验证：在随机点处以 50 位精度核对，尺寸取 {sizes}",
)
PROVED_BETWEEN = Text(
    en="proved, entry by entry, with symbols, at two choices of different sizes from {least} to {most}",
    zh="证毕：以符号逐元素证明，取两组互不相同的尺寸（{least} 至 {most}）",
)
VERIFIED_BETWEEN = Text(
    en="verified numerically, to 50 digits at random points, at two choices of different sizes from {least} to {most}",
    zh="数值验证：在随机点处以 50 位精度核对，取两组互不相同的尺寸（{least} 至 {most}）",
)
UNCHECKED_STEP = Text(en="not checked", zh="未验证")
TRANSPOSES = Text(
    en="in numerator layout each line is the transpose of the one that was proved",
    zh="分子布局下的每一行都是所证各行的转置",
)
WHOLE_GRADIENT = Text(en="the whole gradient", zh="整个梯度")
DIFFERENCES = Text(
    en="50-digit differences at {points} random points; largest relative error {error}",
    zh="在 {points} 个随机点处与 50 位精度的差商比较；最大相对误差 {error}",
)

# Section 7
PROGRAM_TEXT = Text(
    en="A number behind a line is that of the equation that it computes. The whole module, with the functions that are called"
    " here and its checks of what it is given, is written by {command}.",
    zh="每行末尾标出它所计算的公式编号。完整的模块还包括这里调用的函数以及对输入的检查，由 {command} 生成。",
)
BAR = Text(
    en="A name that ends in {bar} is a derivative: {name} is {derivative}.",
    zh="以 {bar} 结尾的变量是导数，例如 {name} 即 {derivative}。",
)
PROGRAM_SHAPES = Text(
    en="It returns each gradient in the shape of its parameter: the transpose of what numerator layout prints.",
    zh="程序返回的梯度与其参数形状相同，即分子布局所写结果的转置。",
)

LAWS = {
    "linearity": Text(en="linearity", zh="线性"),
    "contraction": Text(en="contraction", zh="缩并"),
    "elementwise": Text(en="elementwise", zh="逐元素"),
}
