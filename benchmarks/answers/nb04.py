"""Answers to the exercises of notebook 04, as people write them; none was made with a look at the checks."""

# %% 4.1 wrong | all sines stand first and all cosines after them, instead of in turn
@exercise("4.1")
def sinusoidal_positions(n: int, d_model: int) -> Float[Tensor, "n d_model"]:
    if d_model % 2 or d_model <= 0 or n < 0:
        raise ValueError("sizes")
    angle = torch.arange(n)[:, None] / 10000 ** (torch.arange(0, d_model, 2) / d_model)
    return torch.cat([angle.sin(), angle.cos()], dim=-1)

# %% 4.1 wrong | takes i for the dimension instead of the pair, so the exponent is 2 · dimension / d_model
@exercise("4.1")
def sinusoidal_positions(n: int, d_model: int) -> Float[Tensor, "n d_model"]:
    if d_model % 2 or d_model <= 0 or n < 0:
        raise ValueError("sizes")
    pe = torch.zeros(n, d_model)
    for pos in range(n):
        for i in range(d_model):
            angle = pos / 10000 ** (2 * i / d_model)
            pe[pos, i] = math.sin(angle) if i % 2 == 0 else math.cos(angle)
    return pe

# %% 4.1 wrong | each dimension has a speed of its own, 10000^(dimension / d_model), so sine and cosine of a pair turn differently
@exercise("4.1")
def sinusoidal_positions(n: int, d_model: int) -> Float[Tensor, "n d_model"]:
    if d_model % 2 or d_model <= 0 or n < 0:
        raise ValueError("sizes")
    angle = torch.arange(n)[:, None] / 10000 ** (torch.arange(d_model) / d_model)
    angle[:, 0::2] = torch.sin(angle[:, 0::2])
    angle[:, 1::2] = torch.cos(angle[:, 1::2])
    return angle

# %% 4.1 wrong | positions count from 1 instead of 0
@exercise("4.1")
def sinusoidal_positions(n: int, d_model: int) -> Float[Tensor, "n d_model"]:
    if d_model % 2 or d_model <= 0 or n < 0:
        raise ValueError("sizes")
    angle = torch.arange(1, n + 1)[:, None] / 10000 ** (torch.arange(0, d_model, 2) / d_model)
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)

# %% 4.1 wrong | sine and cosine are swapped: cosines at the even places
@exercise("4.1")
def sinusoidal_positions(n: int, d_model: int) -> Float[Tensor, "n d_model"]:
    if d_model % 2 or d_model <= 0 or n < 0:
        raise ValueError("sizes")
    angle = torch.arange(n)[:, None] / 10000 ** (torch.arange(0, d_model, 2) / d_model)
    pe = torch.zeros(n, d_model)
    pe[:, 0::2] = angle.cos()
    pe[:, 1::2] = angle.sin()
    return pe

# %% 4.1 wrong | the 2 in the exponent is forgotten: 10000^(i / d_model) for pair i
@exercise("4.1")
def sinusoidal_positions(n: int, d_model: int) -> Float[Tensor, "n d_model"]:
    if d_model % 2 or d_model <= 0 or n < 0:
        raise ValueError("sizes")
    angle = torch.arange(n)[:, None] / 10000 ** (torch.arange(d_model // 2) / d_model)
    pe = torch.zeros(n, d_model)
    pe[:, 0::2] = angle.sin()
    pe[:, 1::2] = angle.cos()
    return pe

# %% 4.1 wrong | the base is 1000 instead of 10000
@exercise("4.1")
def sinusoidal_positions(n: int, d_model: int) -> Float[Tensor, "n d_model"]:
    if d_model % 2 or d_model <= 0 or n < 0:
        raise ValueError("sizes")
    angle = torch.arange(n)[:, None] / 1000 ** (torch.arange(0, d_model, 2) / d_model)
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)

# %% 4.1 wrong | multiplies the position by 10000^(2i/d) instead of dividing: the minus in the exponent is missing
@exercise("4.1")
def sinusoidal_positions(n: int, d_model: int) -> Float[Tensor, "n d_model"]:
    if d_model % 2 or d_model <= 0 or n < 0:
        raise ValueError("sizes")
    div_term = torch.exp(torch.arange(0, d_model, 2) * (math.log(10000.0) / d_model))
    angle = torch.arange(n).unsqueeze(1) * div_term
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)

# %% 4.1 wrong | the table lies on its side: [d_model, n]
@exercise("4.1")
def sinusoidal_positions(n: int, d_model: int) -> Float[Tensor, "n d_model"]:
    if d_model % 2 or d_model <= 0 or n < 0:
        raise ValueError("sizes")
    angle = torch.arange(n) / 10000 ** (torch.arange(0, d_model, 2)[:, None] / d_model)
    return torch.stack([angle.sin(), angle.cos()], dim=1).flatten(0, 1)

# %% 4.1 wrong | an odd d_model is not refused: it gives a table with one sine more
@exercise("4.1")
def sinusoidal_positions(n: int, d_model: int) -> Float[Tensor, "n d_model"]:
    if n < 0 or d_model < 1:
        raise ValueError("sizes")
    angle = torch.arange(n)[:, None] / 10000 ** (torch.arange(0, d_model, 2) / d_model)
    pe = torch.zeros(n, d_model)
    pe[:, 0::2] = angle.sin()
    pe[:, 1::2] = angle[:, : d_model // 2].cos()
    return pe

# %% 4.1 wrong | a negative n gives an empty table instead of a ValueError
@exercise("4.1")
def sinusoidal_positions(n: int, d_model: int) -> Float[Tensor, "n d_model"]:
    if d_model % 2 or d_model <= 0:
        raise ValueError("d_model")
    rows = []
    for pos in range(n):
        row = []
        for i in range(d_model // 2):
            angle = pos / 10000 ** (2 * i / d_model)
            row += [math.sin(angle), math.cos(angle)]
        rows.append(row)
    return torch.tensor(rows).reshape(-1, d_model)

# %% 4.1 wrong | integer division in the exponent makes it 0 for every pair, so all turn at the same speed
@exercise("4.1")
def sinusoidal_positions(n: int, d_model: int) -> Float[Tensor, "n d_model"]:
    if d_model % 2 or d_model <= 0 or n < 0:
        raise ValueError("sizes")
    angle = torch.arange(n)[:, None] / 10000.0 ** (torch.arange(0, d_model, 2) // d_model)
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)

# %% 4.1 wrong | has a batch axis of length 1 in front: [1, n, d_model]
@exercise("4.1")
def sinusoidal_positions(n: int, d_model: int) -> Float[Tensor, "n d_model"]:
    if d_model % 2 or d_model <= 0 or n < 0:
        raise ValueError("sizes")
    pe = torch.zeros(n, d_model)
    position = torch.arange(0, n, dtype=torch.float).unsqueeze(1)
    div_term = torch.exp(torch.arange(0, d_model, 2).float() * (-math.log(10000.0) / d_model))
    pe[:, 0::2] = torch.sin(position * div_term)
    pe[:, 1::2] = torch.cos(position * div_term)
    return pe.unsqueeze(0)

# %% 4.1 wrong | takes the angles for degrees instead of radians
@exercise("4.1")
def sinusoidal_positions(n: int, d_model: int) -> Float[Tensor, "n d_model"]:
    if d_model % 2 or d_model <= 0 or n < 0:
        raise ValueError("sizes")
    angle = torch.deg2rad(torch.arange(n)[:, None] / 10000 ** (torch.arange(0, d_model, 2) / d_model))
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)

# %% 4.1 wrong | gives a list of lists of numbers instead of a tensor
@exercise("4.1")
def sinusoidal_positions(n: int, d_model: int) -> Float[Tensor, "n d_model"]:
    if d_model % 2 or d_model <= 0 or n < 0:
        raise ValueError("sizes")
    f = lambda pos, c: (math.cos if c % 2 else math.sin)(pos / 10000 ** ((c - c % 2) / d_model))
    return [[f(pos, c) for c in range(d_model)] for pos in range(n)]

# %% 4.1 wrong | the exponent is divided by the number of pairs, d_model / 2, instead of d_model
@exercise("4.1")
def sinusoidal_positions(n: int, d_model: int) -> Float[Tensor, "n d_model"]:
    if d_model % 2 or d_model <= 0 or n < 0:
        raise ValueError("sizes")
    half = d_model // 2
    angle = torch.arange(n)[:, None] / 10000 ** (torch.arange(0, d_model, 2) / half)
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)

# %% 4.1 wrong | sines at all places: the cosine is missing
@exercise("4.1")
def sinusoidal_positions(n: int, d_model: int) -> Float[Tensor, "n d_model"]:
    if d_model % 2 or d_model <= 0 or n < 0:
        raise ValueError("sizes")
    angle = torch.arange(n)[:, None] / 10000 ** (torch.arange(0, d_model, 2) / d_model)
    return angle.sin().repeat_interleave(2, dim=1)

# %% 4.1 right | stack and flatten
@exercise("4.1")
def sinusoidal_positions(n: int, d_model: int) -> Float[Tensor, "n d_model"]:
    if d_model % 2 or d_model <= 0:
        raise ValueError(f"d_model is {d_model}, it must be even and positive")
    if n < 0:
        raise ValueError("n must not be negative")
    angle = torch.arange(n)[:, None] / 10000 ** (torch.arange(0, d_model, 2) / d_model)
    return torch.stack([angle.sin(), angle.cos()], dim=-1).reshape(n, d_model)

# %% 4.1 right | exp of logarithms, slices of a table of zeros
@exercise("4.1")
def sinusoidal_positions(n: int, d_model: int) -> Float[Tensor, "n d_model"]:
    if n < 0 or d_model < 2 or d_model % 2 == 1:
        raise ValueError("sizes")
    pe = torch.zeros(n, d_model)
    position = torch.arange(0, n, dtype=torch.float).unsqueeze(1)
    div_term = torch.exp(torch.arange(0, d_model, 2).float() * (-math.log(10000.0) / d_model))
    pe[:, 0::2] = torch.sin(position * div_term)
    pe[:, 1::2] = torch.cos(position * div_term)
    return pe

