"""The exercises of notebook 01, before Transformers."""

import torch

from course.exercises.inputs import randn
from course.models.recurrent import GRU, LSTM, gru_step, last_states, lstm_step, read_in_chunks, rnn_step
from course.studies.gradient_flow import clip_by_norm, gradient_norms, spectral_radius, with_spectral_radius
from course.workbook.record import define


def weights(gates: int, width: int = 3, hidden: int = 4, seed: int = 5) -> list[torch.Tensor]:
    """W_ih, W_hh, b_ih and b_hh, none of them near 0, and no two biases alike."""
    shapes = [(gates * hidden, width), (gates * hidden, hidden), (gates * hidden,), (gates * hidden,)]
    return [0.9 * randn(*shape, seed=seed + i) for i, shape in enumerate(shapes)]


def gradients(step, gates: int, states: int) -> list[torch.Tensor]:
    """What reaches input, states and weights from a random mix of what the step gives back."""
    inputs = [
        t.clone().requires_grad_()
        for t in (randn(2, 3), *(randn(2, 4, seed=s + 1) for s in range(states)), *weights(gates))
    ]
    out = step(*(t.clone() for t in inputs))
    out = out if isinstance(out, tuple) else (out,)
    total = sum((randn(*o.shape, seed=40 + i) * o).sum() for i, o in enumerate(out))
    return list(torch.autograd.grad(total, inputs))


# ---- 1.1 one step of an RNN --------------------------------------------------------------------

e = define(
    "1.1",
    rnn_step,
    "One step of an RNN",
    minutes=5,
    difficulty=1,
    parts=[
        ("two sequences at once", 1, lambda f: f(randn(2, 3), randn(2, 4, seed=1), *weights(1))),
        (
            "input and state of one width",
            1,
            lambda f: f(randn(5, 4), randn(5, 4, seed=1), *weights(1, 4, 4, seed=9)),
        ),
        ("one sequence, without a batch", 1, lambda f: f(randn(3), randn(4, seed=1), *weights(1))),
        (
            "in float64",
            1,
            lambda f: f(*(t.double() for t in (randn(2, 3), randn(2, 4, seed=1), *weights(1)))),
        ),
        ("every gradient", 1, lambda f: gradients(f, 1, 1)),
    ],
    hints=[
        "Two linear maps, one of the input and one of the state before; their sum goes through one function that keeps it bounded.",
        "A weight is stored as `[out, in]`, so a row vector is multiplied by its transpose: `x @ w_ih.mT`. Both biases are added.",
        "`torch.tanh(x @ w_ih.mT + b_ih + h @ w_hh.mT + b_hh)`",
    ],
)


def rnn_variant(f=torch.tanh, x_part=lambda x, w: x @ w.mT, h_part=lambda h, w: h @ w.mT, second_bias=True):
    return lambda x, h, w_ih, w_hh, b_ih, b_hh: f(
        x_part(x, w_ih) + b_ih + h_part(h, w_hh) + (b_hh if second_bias else 0)
    )


for name, says, flags in [
    ("no-tanh", "The sum is returned as it is: without tanh the state is not bounded, and many steps are one linear map.", {"f": lambda a: a}),
    ("sigmoid", "The function is a sigmoid; this RNN's is tanh, whose values lie on both sides of 0.", {"f": torch.sigmoid}),
    ("relu", "The function is a ReLU; this RNN's is tanh.", {"f": torch.relu}),
    ("bias-once", "The second bias, b_hh, is left out.", {"second_bias": False}),
    ("transposed", "The state is multiplied by W_hh and not by its transpose: its shape is [out, in], so `h @ w_hh.mT`.", {"h_part": lambda h, w: h @ w}),
    ("no-state", "The state before has no part in the new one: nothing would be remembered.", {"h_part": lambda h, w: 0.0 * h}),
]:  # fmt: skip
    e.mistake(name, says)(rnn_variant(**flags))


