"""The sentences of the section on bound data, in English and Chinese."""

from __future__ import annotations

from symgrad.derive.bound_form import Law
from symgrad.prose import Text

HEADING = Text(en="With {data} bound", zh="固定数据 {data} 之后")
OPENING = Text(
    en="Where {data} stay the same from one call to the next, the loss and its gradients can be written such that a call has"
    " less to do; {command} computes them in this form.",
    zh="若各次调用中 {data} 保持不变，则可改写损失与梯度，使每次调用的计算量更小；{command} 即按这一形式计算。",
)
OPENING_ONE = Text(
    en="Where {data} stays the same from one call to the next, the loss and its gradients can be written such that a call has"
    " less to do; {command} computes them in this form.",
    zh="若各次调用中 {data} 保持不变，则可改写损失与梯度，使每次调用的计算量更小；{command} 即按这一形式计算。",
)
NO_LAW = Text(
    en="The equations above stay as they are when {data} are bound. {command} computes once what depends on the data"
    " alone{blocks}.",
    zh="固定 {data} 之后，以上各式保持不变。{command} 只把仅依赖于数据的量预先计算一次{blocks}。",
)
NO_LAW_ONE = Text(
    en="The equations above stay as they are when {data} is bound. {command} computes once what depends on the data"
    " alone{blocks}.",
    zh="固定 {data} 之后，以上各式保持不变。{command} 只把仅依赖于数据的量预先计算一次{blocks}。",
)
ONCE = Text(
    en="What depends on the data alone is computed once, when they are bound{blocks}.",
    zh="仅依赖于数据的量在固定数据时只计算一次{blocks}。",
)
BLOCKS = Text(
    en=", and each call adds up its sums over the {size} examples block by block",
    zh="，每次调用则把对 {size} 个样本的求和分块累加",
)
NOTHING = Text(en="", zh="")

NAMES: dict[Law, Text] = {
    Law.ROTATION: Text(en="Few rows for many examples", zh="以少数几行代替全部样本"),
    Law.EIGENVECTORS: Text(en="In the basis of eigenvectors", zh="在特征向量基下"),
    Law.SIGNS: Text(en="Labels as signs", zh="以符号表示标签"),
    Law.INNER_PRODUCTS: Text(en="Inner products", zh="内积"),
    Law.COLUMNS: Text(en="Columns side by side", zh="并列各列"),
    Law.LOW_RANK: Text(en="A square multiplied out", zh="展开平方"),
}
ROTATION = Text(
    en="The examples enter only through inner products {product} of vectors {a} and {b} that are linear combinations of the"
    " columns of {columns}. Take the QR factorisation of that matrix. Then {turned}, and since {orthonormal},",
    zh="样本只通过内积 {product} 出现，其中 {a}、{b} 都是矩阵 {columns} 各列的线性组合。"
    "对该矩阵作 QR 分解，则有 {turned}，又因 {orthonormal}，故",
)
ROTATION_END = Text(
    en="So the columns of the triangular factor stand for those of the data. It has at most {rows} rows, however many examples"
    " there are:",
    zh="因此可用三角因子的各列代替数据的各列。无论样本有多少，它至多只有 {rows} 行：",
)
EIGENVECTORS = Text(
    en="The matrix {matrix} is symmetric: it is diagonal in an orthonormal basis of eigenvectors, the columns of {basis}. So"
    " are its sums with multiples of the identity, their inverses and their products; a determinant is the product of the"
    " diagonal. In that basis:",
    zh="矩阵 {matrix} 对称，因而在由特征向量组成的标准正交基（即 {basis} 的各列）下为对角矩阵；"
    "它与单位矩阵倍数之和、这些和的逆以及它们的乘积同样如此，"
    "而行列式等于对角元之积。在这组基下：",
)
LOGDET = Text(
    en="The logarithm of a determinant is the sum of the logarithms of the absolute values: the loss has a value only where the"
    " determinant is positive.",
    zh="行列式的对数等于各特征值绝对值的对数之和，因为仅当行列式为正时损失才有定义。",
)
SIGNS = Text(
    en="The labels {label} are 0 or 1, so the entries of {sign} below are ±1. With {sigmoid}, for every vector {u}",
    zh="标签 {label} 只取 0 或 1，因此下面的 {sign} 的元素为 ±1。记 {sigmoid}，则对任意向量 {u} 有",
)
SIGNS_END = Text(
    en="On the right nothing is subtracted from what is nearly equal, and one function stands for two. Here",
    zh="右边不再有相近的数相减，且两项合为一项。这里",
)
INNER_PRODUCTS = Text(
    en="A sum of differences is a difference of sums, {formula}, and what is subtracted is an inner product: no vector of"
    " products has to be written.",
    zh="差的和等于和的差，即 {formula}，而减去的是内积，不必另存逐元素乘积的向量。",
)
COLUMNS = Text(
    en="An affine map of fixed columns is one product: the columns stand side by side in {columns}, their coefficients one"
    " below the other in {coefficients}{sums}.",
    zh="固定各列的仿射映射可写成一个乘积：各列并排于 {columns}，系数依次排成 {coefficients}{sums}。",
)
SUMS = Text(
    en=", and sums over the examples are parts of one product with {turned}",
    zh="，对样本的求和则是与 {turned} 之积的各段",
)
LOW_RANK = Text(
    en="The square of the difference is multiplied out. Then no matrix of the size of {matrix} is computed, and"
    " {matrix} itself only meets matrices of few columns:",
    zh="把差的平方展开。这样便不必计算与 {matrix} 同样大小的矩阵，而 {matrix} 本身只与列数很少的矩阵相乘：",
)
GATE = Text(
    en="A call takes this form where {rank} (the rank is small beside the sizes of {matrix}) and {fit}. Nearer to a"
    " perfect fit the difference would lose its digits: there, and where the rank is not small, the equations of the derivation"
    " are computed.",
    zh="仅当 {rank}（秩相对于 {matrix} 的尺寸较小）且 {fit} 时，调用才采用这一形式。"
    "若拟合几近完全，作差会丧失有效数字；此时，以及秩不够小时，仍按前面推导所得各式计算。",
)
RESULTS = Text(en="The loss and its gradients", zh="损失与梯度")
HERE = Text(en="Here {items}.", zh="其中 {items}。")
EIGENVALUES_OF = Text(en="{values} holds the eigenvalues of {matrix}", zh="{values} 由 {matrix} 的特征值组成")

SAME = Text(
    en="the form with bound data",
    zh="固定数据后的形式",
)
ROTATED = Text(
    en="verified in exact arithmetic at random rational points, with a rational {basis}, at {sizes}",
    zh="数值验证：在随机有理点处以精确算术核对，{basis} 取有理矩阵，尺寸取 {sizes}",
)