# %% 4.1 right | loops over positions and pairs
@exercise("4.1")
def sinusoidal_positions(n: int, d_model: int) -> Float[Tensor, "n d_model"]:
    if n < 0:
        raise ValueError("n")
    if d_model <= 0 or d_model % 2 != 0:
        raise ValueError("d_model")
    table = torch.empty(n, d_model)
    for pos in range(n):
        for i in range(d_model // 2):
            angle = pos / 10000 ** (2 * i / d_model)
            table[pos, 2 * i] = math.sin(angle)
            table[pos, 2 * i + 1] = math.cos(angle)
    return table

# %% 4.1 right | a cosine is a sine a quarter turn on
@exercise("4.1")
def sinusoidal_positions(n: int, d_model: int) -> Float[Tensor, "n d_model"]:
    if d_model % 2 or d_model <= 0 or n < 0:
        raise ValueError("n >= 0, and d_model even and positive")
    column = torch.arange(d_model)
    speed = 10000.0 ** (-(column // 2 * 2) / d_model)
    return torch.sin(torch.outer(torch.arange(n, dtype=torch.float64), speed.double()) + column % 2 * (math.pi / 2)).float()

# %% 4.1 right | complex numbers
@exercise("4.1")
def sinusoidal_positions(n: int, d_model: int) -> Float[Tensor, "n d_model"]:
    if d_model % 2 or d_model <= 0 or n < 0:
        raise ValueError("sizes")
    speed = 10000 ** -(torch.arange(d_model // 2) * 2 / d_model)
    turn = torch.exp(1j * torch.outer(torch.arange(n).float(), speed))
    return torch.stack((turn.imag, turn.real), -1).flatten(-2)

# %% 4.2 wrong | turns the other way: the signs of the sines are swapped, so it moves k places back
@exercise("4.2")
def shift_matrix(k: float, d_model: int) -> Float[Tensor, "d_model d_model"]:
    if d_model % 2 or d_model <= 0:
        raise ValueError("d_model")
    w = 10000 ** -(torch.arange(0, d_model, 2) / d_model)
    c, s = (k * w).cos(), (k * w).sin()
    return torch.block_diag(*torch.stack([c, -s, s, c], -1).view(-1, 2, 2))

# %% 4.2 wrong | gives the transpose, for rows multiplied from the left
@exercise("4.2")
def shift_matrix(k: float, d_model: int) -> Float[Tensor, "d_model d_model"]:
    if d_model % 2 or d_model <= 0:
        raise ValueError("d_model")
    R = torch.zeros(d_model, d_model)
    for i in range(d_model // 2):
        a = k / 10000 ** (2 * i / d_model)
        R[2 * i : 2 * i + 2, 2 * i : 2 * i + 2] = torch.tensor(
            [[math.cos(a), math.sin(a)], [-math.sin(a), math.cos(a)]]
        ).T
    return R

# %% 4.2 wrong | all pairs turn by k, without their frequency
@exercise("4.2")
def shift_matrix(k: float, d_model: int) -> Float[Tensor, "d_model d_model"]:
    if d_model % 2 or d_model <= 0:
        raise ValueError("d_model")
    block = torch.tensor([[math.cos(k), math.sin(k)], [-math.sin(k), math.cos(k)]])
    return torch.block_diag(*[block] * (d_model // 2))

# %% 4.2 wrong | pairs feature i with feature i + d_model / 2 instead of neighbours
@exercise("4.2")
def shift_matrix(k: float, d_model: int) -> Float[Tensor, "d_model d_model"]:
    if d_model % 2 or d_model <= 0:
        raise ValueError("d_model")
    h = d_model // 2
    a = k * 10000 ** -(torch.arange(h) * 2 / d_model)
    c, s = a.cos().diag(), a.sin().diag()
    return torch.cat([torch.cat([c, s], 1), torch.cat([-s, c], 1)], 0)

# %% 4.2 wrong | both off-diagonal entries of a block have a plus, so it is not a rotation
@exercise("4.2")
def shift_matrix(k: float, d_model: int) -> Float[Tensor, "d_model d_model"]:
    if d_model % 2 or d_model <= 0:
        raise ValueError("d_model")
    w = 10000 ** -(torch.arange(0, d_model, 2) / d_model)
    c, s = (k * w).cos(), (k * w).sin()
    return torch.block_diag(*torch.stack([c, s, s, c], -1).view(-1, 2, 2))

# %% 4.2 wrong | sine and cosine are swapped in every block
@exercise("4.2")
def shift_matrix(k: float, d_model: int) -> Float[Tensor, "d_model d_model"]:
    if d_model % 2 or d_model <= 0:
        raise ValueError("d_model")
    R = torch.zeros(d_model, d_model)
    for i in range(0, d_model, 2):
        a = k / 10000 ** (i / d_model)
        R[i, i] = R[i + 1, i + 1] = math.sin(a)
        R[i, i + 1], R[i + 1, i] = math.cos(a), -math.cos(a)
    return R

# %% 4.2 wrong | takes i for the dimension, so the exponent of pair i is 4i / d_model
@exercise("4.2")
def shift_matrix(k: float, d_model: int) -> Float[Tensor, "d_model d_model"]:
    if d_model % 2 or d_model <= 0:
        raise ValueError("d_model")
    R = torch.zeros(d_model, d_model)
    for i in range(0, d_model, 2):
        a = k / 10000 ** (2 * i / d_model)
        R[i, i] = R[i + 1, i + 1] = math.cos(a)
        R[i, i + 1], R[i + 1, i] = math.sin(a), -math.sin(a)
    return R

# %% 4.2 wrong | the 2 in the exponent is forgotten: 10000^(i / d_model) for pair i
@exercise("4.2")
def shift_matrix(k: float, d_model: int) -> Float[Tensor, "d_model d_model"]:
    if d_model % 2 or d_model <= 0:
        raise ValueError("d_model")
    R = torch.zeros(d_model, d_model)
    for i in range(d_model // 2):
        a = k / 10000 ** (i / d_model)
        j = 2 * i
        R[j, j] = R[j + 1, j + 1] = math.cos(a)
        R[j, j + 1], R[j + 1, j] = math.sin(a), -math.sin(a)
    return R

# %% 4.2 wrong | cuts k down to a whole number
@exercise("4.2")
def shift_matrix(k: float, d_model: int) -> Float[Tensor, "d_model d_model"]:
    if d_model % 2 or d_model <= 0:
        raise ValueError("d_model")
    w = 10000 ** -(torch.arange(0, d_model, 2) / d_model)
    c, s = (int(k) * w).cos(), (int(k) * w).sin()
    return torch.block_diag(*torch.stack([c, s, -s, c], -1).view(-1, 2, 2))

# %% 4.2 wrong | the k-th power of the matrix for one step: fails for a k that is not whole
def one_step(d_model):
    w = 10000 ** -(torch.arange(0, d_model, 2) / d_model)
    return torch.block_diag(*torch.stack([w.cos(), w.sin(), -w.sin(), w.cos()], -1).view(-1, 2, 2))


@exercise("4.2")
def shift_matrix(k: float, d_model: int) -> Float[Tensor, "d_model d_model"]:
    if d_model % 2 or d_model <= 0:
        raise ValueError("d_model")
    return torch.linalg.matrix_power(one_step(d_model), k)

# %% 4.2 wrong | multiplies one-step matrices in a loop, which does nothing for a negative k
@exercise("4.2")
def shift_matrix(k: float, d_model: int) -> Float[Tensor, "d_model d_model"]:
    if d_model % 2 or d_model <= 0:
        raise ValueError("d_model")
    w = 10000 ** -(torch.arange(0, d_model, 2) / d_model)
    step = torch.block_diag(*torch.stack([w.cos(), w.sin(), -w.sin(), w.cos()], -1).view(-1, 2, 2))
    R = torch.eye(d_model)
    for _ in range(int(k)):
        R = step @ R
    return R

# %% 4.2 wrong | loses the sign of k
@exercise("4.2")
def shift_matrix(k: float, d_model: int) -> Float[Tensor, "d_model d_model"]:
    if d_model % 2 or d_model <= 0:
        raise ValueError("d_model")
    w = 10000 ** -(torch.arange(0, d_model, 2) / d_model)
    a = abs(k) * w
    return torch.block_diag(*torch.stack([a.cos(), a.sin(), -a.sin(), a.cos()], -1).view(-1, 2, 2))

# %% 4.2 wrong | gives the blocks [d_model / 2, 2, 2] and not the whole matrix
@exercise("4.2")
def shift_matrix(k: float, d_model: int) -> Float[Tensor, "d_model d_model"]:
    if d_model % 2 or d_model <= 0:
        raise ValueError("d_model")
    w = 10000 ** -(torch.arange(0, d_model, 2) / d_model)
    a = k * w
    return torch.stack([a.cos(), a.sin(), -a.sin(), a.cos()], -1).view(-1, 2, 2)

# %% 4.2 wrong | moves on by k + 1: counts the positions from 1
@exercise("4.2")
def shift_matrix(k: float, d_model: int) -> Float[Tensor, "d_model d_model"]:
    if d_model % 2 or d_model <= 0:
        raise ValueError("d_model")
    w = 10000 ** -(torch.arange(0, d_model, 2) / d_model)
    a = (k + 1) * w
    return torch.block_diag(*torch.stack([a.cos(), a.sin(), -a.sin(), a.cos()], -1).view(-1, 2, 2))

# %% 4.2 wrong | fits the matrix by least squares on some positions, which finds another matrix when d_model is large, and takes only whole k
from course.positions import sinusoidal_positions


@exercise("4.2")
def shift_matrix(k: float, d_model: int) -> Float[Tensor, "d_model d_model"]:
    if d_model % 2 or d_model <= 0:
        raise ValueError("d_model")
    k = int(k)
    table = sinusoidal_positions(200 + abs(k), d_model)
    before, after = (table[:200], table[k : k + 200]) if k >= 0 else (table[-k:], table[:200])
    return torch.linalg.lstsq(before, after).solution.T

# %% 4.2 wrong | an odd d_model is not refused: the last row and column stay zero
@exercise("4.2")
def shift_matrix(k: float, d_model: int) -> Float[Tensor, "d_model d_model"]:
    R = torch.zeros(d_model, d_model)
    for i in range(d_model // 2):
        a = k / 10000 ** (2 * i / d_model)
        R[2 * i, 2 * i] = R[2 * i + 1, 2 * i + 1] = math.cos(a)
        R[2 * i, 2 * i + 1], R[2 * i + 1, 2 * i] = math.sin(a), -math.sin(a)
    return R

# %% 4.2 wrong | multiplies k by 10000^(2i/d) instead of dividing
@exercise("4.2")
def shift_matrix(k: float, d_model: int) -> Float[Tensor, "d_model d_model"]:
    if d_model % 2 or d_model <= 0:
        raise ValueError("d_model")
    a = k * 10000 ** (torch.arange(0, d_model, 2) / d_model)
    return torch.block_diag(*torch.stack([a.cos(), a.sin(), -a.sin(), a.cos()], -1).view(-1, 2, 2))

# %% 4.2 right | a loop that fills blocks
@exercise("4.2")
def shift_matrix(k: float, d_model: int) -> Float[Tensor, "d_model d_model"]:
    if d_model % 2 or d_model <= 0:
        raise ValueError("d_model must be even and positive")
    R = torch.zeros(d_model, d_model)
    for i in range(d_model // 2):
        a = k / 10000 ** (2 * i / d_model)
        R[2 * i : 2 * i + 2, 2 * i : 2 * i + 2] = torch.tensor(
            [[math.cos(a), math.sin(a)], [-math.sin(a), math.cos(a)]]
        )
    return R

# %% 4.2 right | block_diag
@exercise("4.2")
def shift_matrix(k: float, d_model: int) -> Float[Tensor, "d_model d_model"]:
    if d_model < 2 or d_model % 2 == 1:
        raise ValueError("d_model")
    a = k * 10000 ** -(torch.arange(0, d_model, 2) / d_model)
    return torch.block_diag(*torch.stack([a.cos(), a.sin(), -a.sin(), a.cos()], -1).view(-1, 2, 2))

# %% 4.2 right | diagonals
@exercise("4.2")
def shift_matrix(k: float, d_model: int) -> Float[Tensor, "d_model d_model"]:
    if d_model % 2 or d_model <= 0:
        raise ValueError("d_model")
    a = k / 10000 ** (torch.arange(0, d_model, 2) / d_model)
    off = torch.stack([a.sin(), torch.zeros_like(a)], -1).flatten()[:-1]
    return torch.diag(a.cos().repeat_interleave(2)) + torch.diag(off, 1) - torch.diag(off, -1)

# %% 4.2 right | the exponential of its generator, in float64
@exercise("4.2")
def shift_matrix(k: float, d_model: int) -> Float[Tensor, "d_model d_model"]:
    if d_model % 2 or d_model <= 0:
        raise ValueError("d_model must be even and positive")
    G = torch.zeros(d_model, d_model, dtype=torch.float64)
    for i in range(0, d_model, 2):
        G[i, i + 1] = 10000 ** (-i / d_model)
        G[i + 1, i] = -G[i, i + 1]
    return torch.linalg.matrix_exp(k * G).float()

# %% 4.2 right | Kronecker products of one-hot diagonals
@exercise("4.2")
def shift_matrix(k: float, d_model: int) -> Float[Tensor, "d_model d_model"]:
    if d_model % 2 or d_model <= 0:
        raise ValueError("d_model")
    total = torch.zeros(d_model, d_model)
    pairs = d_model // 2
    for i in range(pairs):
        place = torch.zeros(pairs, pairs)
        place[i, i] = 1
        angle = torch.tensor(k * 10000 ** (-2 * i / d_model))
        turn = torch.stack([torch.stack([angle.cos(), angle.sin()]), torch.stack([-angle.sin(), angle.cos()])])
        total += torch.kron(place, turn)
    return total

# %% 4.3 wrong | does not transpose the weights, though they are stored [out, in]
@exercise("4.3")
def feed_forward(
    x: Float[Tensor, "*batch d_model"],
    w1: Float[Tensor, "d_ff d_model"],
    b1: Float[Tensor, "d_ff"],
    w2: Float[Tensor, "d_model d_ff"],
    b2: Float[Tensor, "d_model"],
) -> Float[Tensor, "*batch d_model"]:
    return torch.relu(x @ w1 + b1) @ w2 + b2

# %% 4.3 wrong | uses w2 for the first map and w1 for the second, which fits the shapes without transposing
@exercise("4.3")
def feed_forward(
    x: Float[Tensor, "*batch d_model"],
    w1: Float[Tensor, "d_ff d_model"],
    b1: Float[Tensor, "d_ff"],
    w2: Float[Tensor, "d_model d_ff"],
    b2: Float[Tensor, "d_model"],
) -> Float[Tensor, "*batch d_model"]:
    return torch.relu(x @ w2 + b1) @ w1 + b2

# %% 4.3 wrong | leaves the ReLU out, so the two maps are one linear map
@exercise("4.3")
def feed_forward(
    x: Float[Tensor, "*batch d_model"],
    w1: Float[Tensor, "d_ff d_model"],
    b1: Float[Tensor, "d_ff"],
    w2: Float[Tensor, "d_model d_ff"],
    b2: Float[Tensor, "d_model"],
) -> Float[Tensor, "*batch d_model"]:
    return (x @ w1.mT + b1) @ w2.mT + b2

# %% 4.3 wrong | a second ReLU cuts off the output as well
@exercise("4.3")
def feed_forward(
    x: Float[Tensor, "*batch d_model"],
    w1: Float[Tensor, "d_ff d_model"],
    b1: Float[Tensor, "d_ff"],
    w2: Float[Tensor, "d_model d_ff"],
    b2: Float[Tensor, "d_model"],
) -> Float[Tensor, "*batch d_model"]:
    return torch.relu(torch.relu(x @ w1.mT + b1) @ w2.mT + b2)

# %% 4.3 wrong | the ReLU stands at the end and not between the two maps
@exercise("4.3")
def feed_forward(
    x: Float[Tensor, "*batch d_model"],
    w1: Float[Tensor, "d_ff d_model"],
    b1: Float[Tensor, "d_ff"],
    w2: Float[Tensor, "d_model d_ff"],
    b2: Float[Tensor, "d_model"],
) -> Float[Tensor, "*batch d_model"]:
    return torch.relu((x @ w1.mT + b1) @ w2.mT + b2)

# %% 4.3 wrong | adds b1 after the ReLU instead of before
@exercise("4.3")
def feed_forward(
    x: Float[Tensor, "*batch d_model"],
    w1: Float[Tensor, "d_ff d_model"],
    b1: Float[Tensor, "d_ff"],
    w2: Float[Tensor, "d_model d_ff"],
    b2: Float[Tensor, "d_model"],
) -> Float[Tensor, "*batch d_model"]:
    return (torch.relu(x @ w1.mT) + b1) @ w2.mT + b2

# %% 4.3 wrong | forgets b2
@exercise("4.3")
def feed_forward(
    x: Float[Tensor, "*batch d_model"],
    w1: Float[Tensor, "d_ff d_model"],
    b1: Float[Tensor, "d_ff"],
    w2: Float[Tensor, "d_model d_ff"],
    b2: Float[Tensor, "d_model"],
) -> Float[Tensor, "*batch d_model"]:
    return torch.relu(x @ w1.mT + b1) @ w2.mT

# %% 4.3 wrong | forgets b1
@exercise("4.3")
def feed_forward(
    x: Float[Tensor, "*batch d_model"],
    w1: Float[Tensor, "d_ff d_model"],
    b1: Float[Tensor, "d_ff"],
    w2: Float[Tensor, "d_model d_ff"],
    b2: Float[Tensor, "d_model"],
) -> Float[Tensor, "*batch d_model"]:
    return torch.relu(x @ w1.mT) @ w2.mT + b2

# %% 4.3 wrong | uses GELU instead of max(0, ·)
@exercise("4.3")
def feed_forward(
    x: Float[Tensor, "*batch d_model"],
    w1: Float[Tensor, "d_ff d_model"],
    b1: Float[Tensor, "d_ff"],
    w2: Float[Tensor, "d_model d_ff"],
    b2: Float[Tensor, "d_model"],
) -> Float[Tensor, "*batch d_model"]:
    return F.gelu(F.linear(x, w1, b1)) @ w2.mT + b2

# %% 4.3 wrong | torch.max(h, 0) is the maximum along axis 0 with its indices, not the larger of h and 0
@exercise("4.3")
def feed_forward(
    x: Float[Tensor, "*batch d_model"],
    w1: Float[Tensor, "d_ff d_model"],
    b1: Float[Tensor, "d_ff"],
    w2: Float[Tensor, "d_model d_ff"],
    b2: Float[Tensor, "d_model"],
) -> Float[Tensor, "*batch d_model"]:
    h = torch.max(x @ w1.mT + b1, 0)
    return h @ w2.mT + b2

# %% 4.3 wrong | takes the largest along axis 0, so the positions are no longer alone
@exercise("4.3")
def feed_forward(
    x: Float[Tensor, "*batch d_model"],
    w1: Float[Tensor, "d_ff d_model"],
    b1: Float[Tensor, "d_ff"],
    w2: Float[Tensor, "d_model d_ff"],
    b2: Float[Tensor, "d_model"],
) -> Float[Tensor, "*batch d_model"]:
    h = torch.max(x @ w1.mT + b1, 0).values
    return h.clamp(min=0) @ w2.mT + b2

# %% 4.3 wrong | Python's max(0, tensor) asks for the truth of a tensor and fails
@exercise("4.3")
def feed_forward(
    x: Float[Tensor, "*batch d_model"],
    w1: Float[Tensor, "d_ff d_model"],
    b1: Float[Tensor, "d_ff"],
    w2: Float[Tensor, "d_model d_ff"],
    b2: Float[Tensor, "d_model"],
) -> Float[Tensor, "*batch d_model"]:
    return max(0, x @ w1.mT + b1) @ w2.mT + b2

# %% 4.3 wrong | keeps the negative part instead of the positive: min(0, ·)
@exercise("4.3")
def feed_forward(
    x: Float[Tensor, "*batch d_model"],
    w1: Float[Tensor, "d_ff d_model"],
    b1: Float[Tensor, "d_ff"],
    w2: Float[Tensor, "d_model d_ff"],
    b2: Float[Tensor, "d_model"],
) -> Float[Tensor, "*batch d_model"]:
    return torch.clamp(x @ w1.mT + b1, max=0) @ w2.mT + b2

# %% 4.3 wrong | takes the absolute value instead of cutting off at zero
@exercise("4.3")
def feed_forward(
    x: Float[Tensor, "*batch d_model"],
    w1: Float[Tensor, "d_ff d_model"],
    b1: Float[Tensor, "d_ff"],
    w2: Float[Tensor, "d_model d_ff"],
    b2: Float[Tensor, "d_model"],
) -> Float[Tensor, "*batch d_model"]:
    return (x @ w1.mT + b1).abs() @ w2.mT + b2

# %% 4.3 wrong | adds x, a residual connection that is not part of it
@exercise("4.3")
def feed_forward(
    x: Float[Tensor, "*batch d_model"],
    w1: Float[Tensor, "d_ff d_model"],
    b1: Float[Tensor, "d_ff"],
    w2: Float[Tensor, "d_model d_ff"],
    b2: Float[Tensor, "d_model"],
) -> Float[Tensor, "*batch d_model"]:
    return x + F.linear(F.relu(F.linear(x, w1, b1)), w2, b2)

# %% 4.3 wrong | flattens the leading axes and does not bring them back
@exercise("4.3")
def feed_forward(
    x: Float[Tensor, "*batch d_model"],
    w1: Float[Tensor, "d_ff d_model"],
    b1: Float[Tensor, "d_ff"],
    w2: Float[Tensor, "d_model d_ff"],
    b2: Float[Tensor, "d_model"],
) -> Float[Tensor, "*batch d_model"]:
    rows = x.reshape(-1, x.shape[-1])
    return F.linear(F.relu(F.linear(rows, w1, b1)), w2, b2)

# %% 4.3 wrong | transposes x, so a single position (one axis) and batches fail
@exercise("4.3")
def feed_forward(
    x: Float[Tensor, "*batch d_model"],
    w1: Float[Tensor, "d_ff d_model"],
    b1: Float[Tensor, "d_ff"],
    w2: Float[Tensor, "d_model d_ff"],
    b2: Float[Tensor, "d_model"],
) -> Float[Tensor, "*batch d_model"]:
    return (w2 @ torch.relu(w1 @ x.T + b1[:, None]) + b2[:, None]).T

# %% 4.3 wrong | clamps the input in place before the first map: changes the caller's x and its negative entries
@exercise("4.3")
def feed_forward(
    x: Float[Tensor, "*batch d_model"],
    w1: Float[Tensor, "d_ff d_model"],
    b1: Float[Tensor, "d_ff"],
    w2: Float[Tensor, "d_model d_ff"],
    b2: Float[Tensor, "d_model"],
) -> Float[Tensor, "*batch d_model"]:
    x.clamp_(min=0)
    return F.linear(F.relu(F.linear(x, w1, b1)), w2, b2)

# %% 4.3 wrong | F.dropout is on by default, so the answer is another at each call
@exercise("4.3")
def feed_forward(
    x: Float[Tensor, "*batch d_model"],
    w1: Float[Tensor, "d_ff d_model"],
    b1: Float[Tensor, "d_ff"],
    w2: Float[Tensor, "d_model d_ff"],
    b2: Float[Tensor, "d_model"],
) -> Float[Tensor, "*batch d_model"]:
    return F.linear(F.dropout(F.relu(F.linear(x, w1, b1)), 0.1), w2, b2)

# %% 4.3 wrong | detaches the hidden layer, so w1, b1 and x get no gradient
@exercise("4.3")
def feed_forward(
    x: Float[Tensor, "*batch d_model"],
    w1: Float[Tensor, "d_ff d_model"],
    b1: Float[Tensor, "d_ff"],
    w2: Float[Tensor, "d_model d_ff"],
    b2: Float[Tensor, "d_model"],
) -> Float[Tensor, "*batch d_model"]:
    h = torch.relu(x @ w1.mT + b1).detach()
    return h @ w2.mT + b2

# %% 4.3 right | F.linear and relu
@exercise("4.3")
def feed_forward(
    x: Float[Tensor, "*batch d_model"],
    w1: Float[Tensor, "d_ff d_model"],
    b1: Float[Tensor, "d_ff"],
    w2: Float[Tensor, "d_model d_ff"],
    b2: Float[Tensor, "d_model"],
) -> Float[Tensor, "*batch d_model"]:
    return F.linear(F.relu(F.linear(x, w1, b1)), w2, b2)

# %% 4.3 right | matrix products and clamp
@exercise("4.3")
def feed_forward(
    x: Float[Tensor, "*batch d_model"],
    w1: Float[Tensor, "d_ff d_model"],
    b1: Float[Tensor, "d_ff"],
    w2: Float[Tensor, "d_model d_ff"],
    b2: Float[Tensor, "d_model"],
) -> Float[Tensor, "*batch d_model"]:
    hidden = (x @ w1.mT + b1).clamp(min=0)
    return hidden @ w2.mT + b2

# %% 4.3 right | einsum, and the maximum with a tensor of zero
@exercise("4.3")
def feed_forward(
    x: Float[Tensor, "*batch d_model"],
    w1: Float[Tensor, "d_ff d_model"],
    b1: Float[Tensor, "d_ff"],
    w2: Float[Tensor, "d_model d_ff"],
    b2: Float[Tensor, "d_model"],
) -> Float[Tensor, "*batch d_model"]:
    h = torch.einsum("...d,fd->...f", x, w1) + b1
    h = torch.maximum(h, torch.zeros_like(h))
    return torch.einsum("...f,df->...d", h, w2) + b2

# %% 4.3 right | h times whether it is positive
@exercise("4.3")
def feed_forward(
    x: Float[Tensor, "*batch d_model"],
    w1: Float[Tensor, "d_ff d_model"],
    b1: Float[Tensor, "d_ff"],
    w2: Float[Tensor, "d_model d_ff"],
    b2: Float[Tensor, "d_model"],
) -> Float[Tensor, "*batch d_model"]:
    h = torch.matmul(x, w1.t()) + b1
    return torch.matmul(h * (h > 0), w2.t()) + b2

# %% 4.3 right | relu in place on its own tensor
@exercise("4.3")
def feed_forward(
    x: Float[Tensor, "*batch d_model"],
    w1: Float[Tensor, "d_ff d_model"],
    b1: Float[Tensor, "d_ff"],
    w2: Float[Tensor, "d_model d_ff"],
    b2: Float[Tensor, "d_model"],
) -> Float[Tensor, "*batch d_model"]:
    h = F.linear(x, w1)
    h += b1
    h = h.relu_()
    out = F.linear(h, w2)
    return out + b2

# %% 4.4 wrong | the upper triangle: each position sees itself and what comes later
@exercise("4.4")
def causal_mask(n: int) -> Bool[Tensor, "n n"]:
    if n < 0:
        raise ValueError("n")
    return torch.ones(n, n, dtype=torch.bool).triu()

# %% 4.4 wrong | without the diagonal: no position may attend to itself
@exercise("4.4")
def causal_mask(n: int) -> Bool[Tensor, "n n"]:
    if n < 0:
        raise ValueError("n")
    return torch.ones(n, n, dtype=torch.bool).tril(-1)

# %% 4.4 wrong | one diagonal too many: each position sees the next
@exercise("4.4")
def causal_mask(n: int) -> Bool[Tensor, "n n"]:
    if n < 0:
        raise ValueError("n")
    return torch.ones(n, n, dtype=torch.bool).tril(1)

# %% 4.4 wrong | True where attending is forbidden: torch's other convention
@exercise("4.4")
def causal_mask(n: int) -> Bool[Tensor, "n n"]:
    if n < 0:
        raise ValueError("n")
    return torch.triu(torch.ones(n, n, dtype=torch.bool), diagonal=1)

# %% 4.4 wrong | numbers 0 and 1 (float) instead of booleans
@exercise("4.4")
def causal_mask(n: int) -> Bool[Tensor, "n n"]:
    if n < 0:
        raise ValueError("n")
    return torch.tril(torch.ones(n, n))

# %% 4.4 wrong | an additive mask of 0 and -inf instead of booleans
@exercise("4.4")
def causal_mask(n: int) -> Bool[Tensor, "n n"]:
    if n < 0:
        raise ValueError("n")
    return torch.full((n, n), float("-inf")).triu(1)

# %% 4.4 wrong | a batch axis in front: [1, n, n]
@exercise("4.4")
def causal_mask(n: int) -> Bool[Tensor, "n n"]:
    if n < 0:
        raise ValueError("n")
    return torch.tril(torch.ones(1, n, n)).bool()

# %% 4.4 wrong | a list of lists instead of a tensor
@exercise("4.4")
def causal_mask(n: int) -> Bool[Tensor, "n n"]:
    if n < 0:
        raise ValueError("n")
    return [[j <= i for j in range(n)] for i in range(n)]

# %% 4.4 wrong | for n = 0 the shape is [0] and not [0, 0]
@exercise("4.4")
def causal_mask(n: int) -> Bool[Tensor, "n n"]:
    if n < 0:
        raise ValueError("n")
    return torch.tensor([[j <= i for j in range(n)] for i in range(n)], dtype=torch.bool)

# %% 4.4 wrong | a negative n gives an empty mask instead of a ValueError
@exercise("4.4")
def causal_mask(n: int) -> Bool[Tensor, "n n"]:
    i = torch.tensor(list(range(n)), dtype=torch.long)
    return i[:, None] >= i[None, :]

# %% 4.4 wrong | each position sees only itself and the one before it, a window instead of all that came
@exercise("4.4")
def causal_mask(n: int) -> Bool[Tensor, "n n"]:
    if n < 0:
        raise ValueError("n")
    distance = torch.arange(n)[:, None] - torch.arange(n)
    return (distance == 0) | (distance == 1)

# %% 4.4 wrong | each position sees only itself: the identity
@exercise("4.4")
def causal_mask(n: int) -> Bool[Tensor, "n n"]:
    if n < 0:
        raise ValueError("n")
    return torch.eye(n, dtype=torch.bool)

# %% 4.4 wrong | everything is allowed: the triangle is never cut
@exercise("4.4")
def causal_mask(n: int) -> Bool[Tensor, "n n"]:
    if n < 0:
        raise ValueError("n")
    return torch.ones(n, n, dtype=torch.bool)

# %% 4.4 wrong | counts from the end: row i sees the first n - i positions
@exercise("4.4")
def causal_mask(n: int) -> Bool[Tensor, "n n"]:
    if n < 0:
        raise ValueError("n")
    return torch.ones(n, n, dtype=torch.bool).tril().flip(0)

# %% 4.4 wrong | one row and column too many: [n + 1, n + 1]
@exercise("4.4")
def causal_mask(n: int) -> Bool[Tensor, "n n"]:
    if n < 0:
        raise ValueError("n")
    return torch.tril(torch.ones(n + 1, n + 1, dtype=torch.bool))

# %% 4.4 wrong | the loop leaves the last row without any True
@exercise("4.4")
def causal_mask(n: int) -> Bool[Tensor, "n n"]:
    if n < 0:
        raise ValueError("n")
    mask = torch.zeros(n, n, dtype=torch.bool)
    for i in range(n - 1):
        mask[i, : i + 1] = True
    return mask

# %% 4.4 wrong | the slice ends before i, so the first position may attend nowhere
@exercise("4.4")
def causal_mask(n: int) -> Bool[Tensor, "n n"]:
    if n < 0:
        raise ValueError("n")
    mask = torch.zeros(n, n, dtype=torch.bool)
    for i in range(n):
        mask[i, :i] = True
    return mask

# %% 4.4 right | tril of booleans
@exercise("4.4")
def causal_mask(n: int) -> Bool[Tensor, "n n"]:
    if n < 0:
        raise ValueError(f"n is {n}, it must not be negative")
    return torch.ones(n, n, dtype=torch.bool).tril()

# %% 4.4 right | comparing positions
@exercise("4.4")
def causal_mask(n: int) -> Bool[Tensor, "n n"]:
    if n < 0:
        raise ValueError("n < 0")
    position = torch.arange(n)
    return position[:, None] >= position

# %% 4.4 right | a loop over the rows
@exercise("4.4")
def causal_mask(n: int) -> Bool[Tensor, "n n"]:
    if n < 0:
        raise ValueError("n must be 0 or more")
    mask = torch.zeros((n, n), dtype=torch.bool)
    for i in range(n):
        mask[i, : i + 1] = True
    return mask

# %% 4.4 right | torch's own square mask, turned into booleans
@exercise("4.4")
def causal_mask(n: int) -> Bool[Tensor, "n n"]:
    if n < 0:
        raise ValueError("n must be 0 or more")
    return nn.Transformer.generate_square_subsequent_mask(n) == 0

# %% 4.4 right | everything but the upper triangle
@exercise("4.4")
def causal_mask(n: int) -> Bool[Tensor, "n n"]:
    if not n >= 0:
        raise ValueError("a length cannot be negative")
    return torch.triu(torch.ones(n, n), diagonal=1).logical_not()

# %% 4.5 wrong | a row that may attend nowhere is NaN
@exercise("4.5")
def masked_softmax(
    scores: Float[Tensor, "*batch query key"], mask: Bool[Tensor, "*#batch #query #key"] | None = None
) -> Float[Tensor, "*batch query key"]:
    if mask is None:
        return scores.softmax(-1)
    if mask.dtype != torch.bool:
        raise TypeError("mask")
    return scores.masked_fill(~mask, -torch.inf).softmax(dim=-1)

# %% 4.5 wrong | adds -inf to the scores; nan_to_num then makes the empty rows zero, but their gradient is NaN
@exercise("4.5")
def masked_softmax(
    scores: Float[Tensor, "*batch query key"], mask: Bool[Tensor, "*#batch #query #key"] | None = None
) -> Float[Tensor, "*batch query key"]:
    if mask is None:
        return scores.softmax(-1)
    if mask.dtype != torch.bool:
        raise TypeError("mask must be boolean")
    try:
        mask = mask.expand(scores.shape)
    except RuntimeError as error:
        raise ValueError("mask does not broadcast") from error
    struck_out = torch.zeros_like(scores).masked_fill(~mask, -torch.inf)
    return (scores + struck_out).softmax(dim=-1).nan_to_num(0.0)

# %% 4.5 wrong | fills with -1e9, so a row that may attend nowhere has equal weights instead of zeros
@exercise("4.5")
def masked_softmax(
    scores: Float[Tensor, "*batch query key"], mask: Bool[Tensor, "*#batch #query #key"] | None = None
) -> Float[Tensor, "*batch query key"]:
    if mask is not None:
        scores = scores.masked_fill(mask == 0, -1e9)
    return F.softmax(scores, dim=-1)

# %% 4.5 wrong | fills with -1e4, which very low scores do not stay above, so forbidden keys win
@exercise("4.5")
def masked_softmax(
    scores: Float[Tensor, "*batch query key"], mask: Bool[Tensor, "*#batch #query #key"] | None = None
) -> Float[Tensor, "*batch query key"]:
    if mask is None:
        return scores.softmax(-1)
    if mask.dtype != torch.bool:
        raise TypeError("mask must be boolean")
    return scores.masked_fill(~mask, -1e4).softmax(-1) * mask

# %% 4.5 wrong | masks after the softmax, so the rows sum to less than one
@exercise("4.5")
def masked_softmax(
    scores: Float[Tensor, "*batch query key"], mask: Bool[Tensor, "*#batch #query #key"] | None = None
) -> Float[Tensor, "*batch query key"]:
    weights = scores.softmax(-1)
    return weights if mask is None else weights * mask

# %% 4.5 wrong | divides by the sum after masking late, which is 0/0 where a row may attend nowhere
@exercise("4.5")
def masked_softmax(
    scores: Float[Tensor, "*batch query key"], mask: Bool[Tensor, "*#batch #query #key"] | None = None
) -> Float[Tensor, "*batch query key"]:
    weights = scores.softmax(-1)
    if mask is None:
        return weights
    weights = weights * mask
    return weights / weights.sum(-1, keepdim=True)

# %% 4.5 wrong | masks after the softmax and divides by the row's sum: an allowed score far below a forbidden one has rounded to 0 by then
@exercise("4.5")
def masked_softmax(
    scores: Float[Tensor, "*batch query key"], mask: Bool[Tensor, "*#batch #query #key"] | None = None
) -> Float[Tensor, "*batch query key"]:
    weights = scores.softmax(-1)
    if mask is None:
        return weights
    if mask.dtype != torch.bool:
        raise TypeError("mask must be boolean")
    weights = weights * mask
    return weights / weights.sum(-1, keepdim=True).clamp(min=1e-12)

# %% 4.5 wrong | the mask is inverted: True strikes out
@exercise("4.5")
def masked_softmax(
    scores: Float[Tensor, "*batch query key"], mask: Bool[Tensor, "*#batch #query #key"] | None = None
) -> Float[Tensor, "*batch query key"]:
    if mask is None:
        return scores.softmax(-1)
    if mask.dtype != torch.bool:
        raise TypeError("mask must be boolean")
    low = torch.finfo(scores.dtype).min
    return scores.masked_fill(mask, low).softmax(-1) * ~mask

# %% 4.5 wrong | multiplies the scores by the mask, so forbidden ones become 0 and still get weight
@exercise("4.5")
def masked_softmax(
    scores: Float[Tensor, "*batch query key"], mask: Bool[Tensor, "*#batch #query #key"] | None = None
) -> Float[Tensor, "*batch query key"]:
    if mask is None:
        return scores.softmax(-1)
    return (scores * mask).softmax(-1)

# %% 4.5 wrong | masked_fill_ works in place and changes the caller's scores
@exercise("4.5")
def masked_softmax(
    scores: Float[Tensor, "*batch query key"], mask: Bool[Tensor, "*#batch #query #key"] | None = None
) -> Float[Tensor, "*batch query key"]:
    if mask is None:
        return scores.softmax(-1)
    if mask.dtype != torch.bool:
        raise TypeError("mask must be boolean")
    scores.masked_fill_(~mask, torch.finfo(scores.dtype).min)
    return scores.softmax(-1) * mask

# %% 4.5 wrong | exp over sum without taking off the maximum: scores of 200 overflow
@exercise("4.5")
def masked_softmax(
    scores: Float[Tensor, "*batch query key"], mask: Bool[Tensor, "*#batch #query #key"] | None = None
) -> Float[Tensor, "*batch query key"]:
    if mask is None:
        mask = torch.ones_like(scores, dtype=torch.bool)
    if mask.dtype != torch.bool:
        raise TypeError("mask must be boolean")
    e = scores.exp() * mask
    total = e.sum(-1, keepdim=True)
    return e / torch.where(total == 0, 1.0, total)

# %% 4.5 wrong | takes off the maximum over all keys, forbidden ones too, so allowed scores far below it underflow to a row of zeros
@exercise("4.5")
def masked_softmax(
    scores: Float[Tensor, "*batch query key"], mask: Bool[Tensor, "*#batch #query #key"] | None = None
) -> Float[Tensor, "*batch query key"]:
    if mask is None:
        return scores.softmax(-1)
    if mask.dtype != torch.bool:
        raise TypeError("mask must be boolean")
    e = torch.exp(scores - scores.amax(-1, keepdim=True)) * mask
    total = e.sum(-1, keepdim=True)
    return e / torch.where(total == 0, 1.0, total)

# %% 4.5 wrong | the softmax runs over the queries (dim -2) instead of the keys
@exercise("4.5")
def masked_softmax(
    scores: Float[Tensor, "*batch query key"], mask: Bool[Tensor, "*#batch #query #key"] | None = None
) -> Float[Tensor, "*batch query key"]:
    if mask is None:
        return scores.softmax(-2)
    if mask.dtype != torch.bool:
        raise TypeError("mask must be boolean")
    return scores.masked_fill(~mask, torch.finfo(scores.dtype).min).softmax(-2) * mask

# %% 4.5 wrong | softmax over axis 1, which is the keys' only without a batch axis
@exercise("4.5")
def masked_softmax(
    scores: Float[Tensor, "*batch query key"], mask: Bool[Tensor, "*#batch #query #key"] | None = None
) -> Float[Tensor, "*batch query key"]:
    if mask is None:
        return scores.softmax(1)
    if mask.dtype != torch.bool:
        raise TypeError("mask must be boolean")
    return scores.masked_fill(~mask, torch.finfo(scores.dtype).min).softmax(1) * mask

# %% 4.5 wrong | a mask of whole numbers is taken without a TypeError
@exercise("4.5")
def masked_softmax(
    scores: Float[Tensor, "*batch query key"], mask: Bool[Tensor, "*#batch #query #key"] | None = None
) -> Float[Tensor, "*batch query key"]:
    if mask is None:
        return scores.softmax(-1)
    mask = mask > 0
    try:
        mask = mask.expand(scores.shape)
    except RuntimeError as error:
        raise ValueError("mask does not broadcast") from error
    return scores.masked_fill(~mask, torch.finfo(scores.dtype).min).softmax(-1) * mask

# %% 4.5 wrong | a mask with more axes than the scores makes the result larger instead of a ValueError
@exercise("4.5")
def masked_softmax(
    scores: Float[Tensor, "*batch query key"], mask: Bool[Tensor, "*#batch #query #key"] | None = None
) -> Float[Tensor, "*batch query key"]:
    if mask is None:
        return scores.softmax(-1)
    if mask.dtype != torch.bool:
        raise TypeError("mask must be boolean")
    return torch.where(mask, scores, torch.finfo(scores.dtype).min).softmax(-1) * mask

# %% 4.5 wrong | does not allow for mask=None
@exercise("4.5")
def masked_softmax(
    scores: Float[Tensor, "*batch query key"], mask: Bool[Tensor, "*#batch #query #key"] | None = None
) -> Float[Tensor, "*batch query key"]:
    return scores.masked_fill(~mask, torch.finfo(scores.dtype).min).softmax(-1) * mask

# %% 4.5 wrong | a small number in the denominator keeps 0/0 away, but rows no longer sum to 1
@exercise("4.5")
def masked_softmax(
    scores: Float[Tensor, "*batch query key"], mask: Bool[Tensor, "*#batch #query #key"] | None = None
) -> Float[Tensor, "*batch query key"]:
    if mask is None:
        mask = torch.ones_like(scores, dtype=torch.bool)
    low = scores.masked_fill(~mask, -1e30)
    e = (low - low.amax(-1, keepdim=True)).exp() * mask
    return e / (e.sum(-1, keepdim=True) + 1e-2)

# %% 4.5 wrong | looks only whether the whole mask is empty, so a single empty row among others is NaN
@exercise("4.5")
def masked_softmax(
    scores: Float[Tensor, "*batch query key"], mask: Bool[Tensor, "*#batch #query #key"] | None = None
) -> Float[Tensor, "*batch query key"]:
    if mask is None:
        return scores.softmax(-1)
    if mask.dtype != torch.bool:
        raise TypeError("mask must be boolean")
    if not mask.any():
        return torch.zeros_like(scores)
    return scores.masked_fill(~mask, -torch.inf).softmax(-1)

# %% 4.5 wrong | a loop that writes numbers into a new tensor with .tolist(), so no gradient gets back to the scores
@exercise("4.5")
def masked_softmax(
    scores: Float[Tensor, "*batch query key"], mask: Bool[Tensor, "*#batch #query #key"] | None = None
) -> Float[Tensor, "*batch query key"]:
    if mask is None:
        mask = torch.ones(1, dtype=torch.bool)
    if mask.dtype != torch.bool:
        raise TypeError("mask must be boolean")
    out = torch.zeros_like(scores)
    rows = out.view(-1, out.shape[-1])
    allowed = mask.expand(scores.shape).reshape(rows.shape).tolist()
    for r, row in enumerate(scores.reshape(rows.shape).tolist()):
        kept = [s for s, ok in zip(row, allowed[r]) if ok]
        total = sum(math.exp(s - max(kept)) for s in kept)
        for c, s in enumerate(row):
            if allowed[r][c]:
                rows[r, c] = math.exp(s - max(kept)) / total
    return out

# %% 4.5 right | the lowest number, softmax, times the mask
@exercise("4.5")
def masked_softmax(
    scores: Float[Tensor, "*batch query key"], mask: Bool[Tensor, "*#batch #query #key"] | None = None
) -> Float[Tensor, "*batch query key"]:
    if mask is None:
        return scores.softmax(dim=-1)
    if mask.dtype != torch.bool:
        raise TypeError(f"the mask is {mask.dtype}, it must be boolean")
    try:
        mask = mask.expand(scores.shape)
    except RuntimeError as error:
        raise ValueError(f"mask {tuple(mask.shape)} does not broadcast to {tuple(scores.shape)}") from error
    return scores.masked_fill(~mask, torch.finfo(scores.dtype).min).softmax(-1) * mask

# %% 4.5 right | -inf except in rows that are empty, which are filled with 0 afterwards
@exercise("4.5")
def masked_softmax(
    scores: Float[Tensor, "*batch query key"], mask: Bool[Tensor, "*#batch #query #key"] | None = None
) -> Float[Tensor, "*batch query key"]:
    if mask is None:
        mask = torch.tensor(True)
    elif mask.dtype is not torch.bool:
        raise TypeError("boolean masks only")
    if mask.dim() > scores.dim():
        raise ValueError("the mask has more axes than the scores")
    try:
        mask = torch.broadcast_to(mask, scores.shape)
    except RuntimeError:
        raise ValueError("the mask does not broadcast") from None
    empty = ~mask.any(dim=-1, keepdim=True)
    weights = F.softmax(scores.masked_fill(~mask & ~empty, float("-inf")), dim=-1)
    return weights.masked_fill(empty, 0.0)

# %% 4.5 right | exp by hand with the maximum over the allowed keys
@exercise("4.5")
def masked_softmax(
    scores: Float[Tensor, "*batch query key"], mask: Bool[Tensor, "*#batch #query #key"] | None = None
) -> Float[Tensor, "*batch query key"]:
    if mask is None:
        mask = torch.ones_like(scores, dtype=torch.bool)
    if mask.dtype != torch.bool:
        raise TypeError("mask must be boolean")
    try:
        mask = mask.expand_as(scores)
    except RuntimeError as error:
        raise ValueError("mask must broadcast to the scores") from error
    zero = torch.zeros_like(scores)
    top = scores.detach().masked_fill(~mask, -math.inf).amax(-1, keepdim=True)
    top = torch.where(top.isinf(), torch.zeros_like(top), top)
    e = torch.where(mask, torch.where(mask, scores - top, zero).exp(), zero)
    total = e.sum(-1, keepdim=True)
    return e / torch.where(total > 0, total, torch.ones_like(total))

# %% 4.5 right | -inf by masked_fill, then nan_to_num (behind masked_fill the gradient of an empty row is zero)
@exercise("4.5")
def masked_softmax(
    scores: Float[Tensor, "*batch query key"], mask: Bool[Tensor, "*#batch #query #key"] | None = None
) -> Float[Tensor, "*batch query key"]:
    if mask is None:
        return scores.softmax(-1)
    if mask.dtype != torch.bool:
        raise TypeError("mask must be boolean")
    try:
        mask = mask.expand(scores.shape)
    except RuntimeError as error:
        raise ValueError("mask does not broadcast") from error
    return scores.masked_fill(~mask, -torch.inf).softmax(dim=-1).nan_to_num(0.0)

# %% 4.5 right | log-sum-exp on a copy
@exercise("4.5")
def masked_softmax(
    scores: Float[Tensor, "*batch query key"], mask: Bool[Tensor, "*#batch #query #key"] | None = None
) -> Float[Tensor, "*batch query key"]:
    if mask is None:
        return scores.log_softmax(-1).exp()
    if mask.dtype != torch.bool:
        raise TypeError("mask must be boolean")
    if mask.dim() > scores.dim() or any(
        m not in (1, s) for m, s in zip(reversed(mask.shape), reversed(scores.shape), strict=False)
    ):
        raise ValueError("mask does not broadcast")
    low = scores.clone()
    low[~mask.expand(scores.shape)] = -1e30
    low = low - low.amax(-1, keepdim=True)
    return (low - low.logsumexp(-1, keepdim=True)).exp() * mask

# %% 4.6 wrong | <= instead of <, so one padding token is let through
from collections.abc import Sequence


@exercise("4.6")
def padding_mask(lengths: Int[Tensor, "batch"] | Sequence[int], n: int) -> Bool[Tensor, "batch 1 n"]:
    lengths = torch.as_tensor(lengths)
    if lengths.is_floating_point():
        raise TypeError("lengths must be whole numbers")
    if (lengths < 0).any() or (lengths > n).any():
        raise ValueError("lengths")
    return (torch.arange(n) <= lengths[:, None])[:, None]

# %% 4.6 wrong | inverted: True for the padding
from collections.abc import Sequence


@exercise("4.6")
def padding_mask(lengths: Int[Tensor, "batch"] | Sequence[int], n: int) -> Bool[Tensor, "batch 1 n"]:
    lengths = torch.as_tensor(lengths)
    if lengths.is_floating_point():
        raise TypeError("lengths must be whole numbers")
    if (lengths < 0).any() or (lengths > n).any():
        raise ValueError("lengths")
    return (torch.arange(n) >= lengths[:, None])[:, None, :]

# %% 4.6 wrong | the axis for the queries is missing: [batch, n]
from collections.abc import Sequence


@exercise("4.6")
def padding_mask(lengths: Int[Tensor, "batch"] | Sequence[int], n: int) -> Bool[Tensor, "batch 1 n"]:
    lengths = torch.as_tensor(lengths)
    if lengths.is_floating_point():
        raise TypeError("lengths must be whole numbers")
    if (lengths < 0).any() or (lengths > n).any():
        raise ValueError("lengths")
    return torch.arange(n) < lengths[:, None]

# %% 4.6 wrong | the axis of length 1 stands last, [batch, n, 1], so queries are masked instead of keys
from collections.abc import Sequence


@exercise("4.6")
def padding_mask(lengths: Int[Tensor, "batch"] | Sequence[int], n: int) -> Bool[Tensor, "batch 1 n"]:
    lengths = torch.as_tensor(lengths)
    if lengths.is_floating_point():
        raise TypeError("lengths must be whole numbers")
    if (lengths < 0).any() or (lengths > n).any():
        raise ValueError("lengths")
    return (torch.arange(n) < lengths[:, None]).unsqueeze(-1)

# %% 4.6 wrong | the whole table [batch, n, n] instead of an axis of length 1, so it does not serve cross-attention
from collections.abc import Sequence


@exercise("4.6")
def padding_mask(lengths: Int[Tensor, "batch"] | Sequence[int], n: int) -> Bool[Tensor, "batch 1 n"]:
    lengths = torch.as_tensor(lengths)
    if lengths.is_floating_point():
        raise TypeError("lengths must be whole numbers")
    if (lengths < 0).any() or (lengths > n).any():
        raise ValueError("lengths")
    return (torch.arange(n) < lengths[:, None])[:, None].expand(-1, n, n)

# %% 4.6 wrong | numbers 0 and 1 (float) instead of booleans
from collections.abc import Sequence


@exercise("4.6")
def padding_mask(lengths: Int[Tensor, "batch"] | Sequence[int], n: int) -> Bool[Tensor, "batch 1 n"]:
    lengths = torch.as_tensor(lengths)
    if lengths.is_floating_point():
        raise TypeError("lengths must be whole numbers")
    if (lengths < 0).any() or (lengths > n).any():
        raise ValueError("lengths")
    return (torch.arange(n) < lengths[:, None]).float()[:, None]

# %% 4.6 wrong | ignores n: the mask is as wide as the longest sentence
from collections.abc import Sequence


@exercise("4.6")
def padding_mask(lengths: Int[Tensor, "batch"] | Sequence[int], n: int) -> Bool[Tensor, "batch 1 n"]:
    lengths = torch.as_tensor(lengths)
    if lengths.is_floating_point():
        raise TypeError("lengths must be whole numbers")
    if (lengths < 0).any() or (lengths > n).any():
        raise ValueError("lengths")
    return (torch.arange(int(lengths.max())) < lengths[:, None])[:, None]

# %% 4.6 wrong | takes only a tensor: a list of lengths fails
from collections.abc import Sequence


@exercise("4.6")
def padding_mask(lengths: Int[Tensor, "batch"] | Sequence[int], n: int) -> Bool[Tensor, "batch 1 n"]:
    if lengths.is_floating_point():
        raise TypeError("lengths must be whole numbers")
    if (lengths < 0).any() or (lengths > n).any():
        raise ValueError("lengths")
    return (torch.arange(n) < lengths[:, None])[:, None]

# %% 4.6 wrong | a length greater than n is not refused: the row is simply full
from collections.abc import Sequence


@exercise("4.6")
def padding_mask(lengths: Int[Tensor, "batch"] | Sequence[int], n: int) -> Bool[Tensor, "batch 1 n"]:
    lengths = torch.as_tensor(lengths)
    if lengths.is_floating_point():
        raise TypeError("lengths must be whole numbers")
    if (lengths < 0).any():
        raise ValueError("lengths")
    return (torch.arange(n) < lengths[:, None])[:, None]

# %% 4.6 wrong | a negative length is not refused: the slice counts from the end and opens nearly the whole row
from collections.abc import Sequence


@exercise("4.6")
def padding_mask(lengths: Int[Tensor, "batch"] | Sequence[int], n: int) -> Bool[Tensor, "batch 1 n"]:
    lengths = lengths.tolist() if isinstance(lengths, Tensor) else lengths
    if any(not isinstance(l, int) for l in lengths):
        raise TypeError("whole numbers")
    if any(l > n for l in lengths):
        raise ValueError("too long")
    mask = torch.zeros(len(lengths), 1, n, dtype=torch.bool)
    for b, length in enumerate(lengths):
        mask[b, :, :length] = True
    return mask

# %% 4.6 wrong | lengths that are not whole numbers are taken without a TypeError
from collections.abc import Sequence


@exercise("4.6")
def padding_mask(lengths: Int[Tensor, "batch"] | Sequence[int], n: int) -> Bool[Tensor, "batch 1 n"]:
    lengths = torch.as_tensor(lengths)
    if (lengths < 0).any() or (lengths > n).any():
        raise ValueError("lengths")
    return (torch.arange(n) < lengths[:, None])[:, None]

# %% 4.6 wrong | rounds lengths down to whole numbers silently instead of a TypeError
from collections.abc import Sequence


@exercise("4.6")
def padding_mask(lengths: Int[Tensor, "batch"] | Sequence[int], n: int) -> Bool[Tensor, "batch 1 n"]:
    lengths = torch.as_tensor(lengths).long()
    if lengths.min() < 0 or lengths.max() > n:
        raise ValueError("lengths")
    return (torch.arange(n) < lengths[:, None])[:, None]

# %% 4.6 wrong | lets the last tokens through instead of the first: padding at the left
from collections.abc import Sequence


@exercise("4.6")
def padding_mask(lengths: Int[Tensor, "batch"] | Sequence[int], n: int) -> Bool[Tensor, "batch 1 n"]:
    lengths = torch.as_tensor(lengths)
    if lengths.is_floating_point():
        raise TypeError("lengths must be whole numbers")
    if (lengths < 0).any() or (lengths > n).any():
        raise ValueError("lengths")
    return (torch.arange(n) >= n - lengths[:, None])[:, None]

# %% 4.6 wrong | squeezes all axes of length 1, so a batch of one sentence loses its batch axis and the query axis
from collections.abc import Sequence


@exercise("4.6")
def padding_mask(lengths: Int[Tensor, "batch"] | Sequence[int], n: int) -> Bool[Tensor, "batch 1 n"]:
    lengths = torch.as_tensor(lengths)
    if lengths.is_floating_point():
        raise TypeError("lengths must be whole numbers")
    if (lengths < 0).any() or (lengths > n).any():
        raise ValueError("lengths")
    mask = (torch.arange(n) < lengths.view(-1, 1)).squeeze()
    return mask.unsqueeze(-2)

# %% 4.6 wrong | the first axis is the 1 and the batch stands second: [1, batch, n]
from collections.abc import Sequence


@exercise("4.6")
def padding_mask(lengths: Int[Tensor, "batch"] | Sequence[int], n: int) -> Bool[Tensor, "batch 1 n"]:
    lengths = torch.as_tensor(lengths)
    if lengths.is_floating_point():
        raise TypeError("lengths must be whole numbers")
    if (lengths < 0).any() or (lengths > n).any():
        raise ValueError("lengths")
    return (torch.arange(n) < lengths[:, None])[None]

# %% 4.6 wrong | compares positions that count from 1, so the last token of each sentence is hidden
from collections.abc import Sequence


@exercise("4.6")
def padding_mask(lengths: Int[Tensor, "batch"] | Sequence[int], n: int) -> Bool[Tensor, "batch 1 n"]:
    lengths = torch.as_tensor(lengths)
    if lengths.is_floating_point():
        raise TypeError("lengths must be whole numbers")
    if (lengths < 0).any() or (lengths > n).any():
        raise ValueError("lengths")
    return (torch.arange(1, n + 1) < lengths[:, None])[:, None]

# %% 4.6 wrong | clips the lengths in place, so the caller's tensor is changed and a wrong length is not refused
from collections.abc import Sequence


@exercise("4.6")
def padding_mask(lengths: Int[Tensor, "batch"] | Sequence[int], n: int) -> Bool[Tensor, "batch 1 n"]:
    lengths = torch.as_tensor(lengths)
    if lengths.is_floating_point():
        raise TypeError("lengths must be whole numbers")
    lengths.clamp_(0, n)
    return (torch.arange(n) < lengths[:, None])[:, None]

# %% 4.6 wrong | opens exactly one position of each sentence, its last, instead of all up to there
from collections.abc import Sequence


@exercise("4.6")
def padding_mask(lengths: Int[Tensor, "batch"] | Sequence[int], n: int) -> Bool[Tensor, "batch 1 n"]:
    lengths = torch.as_tensor(lengths)
    if lengths.is_floating_point():
        raise TypeError("lengths must be whole numbers")
    if (lengths < 0).any() or (lengths > n).any():
        raise ValueError("lengths")
    return (torch.arange(n) == lengths[:, None] - 1)[:, None]

# %% 4.6 right | comparing positions with lengths
from collections.abc import Sequence


@exercise("4.6")
def padding_mask(lengths: Int[Tensor, "batch"] | Sequence[int], n: int) -> Bool[Tensor, "batch 1 n"]:
    lengths = torch.as_tensor(lengths)
    if lengths.is_floating_point():
        raise TypeError("lengths must be whole numbers")
    if (lengths < 0).any() or (lengths > n).any():
        raise ValueError(f"lengths must be between 0 and {n}")
    return torch.arange(n) < lengths[:, None, None]

# %% 4.6 right | a loop over the sentences
from collections.abc import Sequence


@exercise("4.6")
def padding_mask(lengths: Int[Tensor, "batch"] | Sequence[int], n: int) -> Bool[Tensor, "batch 1 n"]:
    if isinstance(lengths, Tensor):
        lengths = lengths.tolist()
    mask = torch.zeros(len(lengths), 1, n, dtype=torch.bool)
    for b, length in enumerate(lengths):
        if not isinstance(length, int):
            raise TypeError(f"{length} is no whole number")
        if not 0 <= length <= n:
            raise ValueError(f"length {length}")
        mask[b, 0, :length] = True
    return mask

# %% 4.6 right | rows of a lower triangle
from collections.abc import Sequence


@exercise("4.6")
def padding_mask(lengths: Int[Tensor, "batch"] | Sequence[int], n: int) -> Bool[Tensor, "batch 1 n"]:
    lengths = torch.as_tensor(lengths)
    if lengths.dtype.is_floating_point:
        raise TypeError("Int, please")
    if len(lengths) and (int(lengths.min()) < 0 or int(lengths.max()) > n):
        raise ValueError("a length is out of range")
    rows = torch.ones(n + 1, n, dtype=torch.bool).tril(-1)
    return rows[lengths.long()].unsqueeze(1)

# %% 4.6 right | concatenated pieces of True and False
from collections.abc import Sequence


@exercise("4.6")
def padding_mask(lengths: Int[Tensor, "batch"] | Sequence[int], n: int) -> Bool[Tensor, "batch 1 n"]:
    pieces = []
    for length in lengths:
        length = length.item() if isinstance(length, Tensor) else length
        if int(length) != length or isinstance(length, float):
            raise TypeError("lengths must be whole numbers")
        if length < 0 or length > n:
            raise ValueError("0 <= length <= n")
        pieces.append(torch.tensor([True] * length + [False] * (n - length), dtype=torch.bool))
    return torch.stack(pieces)[:, None, :]

# %% 4.7 wrong | does not hand the mask to the attention
import course.blocks
from course.blocks import residual




@exercise("4.7")
class EncoderBlock(course.blocks.EncoderBlock):
    def forward(
        self, x: Float[Tensor, "*batch sequence d_model"], mask: Bool[Tensor, "..."] | None = None
    ) -> Float[Tensor, "*batch sequence d_model"]:
        x = residual(x, lambda y: self.dropout(self.self_attention(y)[0]), self.norm1, pre=self.pre)
        return residual(x, lambda y: self.dropout(self.feed_forward(y)), self.norm2, pre=self.pre)

# %% 4.7 wrong | always post-norm, whatever self.pre says
import course.blocks


@exercise("4.7")
class EncoderBlock(course.blocks.EncoderBlock):
    def forward(
        self, x: Float[Tensor, "*batch sequence d_model"], mask: Bool[Tensor, "..."] | None = None
    ) -> Float[Tensor, "*batch sequence d_model"]:
        x = self.norm1(x + self.dropout(self.self_attention(x, mask=mask)[0]))
        return self.norm2(x + self.dropout(self.feed_forward(x)))

# %% 4.7 wrong | always pre-norm, whatever self.pre says
import course.blocks


@exercise("4.7")
class EncoderBlock(course.blocks.EncoderBlock):
    def forward(
        self, x: Float[Tensor, "*batch sequence d_model"], mask: Bool[Tensor, "..."] | None = None
    ) -> Float[Tensor, "*batch sequence d_model"]:
        x = x + self.dropout(self.self_attention(self.norm1(x), mask=mask)[0])
        return x + self.dropout(self.feed_forward(self.norm2(x)))

# %% 4.7 wrong | pre and post are swapped
import course.blocks
from course.blocks import residual




@exercise("4.7")
class EncoderBlock(course.blocks.EncoderBlock):
    def forward(
        self, x: Float[Tensor, "*batch sequence d_model"], mask: Bool[Tensor, "..."] | None = None
    ) -> Float[Tensor, "*batch sequence d_model"]:
        x = residual(x, lambda y: self.dropout(self.self_attention(y, mask=mask)[0]), self.norm1, pre=not self.pre)
        return residual(x, lambda y: self.dropout(self.feed_forward(y)), self.norm2, pre=not self.pre)

# %% 4.7 wrong | uses norm1 for both sublayers
import course.blocks
from course.blocks import residual




@exercise("4.7")
class EncoderBlock(course.blocks.EncoderBlock):
    def forward(
        self, x: Float[Tensor, "*batch sequence d_model"], mask: Bool[Tensor, "..."] | None = None
    ) -> Float[Tensor, "*batch sequence d_model"]:
        x = residual(x, lambda y: self.dropout(self.self_attention(y, mask=mask)[0]), self.norm1, pre=self.pre)
        return residual(x, lambda y: self.dropout(self.feed_forward(y)), self.norm1, pre=self.pre)

# %% 4.7 wrong | the two norms are swapped
import course.blocks
from course.blocks import residual




@exercise("4.7")
class EncoderBlock(course.blocks.EncoderBlock):
    def forward(
        self, x: Float[Tensor, "*batch sequence d_model"], mask: Bool[Tensor, "..."] | None = None
    ) -> Float[Tensor, "*batch sequence d_model"]:
        x = residual(x, lambda y: self.dropout(self.self_attention(y, mask=mask)[0]), self.norm2, pre=self.pre)
        return residual(x, lambda y: self.dropout(self.feed_forward(y)), self.norm1, pre=self.pre)

# %% 4.7 wrong | no dropout on the sublayers' outputs
import course.blocks
from course.blocks import residual




@exercise("4.7")
class EncoderBlock(course.blocks.EncoderBlock):
    def forward(
        self, x: Float[Tensor, "*batch sequence d_model"], mask: Bool[Tensor, "..."] | None = None
    ) -> Float[Tensor, "*batch sequence d_model"]:
        x = residual(x, lambda y: self.self_attention(y, mask=mask)[0], self.norm1, pre=self.pre)
        return residual(x, self.feed_forward, self.norm2, pre=self.pre)

# %% 4.7 wrong | dropout on the attention's output only, forgotten behind the feed-forward network
import course.blocks
from course.blocks import residual




@exercise("4.7")
class EncoderBlock(course.blocks.EncoderBlock):
    def forward(
        self, x: Float[Tensor, "*batch sequence d_model"], mask: Bool[Tensor, "..."] | None = None
    ) -> Float[Tensor, "*batch sequence d_model"]:
        x = residual(x, lambda y: self.dropout(self.self_attention(y, mask=mask)[0]), self.norm1, pre=self.pre)
        return residual(x, self.feed_forward, self.norm2, pre=self.pre)

# %% 4.7 wrong | dropout on the sum of both instead of the sublayer's output, so the residual path is dropped too
import course.blocks


@exercise("4.7")
class EncoderBlock(course.blocks.EncoderBlock):
    def forward(
        self, x: Float[Tensor, "*batch sequence d_model"], mask: Bool[Tensor, "..."] | None = None
    ) -> Float[Tensor, "*batch sequence d_model"]:
        if self.pre:
            x = self.dropout(x + self.self_attention(self.norm1(x), mask=mask)[0])
            return self.dropout(x + self.feed_forward(self.norm2(x)))
        x = self.norm1(self.dropout(x + self.self_attention(x, mask=mask)[0]))
        return self.norm2(self.dropout(x + self.feed_forward(x)))

# %% 4.7 wrong | no residual connection around the feed-forward network
import course.blocks
from course.blocks import residual




@exercise("4.7")
class EncoderBlock(course.blocks.EncoderBlock):
    def forward(
        self, x: Float[Tensor, "*batch sequence d_model"], mask: Bool[Tensor, "..."] | None = None
    ) -> Float[Tensor, "*batch sequence d_model"]:
        x = residual(x, lambda y: self.dropout(self.self_attention(y, mask=mask)[0]), self.norm1, pre=self.pre)
        if self.pre:
            return self.dropout(self.feed_forward(self.norm2(x)))
        return self.norm2(self.dropout(self.feed_forward(x)))

# %% 4.7 wrong | both sublayers work on the block's input side by side instead of in turn
import course.blocks


@exercise("4.7")
class EncoderBlock(course.blocks.EncoderBlock):
    def forward(
        self, x: Float[Tensor, "*batch sequence d_model"], mask: Bool[Tensor, "..."] | None = None
    ) -> Float[Tensor, "*batch sequence d_model"]:
        if self.pre:
            return x + self.dropout(self.self_attention(self.norm1(x), mask=mask)[0]) + self.dropout(self.feed_forward(self.norm2(x)))
        a = self.norm1(x + self.dropout(self.self_attention(x, mask=mask)[0]))
        b = self.norm2(x + self.dropout(self.feed_forward(x)))
        return a + b

# %% 4.7 wrong | the feed-forward network comes first and the attention after it
import course.blocks
from course.blocks import residual




@exercise("4.7")
class EncoderBlock(course.blocks.EncoderBlock):
    def forward(
        self, x: Float[Tensor, "*batch sequence d_model"], mask: Bool[Tensor, "..."] | None = None
    ) -> Float[Tensor, "*batch sequence d_model"]:
        x = residual(x, lambda y: self.dropout(self.feed_forward(y)), self.norm2, pre=self.pre)
        return residual(x, lambda y: self.dropout(self.self_attention(y, mask=mask)[0]), self.norm1, pre=self.pre)

# %% 4.7 wrong | the norm is put on the sublayer's output, x + norm(f(x)), neither post nor pre
import course.blocks


@exercise("4.7")
class EncoderBlock(course.blocks.EncoderBlock):
    def forward(
        self, x: Float[Tensor, "*batch sequence d_model"], mask: Bool[Tensor, "..."] | None = None
    ) -> Float[Tensor, "*batch sequence d_model"]:
        x = x + self.norm1(self.dropout(self.self_attention(x, mask=mask)[0]))
        return x + self.norm2(self.dropout(self.feed_forward(x)))

# %% 4.7 wrong | the mask is inverted on its way to the attention
import course.blocks
from course.blocks import residual




@exercise("4.7")
class EncoderBlock(course.blocks.EncoderBlock):
    def forward(
        self, x: Float[Tensor, "*batch sequence d_model"], mask: Bool[Tensor, "..."] | None = None
    ) -> Float[Tensor, "*batch sequence d_model"]:
        if mask is not None:
            mask = ~mask
        x = residual(x, lambda y: self.dropout(self.self_attention(y, mask=mask)[0]), self.norm1, pre=self.pre)
        return residual(x, lambda y: self.dropout(self.feed_forward(y)), self.norm2, pre=self.pre)

# %% 4.7 wrong | returns the attention's weights along with the output
import course.blocks


@exercise("4.7")
class EncoderBlock(course.blocks.EncoderBlock):
    def forward(
        self, x: Float[Tensor, "*batch sequence d_model"], mask: Bool[Tensor, "..."] | None = None
    ) -> Float[Tensor, "*batch sequence d_model"]:
        output, weights = self.self_attention(self.norm1(x) if self.pre else x, mask=mask)
        x = x + self.dropout(output)
        x = x if self.pre else self.norm1(x)
        y = self.dropout(self.feed_forward(self.norm2(x) if self.pre else x))
        return (x + y if self.pre else self.norm2(x + y)), weights

# %% 4.7 wrong | forgets that the attention returns a pair and adds the pair to x
import course.blocks
from course.blocks import residual




@exercise("4.7")
class EncoderBlock(course.blocks.EncoderBlock):
    def forward(
        self, x: Float[Tensor, "*batch sequence d_model"], mask: Bool[Tensor, "..."] | None = None
    ) -> Float[Tensor, "*batch sequence d_model"]:
        x = residual(x, lambda y: self.dropout(self.self_attention(y, mask=mask)), self.norm1, pre=self.pre)
        return residual(x, lambda y: self.dropout(self.feed_forward(y)), self.norm2, pre=self.pre)

# %% 4.7 wrong | the mask is given as the second argument, where the attention takes its key
import course.blocks
from course.blocks import residual




@exercise("4.7")
class EncoderBlock(course.blocks.EncoderBlock):
    def forward(
        self, x: Float[Tensor, "*batch sequence d_model"], mask: Bool[Tensor, "..."] | None = None
    ) -> Float[Tensor, "*batch sequence d_model"]:
        x = residual(x, lambda y: self.dropout(self.self_attention(y, mask)[0]), self.norm1, pre=self.pre)
        return residual(x, lambda y: self.dropout(self.feed_forward(y)), self.norm2, pre=self.pre)

# %% 4.7 wrong | x += works in place and changes the caller's input
import course.blocks


@exercise("4.7")
class EncoderBlock(course.blocks.EncoderBlock):
    def forward(
        self, x: Float[Tensor, "*batch sequence d_model"], mask: Bool[Tensor, "..."] | None = None
    ) -> Float[Tensor, "*batch sequence d_model"]:
        if self.pre:
            x += self.dropout(self.self_attention(self.norm1(x), mask=mask)[0])
            x += self.dropout(self.feed_forward(self.norm2(x)))
            return x
        x += self.dropout(self.self_attention(x, mask=mask)[0])
        x = self.norm1(x)
        return self.norm2(x + self.dropout(self.feed_forward(x)))

# %% 4.7 wrong | with pre-norm the normalised x goes on the residual path as well: norm(x) + f(norm(x))
import course.blocks


@exercise("4.7")
class EncoderBlock(course.blocks.EncoderBlock):
    def forward(
        self, x: Float[Tensor, "*batch sequence d_model"], mask: Bool[Tensor, "..."] | None = None
    ) -> Float[Tensor, "*batch sequence d_model"]:
        if self.pre:
            x = self.norm1(x)
            x = x + self.dropout(self.self_attention(x, mask=mask)[0])
            x = self.norm2(x)
            return x + self.dropout(self.feed_forward(x))
        x = self.norm1(x + self.dropout(self.self_attention(x, mask=mask)[0]))
        return self.norm2(x + self.dropout(self.feed_forward(x)))

# %% 4.7 wrong | with pre-norm the keys and values are the x that is not normalised; only the query is
import course.blocks
from course.blocks import residual




@exercise("4.7")
class EncoderBlock(course.blocks.EncoderBlock):
    def forward(
        self, x: Float[Tensor, "*batch sequence d_model"], mask: Bool[Tensor, "..."] | None = None
    ) -> Float[Tensor, "*batch sequence d_model"]:
        old = x
        x = residual(x, lambda y: self.dropout(self.self_attention(y, old, old, mask=mask)[0]), self.norm1, pre=self.pre)
        return residual(x, lambda y: self.dropout(self.feed_forward(y)), self.norm2, pre=self.pre)

# %% 4.7 wrong | leaves the feed-forward network out
import course.blocks
from course.blocks import residual




@exercise("4.7")
class EncoderBlock(course.blocks.EncoderBlock):
    def forward(
        self, x: Float[Tensor, "*batch sequence d_model"], mask: Bool[Tensor, "..."] | None = None
    ) -> Float[Tensor, "*batch sequence d_model"]:
        return residual(x, lambda y: self.dropout(self.self_attention(y, mask=mask)[0]), self.norm1, pre=self.pre)

# %% 4.7 right | residual with lambdas
import course.blocks
from course.blocks import residual




@exercise("4.7")
class EncoderBlock(course.blocks.EncoderBlock):
    def forward(
        self, x: Float[Tensor, "*batch sequence d_model"], mask: Bool[Tensor, "..."] | None = None
    ) -> Float[Tensor, "*batch sequence d_model"]:
        x = residual(x, lambda y: self.dropout(self.self_attention(y, mask=mask)[0]), self.norm1, pre=self.pre)
        return residual(x, lambda y: self.dropout(self.feed_forward(y)), self.norm2, pre=self.pre)

# %% 4.7 right | written out for both orders, without residual
import course.blocks


@exercise("4.7")
class EncoderBlock(course.blocks.EncoderBlock):
    def forward(
        self, x: Float[Tensor, "*batch sequence d_model"], mask: Bool[Tensor, "..."] | None = None
    ) -> Float[Tensor, "*batch sequence d_model"]:
        if self.pre:
            x = x + self.dropout(self.self_attention(self.norm1(x), mask=mask)[0])
            x = x + self.dropout(self.feed_forward(self.norm2(x)))
        else:
            x = self.norm1(x + self.dropout(self.self_attention(x, mask=mask)[0]))
            x = self.norm2(x + self.dropout(self.feed_forward(x)))
        return x

# %% 4.7 right | named inner functions, weights not asked for
import course.blocks


@exercise("4.7")
class EncoderBlock(course.blocks.EncoderBlock):
    def forward(
        self, x: Float[Tensor, "*batch sequence d_model"], mask: Bool[Tensor, "..."] | None = None
    ) -> Float[Tensor, "*batch sequence d_model"]:
        def attend(y):
            output, _ = self.self_attention(y, mask=mask, need_weights=False)
            return self.dropout(output)

        def think(y):
            return self.dropout(self.feed_forward(y))

        x = course.blocks.residual(x, attend, self.norm1, pre=self.pre)
        return course.blocks.residual(x, think, self.norm2, pre=self.pre)

# %% 4.7 right | a loop over the two sublayers, query, key and value given
import course.blocks


@exercise("4.7")
class EncoderBlock(course.blocks.EncoderBlock):
    def forward(
        self, x: Float[Tensor, "*batch sequence d_model"], mask: Bool[Tensor, "..."] | None = None
    ) -> Float[Tensor, "*batch sequence d_model"]:
        sublayers = [
            (lambda y: self.self_attention(y, y, y, mask=mask)[0], self.norm1),
            (self.feed_forward, self.norm2),
        ]
        for sublayer, norm in sublayers:
            update = self.dropout(sublayer(norm(x) if self.pre else x))
            x = x + update
            if not self.pre:
                x = norm(x)
        return x