@e.mistake("swapped", "W_ih and W_hh have changed places: W_ih belongs to the input, W_hh to the state.")
def _(x, h, w_ih, w_hh, b_ih, b_hh):
    return torch.tanh(x @ w_hh.mT + b_ih + h @ w_ih.mT + b_hh)


@e.mistake(
    "tanh-twice",
    "tanh is taken of each of the two parts and then they are added; it belongs around their sum.",
)
def _(x, h, w_ih, w_hh, b_ih, b_hh):
    return torch.tanh(x @ w_ih.mT + b_ih) + torch.tanh(h @ w_hh.mT + b_hh)


# ---- 1.2 one step of an LSTM -------------------------------------------------------------------

e = define(
    "1.2",
    lstm_step,
    "One step of an LSTM",
    minutes=12,
    difficulty=2,
    parts=[
        ("two sequences at once", 2, lambda f: f(randn(2, 3), randn(2, 4, seed=1), 2 * randn(2, 4, seed=2), *weights(4))),
        ("one sequence, without a batch", 1, lambda f: f(randn(3), randn(4, seed=1), randn(4, seed=2), *weights(4))),
        ("a cell that holds much", 1, lambda f: f(randn(1, 3), randn(1, 4, seed=1), 9 + randn(1, 4, seed=2), *weights(4, seed=11))),
        ("in float64", 1, lambda f: f(*(t.double() for t in (randn(2, 3), randn(2, 4, seed=1), randn(2, 4, seed=2), *weights(4))))),
        ("every gradient", 1, lambda f: gradients(f, 4, 2)),
    ],
    hints=[
        "All four gates come from one sum, as in exercise 1.1 without the tanh, four times as wide. Then the cell: what of the old stays, what of the new comes in. Last, what it says.",
        "`i, f, g, o = (...).chunk(4, dim=-1)`: three of them go through a sigmoid, the candidate g through tanh. The new c is made first; h is made from the new c.",
        "`c = f.sigmoid() * c + i.sigmoid() * g.tanh()`, then return `o.sigmoid() * c.tanh(), c`.",
    ],
)  # fmt: skip


def lstm_variant(
    order="ifgo",
    candidate=torch.tanh,
    out=torch.tanh,
    coupled=False,
    old=False,
    swap=False,
    bias=True,
    plus=True,
    sees=True,
):
    def wrong(x, h, c, w_ih, w_hh, b_ih, b_hh):
        sums = x @ w_ih.mT + b_ih + (h @ w_hh.mT if sees else 0) + (b_hh if bias else 0)
        gate = dict(zip(order, sums.chunk(4, -1), strict=True))
        i, f, o, g = gate["i"].sigmoid(), gate["f"].sigmoid(), gate["o"].sigmoid(), candidate(gate["g"])
        new = (f * c if plus else f) + (1 - f if coupled else i) * g
        said = o * out(c if old else new)
        return (new, said) if swap else (said, new)

    return wrong


for name, says, flags in [
    ("order-ifog", "The candidate and the output gate have changed places: torch's order is i, f, g, o (char-rnn's is i, f, o, g).", {"order": "ifog"}),
    ("order-figo", "The forget and the input gate have changed places: torch's order is i, f, g, o.", {"order": "figo"}),
    ("no-tanh-candidate", "The candidate goes into the cell as it is: it is tanh(g).", {"candidate": lambda g: g}),
    ("sigmoid-candidate", "The candidate goes through a sigmoid like a gate, so that nothing can ever be subtracted: it is tanh(g).", {"candidate": torch.sigmoid}),
    ("no-tanh-out", "h is o · c; it is o · tanh(c).", {"out": lambda c: c}),
    ("old-cell", "h is made from the cell as it was before this step; it is made from the new one.", {"old": True}),
    ("coupled", "The input gate is taken to be 1 - f; it is a gate of its own, i.", {"coupled": True}),
    ("returned-c-h", "The cell is returned first; the order is (h, c).", {"swap": True}),
    ("bias-once", "The second bias, b_hh, is left out.", {"bias": False}),
    ("forgets-old", "The forget gate is added to the new content, and the old cell is gone: it is f · c + i · tanh(g).", {"plus": False}),
    ("blind", "The gates do not see h: they are made from the input and the state before.", {"sees": False}),
]:  # fmt: skip
    e.mistake(name, says)(lstm_variant(**flags))

