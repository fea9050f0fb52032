"""Primitives of square matrices: inverse, linear system, determinant and its logarithm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symgrad.errors import ShapeError
from symgrad.graph.expression import Expr, Shape, transpose
from symgrad.graph.show import show_shape
from symgrad.primitives.entry import Primitive, square
from symgrad.primitives.triangles import HALF_TRIL
from symgrad.prose import Text

Options = dict[str, Any]


def _square_shape(name: str) -> Any:
    def shape(operands: Sequence[Expr], options: Options) -> Shape:
        square(name, operands[0])
        return operands[0].shape if name in {"inv", "cholesky"} else ()

    return shape


def _solve_shape(operands: Sequence[Expr], options: Options) -> Shape:
    a, b = operands
    square("solve", a)
    if not 1 <= b.rank <= 2 or b.shape[0] != a.shape[0]:
        raise ShapeError(
            f"solve({a}, {b}): shapes {show_shape(a.shape)} and {show_shape(b.shape)} do not fit;"
            " the right side needs as many rows as the matrix"
        )
    return b.shape


def _inverse_pullback(ybar: Expr, y: Expr, operands: Sequence[Expr], options: Options) -> tuple[Expr, ...]:
    return (-(transpose(y) @ ybar @ transpose(y)),)


def _solve_pullback(ybar: Expr, y: Expr, operands: Sequence[Expr], options: Options) -> tuple[Expr, ...]:
    bbar = SOLVE(transpose(operands[0]), ybar)
    if y.rank == 1:
        return -(bbar[:, None] * y[None, :]), bbar
    return -(bbar @ transpose(y)), bbar


INV = Primitive(
    name="inv",
    about=Text(en="matrix inverse", zh="逆矩阵"),
    shape=_square_shape("inv"),
    forward=lambda s, arrays, options: s.inverse(arrays[0]),
    pullback=_inverse_pullback,
    reason=Text(
        en="From ${x} {y} = I$ follows ${dx}\\,{y} + {x}\\,{dy} = 0$, so ${dy} = -{y}\\,{dx}\\,{y}$: a change of {x} is felt through"
        " the inverse on both sides, and both come back transposed.",
        zh="由 ${x} {y} = I$ 得 ${dx}\\,{y} + {x}\\,{dy} = 0$，即 ${dy} = -{y}\\,{dx}\\,{y}$：{x} 的变化经两侧的逆矩阵起作用，反向传播时两者都要转置。",
    ),
    reason_in_rows=Text(
        en="From ${x} {y} = I$ follows ${dx}\\,{y} + {x}\\,{dy} = 0$, so ${dy} = -{y}\\,{dx}\\,{y}$: a change of {x} is felt through"
        " the inverse on both sides, and in numerator layout both come back as they are.",
        zh="由 ${x} {y} = I$ 得 ${dx}\\,{y} + {x}\\,{dy} = 0$，即 ${dy} = -{y}\\,{dx}\\,{y}$：{x} 的变化经两侧的逆矩阵起作用，"
        "在分子布局下反向传播时两者都不必转置。",
    ),
    latex="{0}^{{-1}}",
    numpy=lambda args, options, ranks: f"np.linalg.inv({args[0]})",
    domain=Text(en="The matrix has to be invertible.", zh="矩阵须可逆。"),
    citation="Giles 2008, §2.2.3",
)
SOLVE = Primitive(
    name="solve",
    is_linear=True,
    about=Text(en="linear system", zh="线性方程组"),
    shape=_solve_shape,
    forward=lambda s, arrays, options: s.matmul(s.inverse(arrays[0]), arrays[1]),
    pullback=_solve_pullback,
    arity=2,
    reason=Text(
        en="From ${x} {y} = {b}$ follows ${dx}\\,{y} + {x}\\,{dy} = {db}$: the gradient by {b} solves the system of the transposed"
        " matrix for what arrives, and that by {x} is minus its product with {y_t}.",
        zh="由 ${x} {y} = {b}$ 得 ${dx}\\,{y} + {x}\\,{dy} = {db}$：关于 {b} 的梯度是以转置矩阵为系数、上游梯度为右端的方程组的解，"
        "关于 {x} 的梯度是它与 {y_t} 之积的相反数。",
    ),
    reason_in_rows=Text(
        en="From ${x} {y} = {b}$ follows ${dx}\\,{y} + {x}\\,{dy} = {db}$: the derivative by {b}, multiplied with {x} from the"
        " right, is what arrives; minus {y} times the derivative by {b} is the derivative by {x}.",
        zh="由 ${x} {y} = {b}$ 得 ${dx}\\,{y} + {x}\\,{dy} = {db}$：对 {b} 的导数右乘 {x} 等于传来的导数；对 {x} 的导数是 {y} 与对 {b} 的导数之积的相反数。",
    ),
    latex="{0}^{{-1}} {1}",
    numpy=lambda args, options, ranks: f"np.linalg.solve({args[0]}, {args[1]})",
    domain=Text(en="The matrix has to be invertible.", zh="矩阵须可逆。"),
    citation="Giles 2008, §2.3.1",
)
DET = Primitive(
    name="det",
    about=Text(en="determinant", zh="行列式"),
    shape=_square_shape("det"),
    forward=lambda s, arrays, options: s.determinant(arrays[0]),
    pullback=lambda ybar, y, operands, options: (ybar * y * transpose(INV(operands[0])),),
    reason=Text(
        en="The derivative of a determinant by one entry is that entry's cofactor, and the cofactors are det times the"
        " transposed inverse (Jacobi's formula).",
        zh="行列式对一个元素的导数是该元素的代数余子式，而代数余子式矩阵等于行列式乘以逆矩阵的转置（雅可比公式）。",
    ),
    reason_in_rows=Text(
        en="The derivative of a determinant by one entry is that entry's cofactor; in numerator layout the cofactors stand"
        " transposed, and are det times the inverse (Jacobi's formula).",
        zh="行列式对一个元素的导数是该元素的代数余子式；在分子布局下这些代数余子式排成伴随矩阵，等于行列式乘以逆矩阵（雅可比公式）。",
    ),
    latex=r"\det",
    numpy=lambda args, options, ranks: f"np.linalg.det({args[0]})",
    domain=Text(en="The matrix has to be invertible.", zh="矩阵须可逆。"),
    citation="Petersen & Pedersen 2012, eq. 49",
)
LOGDET = Primitive(
    name="logdet",
    about=Text(en="logarithm of the determinant", zh="行列式的对数"),
    shape=_square_shape("logdet"),
    forward=lambda s, arrays, options: s.each(s.log, s.determinant(arrays[0])),
    pullback=lambda ybar, y, operands, options: (ybar * transpose(INV(operands[0])),),
    reason=Text(
        en="The derivative of log det by one entry is that entry's cofactor over the determinant, which is an entry of"
        " the transposed inverse (Jacobi's formula).",
        zh="log det 对一个元素的导数等于该元素的代数余子式除以行列式，即逆矩阵转置的对应元素（雅可比公式）。",
    ),
    reason_in_rows=Text(
        en="The derivative of log det by one entry is that entry's cofactor over the determinant; in numerator layout, where"
        " the entries stand transposed, these make up the inverse (Jacobi's formula).",
        zh="log det 对一个元素的导数等于该元素的代数余子式除以行列式；在分子布局下各元素按转置排列，恰好构成逆矩阵（雅可比公式）。",
    ),
    latex=r"\log\det",
    numpy=lambda args, options, ranks: f"logdet({args[0]})",
    kernel='''
def logdet(x):
    """log(det(x)); not a number where the determinant is not positive."""
    sign, value = np.linalg.slogdet(x)
    return np.where(sign > 0, value, np.nan)[()]
''',
    domain=Text(en="The determinant has to be positive.", zh="行列式须为正。"),
    citation="Petersen & Pedersen 2012, eq. 57",
)


def _cholesky_pullback(ybar: Expr, y: Expr, operands: Sequence[Expr], options: Options) -> tuple[Expr, ...]:
    """Φ(S + Sᵀ) with S = L⁻ᵀ Φ(Lᵀ L̄) L⁻¹, Φ the lower triangle with half of the diagonal."""
    inverse = INV(y)
    s = transpose(inverse) @ HALF_TRIL(transpose(y) @ ybar) @ inverse
    return (HALF_TRIL(s + transpose(s)),)


CHOLESKY = Primitive(
    name="cholesky",
    about=Text(en="Cholesky factor", zh="楚列斯基分解"),
    shape=_square_shape("cholesky"),
    forward=lambda s, arrays, options: s.cholesky(arrays[0]),
    pullback=_cholesky_pullback,
    reason=Text(
        en="From ${y} {y_t} = {x}$ follows ${dy}\\,{y_t} + {y}\\,{dy_t} = {dx}$; multiplied by the inverse from both sides, the first term is"
        " lower triangular and the second its mirror image. {x} is read on and below its diagonal, and its derivative"
        " stands there.",
        zh="由 ${y} {y_t} = {x}$ 得 ${dy}\\,{y_t} + {y}\\,{dy_t} = {dx}$；两侧乘以 {y} 的逆后，第一项为下三角矩阵，第二项是它的转置。"
        "只读取 {x} 的下三角部分（含对角线），导数也写在那里。",
    ),
    reason_in_rows=Text(
        en="From ${y} {y_t} = {x}$ follows ${dy}\\,{y_t} + {y}\\,{dy_t} = {dx}$; multiplied by the inverse from both sides, the first term is"
        " lower triangular and the second its mirror image. {x} is read on and below its diagonal; transposed, its derivative"
        " stands on and above it.",
        zh="由 ${y} {y_t} = {x}$ 得 ${dy}\\,{y_t} + {y}\\,{dy_t} = {dx}$；两侧乘以 {y} 的逆后，第一项为下三角矩阵，第二项是它的转置。"
        "只读取 {x} 的下三角部分（含对角线），导数转置后位于上三角部分。",
    ),
    latex=r"\mathrm{chol}",
    numpy=lambda args, options, ranks: f"np.linalg.cholesky({args[0]})",
    domain=Text(en="The matrix has to be symmetric and positive definite.", zh="矩阵须对称正定。"),
    citation="Murray 2016, eq. 9",
    sign=(
        r"\mathrm{chol}(A)",
        Text(
            en=r"{sign} is the lower triangular $C$ with $C C^{\top} = A$ and a positive diagonal",
            zh=r"{sign} 是满足 $C C^{\top} = A$ 且对角元为正的下三角矩阵 $C$",
        ),
    ),
)
