"""The command line: what it prints, how it ends, and that nothing a user does shows a traceback."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import symgrad as sg
from symgrad.cli import app
from symgrad.cli.check_sentences import REASONS
from symgrad.cli.checks import rows
from symgrad.cli.choices import PAGES, Engine, Format
from symgrad.cli.tables import aligned
from symgrad.primitives import functions
from symgrad.prose import Text
from symgrad.rewrite.display import Why

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
LINEAR, SOFTMAX = EXAMPLES / "linear_regression.py", EXAMPLES / "softmax_regression.py"
BOSTON = EXAMPLES / "data" / "boston.csv"
BINDINGS = ["--bind", "X=CRIM:LSTAT", "--bind", "y=MEDV"]
COMMAND = [sys.executable, "-c", "from symgrad.cli import main; main()"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


def run(*words, **options):
    """One command inside this process."""
    return CliRunner().invoke(app, list(map(str, words)), **options)


def spawn(*words, **options):
    """One command as a process of its own."""
    options = {"capture_output": True, "text": True, "env": ENVIRONMENT, "timeout": 120, **options}
    return subprocess.run([*COMMAND, *map(str, words)], check=False, **options)


def complaint(*words, code=2, **options):
    """The one line of a run that fails."""
    result = run(*words, **options)
    assert result.exit_code == code, result.output
    assert isinstance(result.exception, SystemExit | type(None))
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.output
    return result.stderr.rstrip("\n")


@pytest.fixture
def model(tmp_path):
    def write(text, name="model.py"):
        path = tmp_path / name
        path.write_text("import symgrad as sg\n" + text)
        return path

    return write


# ---- start-up


def test_help_imports_nothing_heavy():
    heavy = ["numpy", "sympy", "jinja2", "rich.console", "mpmath", "symgrad.problem"]
    code = (
        "import sys\nfrom symgrad.cli import app\n"
        "try: app(['--help'])\nexcept SystemExit: pass\n"
        f"sys.exit(str([m for m in {heavy} if m in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=ENVIRONMENT, check=False)
    assert done.stderr.strip() == "[]"
    assert "explain" in done.stdout


@pytest.mark.parametrize("command", ["explain", "check", "compile", "fit"])
def test_each_command_has_help(command):
    result = run(command, "--help")
    assert result.exit_code == 0
    assert "MODEL" in result.stdout


@pytest.mark.parametrize(
    "words", [["no-such"], ["explain"], ["explain", LINEAR, "--lang", "fr"], ["fit", LINEAR, "--seed", "x"]]
)
def test_wrong_words_are_exit_2(words):
    result = run(*words)
    assert result.exit_code == 2
    assert "Error" in result.stderr


# ---- explain


def test_explain_prints_markdown():
    result = run("explain", SOFTMAX)
    assert result.exit_code == 0
    assert result.stdout.startswith("# Softmax regression\n")


@pytest.mark.parametrize(
    ("name", "begin"), [("page.md", "# Softmax"), ("page.tex", "\\documentclass"), ("page.MD", "# Softmax")]
)
def test_the_format_follows_the_suffix(tmp_path, name, begin):
    assert run("explain", SOFTMAX, "-o", tmp_path / name).exit_code == 0
    assert begin in (tmp_path / name).read_text()[:200]


def test_a_format_that_is_asked_for_wins(tmp_path):
    assert run("explain", SOFTMAX, "-f", "latex", "-o", tmp_path / "page.txt").exit_code == 0
    assert "\\documentclass" in (tmp_path / "page.txt").read_text()


def test_what_a_suffix_gives_can_be_asked_for_by_name():
    assert set(PAGES.values()) - {"markdown"} <= {form.value for form in Format}
    assert [engine.value for engine in Engine] == ["typst", "latex"]
    assert json.loads(run("explain", LINEAR, "-f", "json").stdout)["format"] == "symgrad.derivation"
    assert json.loads(run("explain", LINEAR, "-f", "ipynb").stdout)["nbformat"] == 4
    assert run("explain", LINEAR, "--engine", "json").exit_code == 2


def test_explain_in_chinese_and_for_one_parameter():
    assert re.search("[一-龥]", run("explain", LINEAR, "--lang", "zh").stdout)
    assert len(run("explain", LINEAR, "--wrt", "b").stdout) < len(run("explain", LINEAR).stdout)


def test_explain_reads_standard_input():
    result = run("explain", "-", input=LINEAR.read_text())
    assert result.stdout.startswith("# Linear regression")


def test_a_page_of_another_kind_is_refused():
    line = complaint("explain", LINEAR, "-o", "page.docx")
    assert line.startswith("page.docx: .docx cannot be written; use .md, .tex, ")
    assert "a file without a suffix" in complaint("explain", LINEAR, "-o", "page")


def test_several_models_go_to_a_folder(tmp_path):
    folder = tmp_path / "pages"
    wrong = tmp_path / "wrong.py"
    wrong.write_text("loss =")
    done = run("explain", LINEAR, wrong, SOFTMAX, "-f", "md", "--detail", "brief", "-o", f"{folder}/")
    # One that fails is told, and stops none of the others.
    assert done.exit_code == 2
    assert re.fullmatch(rf"{re.escape(str(wrong))}:1:\d+: .*\n", done.stderr)
    assert sorted(p.name for p in folder.iterdir()) == ["linear_regression.md", "softmax_regression.md"]
    assert (folder / "softmax_regression.md").read_text().startswith("# Softmax regression")


def test_several_models_need_a_folder_and_names_of_their_own(tmp_path):
    assert "write -o pages/, with a slash" in complaint("explain", LINEAR, SOFTMAX, "-o", "page.md")
    assert "as that of another model" in complaint("explain", LINEAR, LINEAR, "-o", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_engine_is_for_pdf():
    line = complaint("explain", LINEAR, "--engine", "latex", "-o", "page.md")
    assert line == "--engine latex sets a PDF, and this page is markdown; write -f pdf, or -o page.pdf"


# ---- check


def test_check_lists_every_step_as_proved():
    result = run("check", SOFTMAX)
    lines = result.stdout.splitlines()
    assert result.exit_code == 0
    assert lines[0].split() == ["step", "what", "rule", "verdict", "at", "the", "sizes"]
    assert [line.split()[1] for line in lines if line.startswith("(")] == ["∂L/∂P", "∂L/∂Z", "∂L/∂W", "∂L/∂b"]
    assert all("proved" in line for line in lines[1:-1])
    assert any("= each row of Y sums to 1 " in line for line in lines)
    assert re.fullmatch(r"end to end: at 3 points, .* relative error of \d\.\de-[2-5]\d", lines[-1])


def test_check_speaks_chinese_to_the_end():
    lines = run("check", SOFTMAX, "--lang", "zh").stdout.splitlines()
    assert lines[0].split() == ["步骤", "对象", "法则", "结论", "所取尺寸"]
    assert lines[3].split() == ["=", "代入", "∂L/∂P", "证毕", "n=3,", "k=4；n=5,", "k=3"]
    assert any("= Y 的每行之和为 1 " in line for line in lines)
    assert re.fullmatch(r"整个梯度：在 3 个点处与 50 位精度的差商比较，最大相对误差 \d\.\de-[2-5]\d", lines[-1])
    words = {word for line in lines[1:] for word in re.findall("[A-Za-z]{2,}", line)}
    assert words == {"softmax"}
    claimed = run("check", SOFTMAX, "--claim", "W = X.T @ (P - Y)", "--lang", "zh")
    assert claimed.stdout == "W = X.T @ (P - Y)：不相等；你的答案是梯度的 n 倍\n"
    assert claimed.exit_code == 1


def test_every_reason_of_a_line_has_words_in_a_check():
    with_names = {Why.PUT_IN, Why.FACT, Why.UNFOLD, Why.REFOLD}
    assert {*REASONS, *with_names, Why.RULE} == set(Why)  # the rule's own line is that of the step


def test_a_reason_names_what_a_page_numbers():
    """Both languages, of a symmetric matrix that is computed and of a name put back."""
    texts = [row[2] for row in rows(sg.load(EXAMPLES / "gaussian_process.py").derive())]
    assert Text(en="= K is symmetric, by the definition of K", zh="= 由 K 的定义，K 是对称矩阵") in texts
    assert Text(en="= by the definition of alpha", zh="= 由 alpha 的定义") in texts


def test_a_step_of_several_rules_names_them_all():
    n = sg.dims("n")
    s = sg.parameter("S", n, n)
    (row, *_) = rows(sg.Problem(sg.logdet(s) + sg.trace(sg.inv(s))).derive(prove=False))
    assert row[2] == Text(en="inv, logdet", zh="inv、logdet")


def test_check_of_some_parameters():
    result = run("check", SOFTMAX, "--wrt", "b")
    assert "∂L/∂b" in result.stdout
    assert "∂L/∂W" not in result.stdout


def test_a_claim_that_is_equal_is_one_line():
    result = run("check", SOFTMAX, "--claim", "W = X.T @ (P - Y) / n", "--claim", "∂L/∂b = sum(Z_bar, axis=0)")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "W = X.T @ (P - Y) / n: equal, both sides have one normal form",
        "∂L/∂b = sum(Z_bar, axis=0): equal, both sides have one normal form",
    ]


@pytest.mark.parametrize(
    ("claim", "words"),
    [
        ("W = X.T @ (P - Y)", "not equal; your answer is n times the gradient"),
        ("W = (P - Y).T @ X / n", "not equal; its shape is (k, d), the gradient's is (d, k); the transpose is equal"),
        ("W = log(-X.T**2) @ P", "undecided, too few points"),
    ],
)
def test_a_claim_that_is_not_equal_is_exit_1(claim, words):
    result = run("check", SOFTMAX, "--claim", "b = sum(P - Y, axis=0) / n", "--claim", claim)
    first, second = result.stdout.splitlines()
    assert result.exit_code == 1
    assert "equal" in first
    assert second.startswith(f"{claim}: {words}")


@pytest.mark.parametrize(
    "claim", ["W", "Q = X", "W = X.T @ (P－Y)", "W = X @ P", "W = __import__('os')", "W = X.T @ (P - Y"]
)
def test_a_claim_that_cannot_be_read_is_exit_2(claim):
    assert complaint("check", SOFTMAX, "--claim", "b = b", "--claim", claim).startswith("claim:1:")


def test_a_failed_check_is_exit_1(monkeypatch):
    wrong = functions.Function(
        name="tanh",
        about=functions.TANH.about,
        body=functions.TANH.body,
        derivatives=(lambda y, x: 1 - y,),
        latex="",
        numpy="np.tanh({0})",
    )
    monkeypatch.setitem(functions.FUNCTIONS, "tanh", wrong)
    text = 'import symgrad as sg\nn = sg.dims("n")\nx = sg.parameter("x", n)\nloss = sg.sum(sg.tanh(x) ** 3)\n'
    line = complaint("check", "-", code=1, input=text)
    assert "tanh" in line or "x" in line


def test_tables_are_aligned_in_columns_of_a_terminal():
    assert aligned([["a", "b"], ["梯度", "c"]]) == ["a     b", "梯度  c"]


# ---- compile


def test_compile_writes_a_module_that_stands_alone(tmp_path):
    path = tmp_path / "grads.py"
    assert run("compile", LINEAR, "-o", path).exit_code == 0
    code = (
        "import grads, numpy as np, sys\n"
        "value, g = grads.value_and_gradients(X=np.eye(2), y=np.ones(2), w=np.zeros(2), b=0.0)\n"
        "print(value, g['w'], 'symgrad' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "0.5 [-0.5 -0.5] False\n"


def test_compile_to_standard_output_is_the_same(tmp_path):
    run("compile", LINEAR, "-o", tmp_path / "grads.py")
    assert run("compile", LINEAR, "-o", "-").stdout == (tmp_path / "grads.py").read_text()


def test_a_module_ends_in_py():
    assert complaint("compile", LINEAR, "-o", "grads.m") == (
        "grads.m: a NumPy module ends in .py; write for example grads.py"
    )


# ---- fit


def test_fit_prints_least_squares(tmp_path):
    path = tmp_path / "fit.json"
    result = run("fit", LINEAR, "--data", BOSTON, *BINDINGS, "--standardize", "--test", "0.2", "-o", path)
    assert result.exit_code == 0
    assert "506 rows, 404 to train on, 102 to test on" in result.stdout
    assert "gradient norm reached" in result.stdout
    content = json.loads(path.read_text())
    shown = dict(re.findall(r"^  (\w+) +(-?[\d.e-]+)$", result.stdout, re.MULTILINE))
    # Every number stands beside the name of its column, in the column's own units.
    assert float(shown["RM"]) == pytest.approx(content["original_units"]["w"]["values"][5], rel=1e-5)
    assert float(shown["LSTAT"]) == pytest.approx(content["original_units"]["w"]["values"][12], rel=1e-5)
    assert f"{content['test']['mse']:.6g}" in result.stdout
    assert result.stderr == ""


def test_fit_writes_npz_and_json_to_standard_output(tmp_path):
    words = ["fit", LINEAR, "--data", BOSTON, *BINDINGS, "--standardize", "--iterations", "5"]
    assert run(*words, "-o", tmp_path / "fit.npz").exit_code == 0
    with np.load(tmp_path / "fit.npz") as arrays:
        assert arrays["w"].shape == (13,)
    result = run(*words, "-o", "-")
    assert json.loads(result.stdout)["iterations"] == 5
    assert "more --iterations" in result.stderr


def test_fit_reads_the_table_from_standard_input():
    table = "a,y\n1,3\n2,5\n3,7\n"
    result = run("fit", LINEAR, "--data", "-", "--bind", "X=a", input=table)
    assert result.exit_code == 0
    assert "b = 1" in result.stdout
    assert "both to come from standard input" in complaint("fit", "-", "--data", "-")


def test_fit_takes_sizes_and_hyperparameters():
    net, digits = EXAMPLES / "two_layer_net.py", EXAMPLES / "data" / "digits.csv"
    words = ["fit", net, "--data", digits, "--bind", "X=pixel_0_0:pixel_7_7", "--bind", "T=digit", "--iterations", "2"]
    assert "--size h=64" in complaint(*words)
    result = run(*words, "--size", "h=4", "--set", "lam=0.5")
    assert "W1: 64 × 4 numbers; -o writes them" in result.stdout
    assert "classes of T: 0, 1, 2" in result.stdout
    assert "--size h: it has no name and value" in complaint(*words, "--size", "h")
    assert "a size is a whole number" in complaint(*words, "--size", "h=4.5")
    assert "that is no number" in complaint(*words, "--size", "h=4", "--set", "lam=big")
    assert "given twice" in complaint(*words, "--size", "h=4", "--size", "h=5")


def test_a_fit_that_diverges_is_one_line_and_exit_1(tmp_path):
    path = tmp_path / "fit.json"
    line = complaint("fit", LINEAR, "--data", BOSTON, *BINDINGS, "--learning-rate", "0.01", "-o", path, code=1)
    assert re.match(
        r"the fit failed at iteration \d+: the loss rose from .*; the loss is quadratic: use one below 2/λ_max", line
    )
    assert not path.exists()


def test_a_fit_speaks_chinese(tmp_path):
    words = ["fit", LINEAR, "--data", BOSTON, *BINDINGS, "--lang", "zh"]
    told = run(*words, "--standardize", "--test", "0.2", "--iterations", "3").stdout
    assert "506 行，404 行用于训练，102 行用于测试" in told
    assert "梯度下降，回溯线搜索，初值为零：迭代 3 次，达到迭代次数上限" in told
    assert "注意：梯度尚未足够小；请增大 --iterations\n" in told
    # The numbers stand beneath their headings, and are those of the English report.
    english = run(*words[:-1], "en", "--standardize", "--test", "0.2", "--iterations", "3").stdout
    assert re.search(r"^均方误差 +[\d.]+ +[\d.]+$", told, re.MULTILINE)
    numbers = r"(?<![\w.])-?\d+\.\d+"
    assert re.findall(numbers, told) == re.findall(numbers, english)
    assert re.search("(train|test|loss|iterations? |note)", told.replace("--iterations", "")) is None
    line = complaint(*words, "--learning-rate", "0.01", code=1)
    assert re.match(r"拟合失败。第 \d+ 次迭代：学习率为 0.01 时，损失由 .* 升至 .*。损失是二次函数", line)
    # A model without `model`: why there are no scores.
    model = tmp_path / "model.py"
    model.write_text(
        "import symgrad as sg\nn, d = sg.dims('n d')\nX = sg.data('X', n, d)\ny = sg.data('y', n)\n"
        "w = sg.parameter('w', d)\nloss = sg.mean((X @ w - y)**2)\n"
    )
    told = run("fit", model, "--data", BOSTON, "--bind", "X=RM", "--bind", "y=MEDV", "--lang", "zh").stdout
    assert told.endswith("注意：没有 `model`，因此不作预测，也不评分；请把预测值赋给 `model`\n")


# ---- errors: one line, the place first, no traceback


def test_a_missing_model():
    assert complaint("explain", "no/such.py") == "no/such.py: no such file; give the path of a model file"
    assert "is a folder" in complaint("check", EXAMPLES)


def test_a_missing_model_is_told_before_sympy_is_imported():
    commands = [
        ["explain"],
        ["explain", "--hessian", "w"],
        ["extrema"],
        ["check"],
        ["compile"],
        ["fit", "--data", "no.csv"],
    ]
    code = (
        "import sys\nfrom symgrad.cli import app\n"
        f"for command in {commands}:\n"
        "    try: app([*command, 'no.py'])\n    except SystemExit as e: print(e.code, {'sympy', 'pydantic'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=ENVIRONMENT, check=False)
    assert done.stdout == "2 set()\n" * len(commands)
    assert done.stderr == "no.py: no such file; give the path of a model file\n" * len(commands)


def test_a_syntax_error_has_its_place(model):
    path = model("loss = (1 +\n")
    assert re.match(rf"{path}:2:\d+: .*; mend the Python", complaint("explain", path))


def test_a_shape_error_is_at_the_users_line(model):
    path = model('n, d = sg.dims("n d")\nX = sg.data("X", n, d)\nw = sg.parameter("w", n)\nloss = sg.sum(X @ w)\n')
    line = complaint("compile", path)
    assert line.startswith(f"{path}:5:")
    assert "(n, d) and (n,)" in line


def test_an_error_of_the_users_own_is_at_the_users_line(model):
    assert complaint("check", model("def f(): return 1 / 0\nf()\nloss = 1\n")).startswith(str(model("")) + ":2:")
    assert "assigns no `loss`" in complaint("check", model("x = 1\n"))
    assert "ends the program" in complaint("check", model("raise SystemExit(7)\n"))


def test_a_loss_that_is_no_scalar(model):
    line = complaint("check", model('n = sg.dims("n")\nloss = sg.parameter("x", n) ** 2\n'))
    assert "scalar" in line


def test_an_unknown_parameter():
    for command in ("explain", "check", "compile"):
        line = complaint(command, LINEAR, "--wrt", "v")
        assert "v" in line
        assert "w" in line


def test_wrong_tables(tmp_path):
    assert "no column 'PRICE'" in complaint(
        "fit", LINEAR, "--data", BOSTON, "--bind", "X=CRIM:LSTAT", "--bind", "y=PRICE"
    )
    assert "--bind y=MEDV" in complaint("fit", LINEAR, "--data", BOSTON, "--bind", "X=CRIM:LSTAT")
    assert "no such file" in complaint("fit", LINEAR, "--data", tmp_path / "no.csv")
    ragged = tmp_path / "ragged.csv"
    ragged.write_text("a,y\n1,2\n3\n")
    assert complaint("fit", LINEAR, "--data", ragged, "--bind", "X=a").startswith(f"{ragged}:3:y: the row ends")
    words = tmp_path / "words.csv"
    words.write_text("a,y\n1,2\n3,many\n")
    assert complaint("fit", LINEAR, "--data", words, "--bind", "X=a").startswith(f"{words}:3:y: 'many' is not a number")


def test_a_parameter_that_the_loss_does_not_hold_is_noted(tmp_path):
    model = tmp_path / "model.py"
    model.write_text(
        "import symgrad as sg\nx, y = sg.data('x'), sg.data('y')\nw = sg.parameter('w')\nb = sg.parameter('b')\n"
        "r = w * x - y\nloss = r**2\n"
    )
    note = f"{model}:4:1: note: the loss does not hold b; it gets no gradient\n"
    for words in (["explain", "--detail", "brief"], ["explain", "--hvp", "w"], ["check"], ["compile"], ["extrema"]):
        result = run(*words, model)
        assert (result.exit_code, result.stderr) == (0, note)
    model.write_text(model.read_text().replace("- y", "+ b - y"))
    assert run("check", model).stderr == ""


def test_what_cannot_be_written(tmp_path):
    there_is_none = f"there is no folder {tmp_path / 'no'}; make it, or write somewhere else"
    # Before the work, not after it: here the model is found wrong only when it is executed.
    broken = tmp_path / "broken.py"
    broken.write_text("loss = 1 +")
    fit = ["fit", broken, "--data", BOSTON, "--bind", "X=RM"]
    words = [["explain", broken], ["extrema", broken], ["compile", broken], fit]
    for command, name in zip(words, ("page.md", "page.md", "grads.py", "fit.json"), strict=True):
        assert there_is_none in complaint(*command, "-o", tmp_path / "no" / name)
    assert there_is_none in complaint(*fit, "--plot", tmp_path / "no" / "fit.svg")
    broken.unlink()
    folder = tmp_path / "folder.py"
    folder.mkdir()
    assert "is a folder" in complaint("compile", LINEAR, "-o", folder)
    assert os.listdir(tmp_path) == ["folder.py"]
    assert "a fit is written as .json or .npz" in complaint("fit", LINEAR, "--data", BOSTON, "-o", "fit.txt")


# ---- processes


def test_main_ends_with_the_code():
    done = spawn("explain", "no.py")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "no.py: no such file; give the path of a model file\n"


def test_a_page_in_a_terminal_without_greek():
    done = spawn("explain", LINEAR, env={**ENVIRONMENT, "PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (0, "")


def test_a_reader_that_stops_is_no_error():
    first = subprocess.Popen(
        [*COMMAND, "explain", str(SOFTMAX)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT
    )
    first.stdout.close()
    assert first.stderr.read() == b""
    first.stderr.close()
    assert first.wait(60) == 141


@pytest.mark.parametrize("command", ["explain", "check"])
def test_a_full_disk_is_one_line(command):
    with open("/dev/full", "w") as full:
        done = spawn(command, LINEAR, capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (2, "no space left on device\n")


def test_an_interrupt_is_one_line(model):
    path = model("import os, signal, time\nos.write(1, b'ready')\ntime.sleep(60)\n")
    process = subprocess.Popen(
        [*COMMAND, "check", str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
        # Whoever runs the tests in the background may have them ignore interrupts, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdout.read(5) == b"ready"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (130, b"interrupted\n")


def in_terminal(*words, **extra):
    """What a terminal shows of a command."""
    parent, child = pty.openpty()
    environment = {**ENVIRONMENT, "TERM": "xterm-256color", "COLUMNS": "100", **extra}
    process = subprocess.Popen([*COMMAND, *map(str, words)], stdout=child, stderr=child, stdin=child, env=environment)
    os.close(child)
    shown = b""
    while True:
        try:
            chunk = os.read(parent, 65536)
        except OSError:  # the terminal is gone when the process has ended
            break
        if not chunk:
            break
        shown += chunk
    os.close(parent)
    assert process.wait(60) == 0
    return shown.decode()


@pytest.mark.parametrize("no_color", [{}, {"NO_COLOR": "1"}])
def test_check_draws_on_a_terminal(no_color):
    shown = in_terminal("check", SOFTMAX, **no_color)
    assert "│" in shown
    assert not (no_color and re.search(r"\x1b\[[0-9;]*3[0-9]m", shown))


def test_a_fit_shows_a_bar_on_a_terminal_only():
    words = ["fit", LINEAR, "--data", BOSTON, *BINDINGS, "--iterations", "300"]
    assert "‖∇L‖" in in_terminal(*words)
    assert "‖∇L‖" not in spawn(*words).stderr