# ---- 1.3 one step of a GRU ---------------------------------------------------------------------

e = define(
    "1.3",
    gru_step,
    "One step of a GRU",
    minutes=12,
    difficulty=2,
    parts=[
        ("two sequences at once", 2, lambda f: f(randn(2, 3), randn(2, 4, seed=1), *weights(3))),
        ("one sequence, without a batch", 1, lambda f: f(randn(3), randn(4, seed=1), *weights(3))),
        ("a reset gate that is nearly shut", 1, lambda f: f(randn(3, 3), randn(3, 4, seed=1), *shut())),
        ("in float64", 1, lambda f: f(*(t.double() for t in (randn(2, 3), randn(2, 4, seed=1), *weights(3))))),
        ("every gradient", 1, lambda f: gradients(f, 3, 1)),
    ],
    hints=[
        "Keep the two products apart, that of the input and that of the state: the gates r and z add their thirds, the candidate does something else with them.",
        "In torch's GRU the reset gate multiplies the state's third of the product, its bias included: `n_x + r * n_h`. And z says how much of the OLD state stays.",
        "`r_x, z_x, n_x = (x @ w_ih.mT + b_ih).chunk(3, -1)`, the same for h; `n = (n_x + r * n_h).tanh()`; return `(1 - z) * n + z * h`.",
    ],
)  # fmt: skip


def shut() -> list[torch.Tensor]:
    w_ih, w_hh, b_ih, b_hh = weights(3, seed=21)
    return [w_ih, w_hh, b_ih - torch.tensor([3.0] * 4 + [0.0] * 8), b_hh]


def gru_variant(order="rzn", place="torch", keep="z", squash=torch.tanh, bias=True):
    def wrong(x, h, w_ih, w_hh, b_ih, b_hh):
        b_hh = b_hh if bias else 0 * b_hh
        of_x = dict(zip(order, (x @ w_ih.mT + b_ih).chunk(3, -1), strict=True))
        of_h = dict(zip(order, (h @ w_hh.mT + b_hh).chunk(3, -1), strict=True))
        r, z = (of_x["r"] + of_h["r"]).sigmoid(), (of_x["z"] + of_h["z"]).sigmoid()
        w_n, b_n = w_hh.chunk(3)[order.index("n")], b_hh.chunk(3)[order.index("n")]
        state = {
            "torch": lambda: of_x["n"] + r * of_h["n"],
            "before": lambda: of_x["n"] + (r * h) @ w_n.mT + b_n,
            "both": lambda: r * (of_x["n"] + of_h["n"]),
            "bias outside": lambda: of_x["n"] + r * (h @ w_n.mT) + b_n,
            "none": lambda: of_x["n"] + of_h["n"],
        }[place]()
        n = squash(state)
        return (1 - z) * n + z * h if keep == "z" else z * n + (1 - z) * h

    return wrong


for name, says, flags in [
    ("reset-first", "The reset gate acts on the state before the product (the paper's way); torch's acts behind it: r · (U h + b).", {"place": "before"}),
    ("update-reversed", "z and 1 - z have changed places: here z says how much of the old state stays.", {"keep": "1-z"}),
    ("reset-first-and-reversed", "Two differences: the reset gate acts before the product, and z and 1 - z have changed places (char-rnn's GRU).", {"place": "before", "keep": "1-z"}),
    ("reset-on-both", "The reset gate also acts on the input's part; it is for what comes from the state alone.", {"place": "both"}),
    ("bias-outside", "The state's bias is added outside the reset gate; r multiplies U h + b, bias included.", {"place": "bias outside"}),
    ("no-reset", "The reset gate is not used.", {"place": "none"}),
    ("order-zrn", "The reset and the update gate have changed places: torch's order is r, z, n.", {"order": "zrn"}),
    ("sigmoid-candidate", "The candidate goes through a sigmoid; it is a tanh, whose values lie on both sides of 0.", {"squash": torch.sigmoid}),
    ("bias-once", "The second bias, b_hh, is left out.", {"bias": False}),
]:  # fmt: skip
    e.mistake(name, says)(gru_variant(**flags))

# ---- 1.4 the gradient through time -------------------------------------------------------------


def slopes(time: int, hidden: int, seed: int = 0) -> torch.Tensor:
    return randn(time, hidden, seed=seed).sigmoid()


e = define(
    "1.4",
    gradient_norms,
    "The gradient on its way back",
    minutes=15,
    difficulty=3,
    parts=[
        ("five steps of three units", 2, lambda f: f(randn(3, 3), slopes(5, 3))),
        ("without a function: all slopes 1", 1, lambda f: f(randn(4, 4, seed=2), torch.ones(3, 4))),
        ("one step", 1, lambda f: f(randn(3, 3, seed=3), slopes(1, 3, seed=4))),
        ("one unit", 1, lambda f: f(torch.tensor([[-1.7]]), slopes(4, 1, seed=5))),
        ("in float64", 1, lambda f: f(randn(3, 3, seed=6).double(), slopes(4, 3, seed=7).double())),
    ],
    hints=[
        "By the chain rule ∂h_T/∂h_t is a product: one matrix for each step from t + 1 to T. What is the matrix of one step, if h_t = f(W h_{t-1} + ...)? Which of them stands leftmost?",
        "One step is diag(f') W: each ROW of W is multiplied by the slope of its unit. Begin at the end with the identity and multiply on the RIGHT by the step before: J_T, then J_T J_{T-1}, ...",
        "`product = torch.eye(...)`; for each slope of `slopes.flip(0)`: `product = product @ (slope[:, None] * w_hh)`; collect `torch.linalg.matrix_norm(product, 2)`, the identity's first, and turn the list round at the end.",
    ],
)  # fmt: skip


def norms_variant(jacobian=lambda w, s: s[:, None] * w, join=lambda product, j: product @ j,
                  norm=lambda m: torch.linalg.matrix_norm(m, 2), turn=True, start=True):  # fmt: skip
    def wrong(w_hh, slopes):
        product = torch.eye(len(w_hh), dtype=w_hh.dtype)
        found = [norm(product)]
        for slope in slopes.flip(0):
            product = join(product, jacobian(w_hh, slope))
            found.append(norm(product))
        found = found if start else found[1:]
        return torch.stack(found[::-1] if turn else found)

    return wrong


for name, says, flags in [
    ("each-step", "These are the norms of the single steps; ∂h_T/∂h_t is the product of all steps from t + 1 to T.", {"join": lambda product, j: j}),
    ("no-slope", "The slopes f' are left out: one step is diag(f') W, not W alone.", {"jacobian": lambda w, s: w}),
    ("order", "The product is in the wrong order: the latest step stands leftmost, J_T · J_{T-1} · ... (matrices do not commute).", {"join": lambda product, j: j @ product}),
    ("columns", "The slopes multiply the columns of W; the slope belongs to the unit that comes out, so to the rows.", {"jacobian": lambda w, s: w * s}),
    ("transposed", "W is transposed: row i of W_hh is what makes unit i.", {"jacobian": lambda w, s: s[:, None] * w.mT}),
    ("frobenius", "This is the root of the sum of all squares (Frobenius); what one step can do at most is the largest singular value.", {"norm": torch.linalg.matrix_norm}),
    ("radius", "This is the largest |eigenvalue| of the product; the norm asked for is its largest singular value.", {"norm": lambda m: torch.linalg.eigvals(m).abs().max()}),
    ("from-the-end", "The list begins at the end: entry t is the norm for h_t, so the last entry is 1.", {"turn": False}),
    ("no-last", "The last entry is missing: ∂h_T/∂h_T is the identity, of norm 1.", {"start": False}),
]:  # fmt: skip
    e.mistake(name, says)(norms_variant(**flags))


@e.mistake(
    "product-of-norms",
    "The norms of the steps are multiplied; that is an upper bound. Multiply the matrices, then take the norm.",
)
def _(w_hh, slopes):
    steps = torch.stack([torch.linalg.matrix_norm(s[:, None] * w_hh, 2) for s in slopes.flip(0)])
    return torch.cat([torch.ones(1, dtype=w_hh.dtype), steps.cumprod(0)]).flip(0)


# ---- 1.5 the spectral radius -------------------------------------------------------------------


def refuses(f) -> str:
    """Whether a matrix without eigenvalues but 0 is refused; what a matrix of nan would do is worse."""
    try:
        f(torch.tensor([[0.0, 1.0], [0.0, 0.0]]), 0.5)
    except ValueError:
        return "a ValueError"
    return "no error"


e = define(
    "1.5",
    with_spectral_radius,
    "A matrix of the radius you want",
    minutes=6,
    difficulty=1,
    parts=[
        ("a random matrix", 1, lambda f: f(randn(5, 5), 0.9)),
        (
            "a turn: its eigenvalues have no real part",
            1,
            lambda f: f(torch.tensor([[0.0, -3.0], [3.0, 0.0]]), 1.5),
        ),
        (
            "a lopsided one: norm and radius far apart",
            1,
            lambda f: f(torch.tensor([[0.5, 8.0], [0.0, -0.25]]), 0.7),
        ),
        ("all eigenvalues 0: a ValueError, as promised", 1, refuses),
        ("in float64", 1, lambda f: f(randn(3, 3, seed=2).double(), 1.25)),
    ],
    hints=[
        "All eigenvalues of c · W are c times those of W. So you need one number.",
        "`spectral_radius(w)` gives the radius as it is. What does it have to be multiplied by to become `radius`? And for which matrix is there no answer?",
        "`now = spectral_radius(w)`; if it is 0, raise a ValueError; else return `w * (radius / now)`.",
    ],
)


def eigenvalues(w):
    return torch.linalg.eigvals(w)


def radius_variant(size, target=True, checked=True):
    def wrong(w, radius):
        now = size(w)
        if checked and spectral_radius(w) == 0:
            raise ValueError("all eigenvalues are 0")
        return w * ((radius if target else 1.0) / now)

    return wrong


for name, says, size in [
    ("norm", "W is divided by its norm (largest singular value); the spectral radius is the largest |eigenvalue|.", lambda w: torch.linalg.matrix_norm(w, 2).item()),
    ("frobenius", "W is divided by the root of the sum of its squares; the spectral radius is the largest |eigenvalue|.", lambda w: w.norm().item()),
    ("real-part", "W is divided by the largest real part of an eigenvalue; complex ones count by their modulus |λ|.", lambda w: eigenvalues(w).real.max().item() or 1e-3),
    ("sum", "W is divided by the sum of the |eigenvalues|, not by the largest.", lambda w: eigenvalues(w).abs().sum().item()),
    ("smallest", "W is divided by the smallest |eigenvalue|, not by the largest.", lambda w: eigenvalues(w).abs().min().item()),
    ("largest-entry", "W is divided by its largest entry; its eigenvalues are something else.", lambda w: w.abs().max().item()),
    ("not-divided", "W is multiplied by the radius but not divided by the one it has.", lambda w: 1.0),
]:  # fmt: skip
    e.mistake(name, says)(radius_variant(size))
e.mistake("not-multiplied", "W is divided by its spectral radius but not multiplied by the one asked for.")(
    radius_variant(spectral_radius, target=False)
)


@e.mistake(
    "no-check", "Right, but for a matrix whose eigenvalues are all 0 the docstring promises a ValueError."
)
def _(w, radius):
    return w * (radius / max(spectral_radius(w), 1e-30))


# ---- 1.6 clipping ------------------------------------------------------------------------------


def some_gradients(scale: float = 1.0) -> list[torch.Tensor]:
    return [scale * randn(2, 3), scale * randn(5, seed=1), scale * 0.1 * randn(1, 4, seed=2)]


def length(gradients) -> torch.Tensor:
    return torch.cat([g.flatten() for g in gradients]).norm()


e = define(
    "1.6",
    clip_by_norm,
    "Clipping a gradient",
    minutes=8,
    difficulty=2,
    parts=[
        ("three gradients that are too long", 2, lambda f: f(some_gradients(3.0), 1.5)),
        ("three that are short enough", 1, lambda f: f(some_gradients(0.1), 1.5)),
        ("one gradient", 1, lambda f: f([2 * randn(7, seed=4)], 0.25)),
        ("a gradient of zeros", 1, lambda f: f([torch.zeros(3), torch.zeros(2, 2)], 1.0)),
        ("in float64", 1, lambda f: f([g.double() for g in some_gradients(3.0)], 0.7)),
    ],
    hints=[
        "Think of all gradients laid end to end as one long vector. How long is it? What happens to its direction if each tensor is shortened by itself?",
        "Its norm is the root of the sum of the squares of ALL entries of all tensors. The factor is max_norm / norm, but never above 1.",
        "`norm = torch.stack([g.norm() for g in gradients]).norm()`; `factor = (max_norm / norm).clamp(max=1.0)`; return `[g * factor for g in gradients]`.",
    ],
)  # fmt: skip


def clip_variant(norm=length, factor=lambda limit, n: (limit / n).clamp(max=1.0)):
    return lambda gradients, max_norm: [g * factor(max_norm, norm(gradients)) for g in gradients]


for name, says, flags in [
    ("scales-up", "Gradients that are short enough are lengthened to max_norm; clipping only shortens.", {"factor": lambda limit, n: limit / n if n > 0 else 1.0}),
    ("squared", "The norm is not rooted: the factor is max_norm / ‖g‖, not max_norm / ‖g‖².", {"norm": lambda gs: length(gs) ** 2}),
    ("sum-of-norms", "The lengths of the tensors are added; together they are one vector, whose squares add up.", {"norm": lambda gs: sum(g.norm() for g in gs)}),
    ("mean-square", "The root of the MEAN square is limited; the norm is the root of the SUM of squares.", {"norm": lambda gs: length(gs) / sum(g.numel() for g in gs) ** 0.5}),
    ("absolute", "The sum of absolute values is limited; the norm is the root of the sum of squares.", {"norm": lambda gs: sum(g.abs().sum() for g in gs)}),
    ("longest", "Only the longest tensor decides; the norm is that of all of them together.", {"norm": lambda gs: torch.stack([g.norm() for g in gs]).max()}),
    ("dropped", "A gradient that is too long becomes 0; it should keep its direction and have length max_norm.", {"factor": lambda limit, n: (n <= limit).to(n.dtype)}),
]:  # fmt: skip
    e.mistake(name, says)(clip_variant(**flags))


@e.mistake(
    "each",
    "Each tensor is shortened by itself, which turns the direction of the whole; one factor is for all.",
)
def _(gradients, max_norm):
    return [g * (max_norm / g.norm()).clamp(max=1.0) for g in gradients]


@e.mistake(
    "values",
    "Single entries are cut off at ±max_norm, which turns the direction; it is the norm that is limited.",
)
def _(gradients, max_norm):
    return [g.clamp(-max_norm, max_norm) for g in gradients]


# ---- 1.7 reading in chunks ---------------------------------------------------------------------


def reader(kind=GRU, **settings):
    torch.manual_seed(3)
    return kind(3, 4, **settings)


def reached(f, chunk: int, kind=GRU) -> torch.Tensor:
    """How far back the gradient of each output reaches: [step it is of, step it reaches], summed over features."""
    x = randn(1, 7, 3, seed=1).requires_grad_()
    outputs, _ = f(reader(kind), x, chunk)
    rows = [
        torch.autograd.grad(out.sum(), x, retain_graph=True)[0] if out.requires_grad else torch.zeros_like(x)
        for out in outputs[0]
    ]
    return torch.stack([row[0].sum(-1) for row in rows])


def outputs_and_state(f, kind, batch: int, time: int, chunk: int, **settings):
    outputs, state = f(reader(kind, **settings), randn(batch, time, 3), chunk)
    return outputs, state


e = define(
    "1.7",
    read_in_chunks,
    "Reading in chunks",
    minutes=12,
    difficulty=2,
    parts=[
        ("outputs and state of a GRU", 1, lambda f: outputs_and_state(f, GRU, 2, 7, 3)),
        ("outputs and state of an LSTM of two layers", 1, lambda f: outputs_and_state(f, LSTM, 3, 8, 3, num_layers=2)),
        ("how far the gradient goes back, GRU", 2, lambda f: reached(f, 3)),
        ("how far the gradient goes back, LSTM", 1, lambda f: reached(f, 2, LSTM)),
        ("chunks of one step", 1, lambda f: reached(f, 1)),
        ("one chunk that holds it all", 1, lambda f: reached(f, 99)),
    ],
    hints=[
        "Cut the sequence along time. The module gives back its state: hand it to the next chunk. What must happen to the state in between so that no gradient passes?",
        "`tensor.detach()` has the same values and no history. An LSTM's state is a tuple of two tensors: both carry gradients.",
        "For each `part` of `x.split(chunk, dim=1)`: `output, state = module(part, state)`; then detach the state, a tensor or each tensor of a tuple. `torch.cat` the outputs along time.",
    ],
)  # fmt: skip


def chunks_variant(detach=lambda state: _each(state, torch.Tensor.detach), cut=lambda x, chunk: x.split(chunk, dim=1),
                   join=lambda outputs: torch.cat(outputs, dim=1), carry=True, out=lambda o: o):  # fmt: skip
    def wrong(module, x, chunk):
        outputs, state = [], None
        for part in cut(x, chunk):
            output, state = module(part, state if carry else None)
            state = detach(state)
            outputs.append(out(output))
        return join(outputs), state

    return wrong


def _each(state, f):
    return tuple(map(f, state)) if isinstance(state, tuple) else f(state)


for name, says, flags in [
    ("no-detach", "The state is handed on with its history, so the gradient goes back through everything: detach it.", {"detach": lambda state: state}),
    ("each-step", "The gradient is cut at every single step; it should go back to the beginning of its chunk.", {"cut": lambda x, chunk: x.split(1, dim=1)}),
    ("reset", "Every chunk begins with an empty state: the values should be those of one reading.", {"carry": False}),
    ("number-of-chunks", "The sequence is cut into `chunk` pieces; `chunk` is how many steps each has.", {"cut": lambda x, chunk: x.chunk(chunk, dim=1)}),
    ("rest-lost", "What is left at the end, shorter than a chunk, is not read.", {"cut": lambda x, chunk: x[:, : max(x.shape[1] // chunk * chunk, min(chunk, x.shape[1]))].split(chunk, dim=1)}),
    ("outputs-detached", "The outputs are detached, too: then nothing is learned. Only the state between chunks is.", {"out": lambda o: o.detach()}),
    ("only-h", "Only h is detached; the gradient goes on through an LSTM's cell c.", {"detach": lambda s: (s[0].detach(), s[1]) if isinstance(s, tuple) else s.detach()}),
    ("last-chunk", "Only the outputs of the last chunk are given back.", {"join": lambda outputs: outputs[-1]}),
]:  # fmt: skip
    e.mistake(name, says)(chunks_variant(**flags))

# ---- 1.8 the ends of a reader ------------------------------------------------------------------


def gradient_of_ends(f) -> torch.Tensor:
    outputs = randn(3, 5, 4).requires_grad_()
    (randn(3, 4, seed=8) * f(outputs.clone(), torch.tensor([2, 5, 1]))).sum().backward()
    return outputs.grad


e = define(
    "1.8",
    last_states,
    "What a reader ends with",
    minutes=10,
    difficulty=2,
    parts=[
        ("three sentences of different lengths", 2, lambda f: f(randn(3, 6, 8), torch.tensor([4, 6, 2]))),
        ("none as long as the padding", 1, lambda f: f(randn(2, 7, 4, seed=1), torch.tensor([3, 5]))),
        ("a sentence of one word", 1, lambda f: f(randn(1, 4, 6, seed=2), torch.tensor([1]))),
        ("in float64", 1, lambda f: f(randn(2, 3, 4, seed=3).double(), torch.tensor([3, 2]))),
        ("the gradient", 1, gradient_of_ends),
    ],
    hints=[
        "Two readers share the last axis: the first half reads from the left, the second from the right. Where does each of them stand when it has read the whole sentence?",
        "From the left: at the last real word, place `lengths - 1`, which differs from row to row. From the right: at the first word, place 0. Index with `torch.arange(batch)` beside the lengths.",
        "`forward, backward = outputs.chunk(2, dim=-1)`; `torch.cat([forward[torch.arange(len(outputs)), lengths - 1], backward[:, 0]], dim=-1)`",
    ],
)  # fmt: skip


def at(x, places):
    return x[torch.arange(len(x)), places]


def mean_of(outputs, lengths):
    return torch.stack([row[:n].mean(0) for row, n in zip(outputs, lengths.tolist(), strict=True)])


def split_in_turn(outputs):
    return outputs[..., 0::2], outputs[..., 1::2]


def halves(f, b, split=lambda o: o.chunk(2, dim=-1), first="f"):
    def wrong(outputs, lengths):
        forward, backward = split(outputs)
        ends = [f(forward, lengths), b(backward, lengths)]
        return torch.cat(ends if first == "f" else ends[::-1], dim=-1)

    return wrong


LAST, FIRST = (lambda x, n: at(x, n - 1)), (lambda x, n: x[:, 0])
for name, says, candidate in [
    ("index-1", "Index -1 is taken for both: for most sentences that is padding, and the way back has seen one place there.", halves(lambda x, n: x[:, -1], lambda x, n: x[:, -1])),
    ("forward-in-padding", "The reader from the left is asked at index -1, in the padding; its sentence ended at lengths - 1.", halves(lambda x, n: x[:, -1], FIRST)),
    ("backward-at-end", "The reader from the right is asked at the last word, where it begins; it ends at place 0.", halves(LAST, LAST)),
    ("backward-at-index-1", "The reader from the right is asked at index -1; it ends at place 0.", halves(LAST, lambda x, n: x[:, -1])),
    ("off-by-one", "The reader from the left is asked one place too far: places count from 0, so the last word is at lengths - 1.", halves(lambda x, n: at(x, n), FIRST)),
    ("one-early", "The reader from the left is asked one place too early: the last word is at lengths - 1.", halves(lambda x, n: at(x, (n - 2).clamp(min=0)), FIRST)),
    ("first-both", "Both are asked at place 0, where the reader from the left has seen one word.", halves(FIRST, FIRST)),
    ("swapped", "The reader from the right stands first; forward features come first, as in the outputs.", halves(LAST, FIRST, first="b")),
    ("in-turn", "The features are dealt out in turn; the first half of them belongs to the reader from the left.", halves(LAST, FIRST, split=split_in_turn)),
    ("mean", "This is the mean over all places, padding included; what a reader ends with is one state.", lambda outputs, lengths: outputs.mean(1)),
    ("mean-real", "This is the mean over the words; what a reader ends with is its last state.", mean_of),
]:  # fmt: skip
    e.mistake(name, says)(candidate)
