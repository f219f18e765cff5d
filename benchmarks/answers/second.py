"""A second set of answers, to ten exercises, written without a look at the checks."""

# %% 3.2 wrong | the beginner counts the keys: it divides by the square root of their number, not of the width
@exercise("3.2")
def scaled_dot_score(
    query: Float[Tensor, "*batch query d_k"], key: Float[Tensor, "*batch key d_k"]
) -> Float[Tensor, "*batch query key"]:
    if query.shape[-1] != key.shape[-1]:
        raise ValueError("queries and keys differ in width")
    n = key.shape[-2]
    return query @ key.transpose(-2, -1) / math.sqrt(n)


# %% 3.2 wrong | the width is read from axis 1, which with a batch is the number of queries
@exercise("3.2")
def scaled_dot_score(
    query: Float[Tensor, "*batch query d_k"], key: Float[Tensor, "*batch key d_k"]
) -> Float[Tensor, "*batch query key"]:
    d_k = query.shape[1]
    if query.shape[-1] != key.shape[-1]:
        raise ValueError(f"{query.shape[-1]} != {key.shape[-1]}")
    return torch.matmul(query, key.transpose(-1, -2)) / d_k**0.5


# %% 3.2 wrong | divides by d_k itself, as muP does, not by its square root
@exercise("3.2")
def scaled_dot_score(
    query: Float[Tensor, "*batch query d_k"], key: Float[Tensor, "*batch key d_k"]
) -> Float[Tensor, "*batch query key"]:
    if query.size(-1) != key.size(-1):
        raise ValueError("width")
    # see muP: 1/d attention
    return torch.einsum("...qd,...kd->...qk", query, key) / query.size(-1)


# %% 3.2 wrong | the table lies on its side: rows are keys and columns are queries
@exercise("3.2")
def scaled_dot_score(
    query: Float[Tensor, "*batch query d_k"], key: Float[Tensor, "*batch key d_k"]
) -> Float[Tensor, "*batch query key"]:
    if query.shape[-1] != key.shape[-1]:
        raise ValueError("the widths must agree")
    return key @ query.mT / math.sqrt(key.shape[-1])


# %% 3.2 wrong | scales the caller's queries in place, so that they are smaller afterwards
@exercise("3.2")
def scaled_dot_score(
    query: Float[Tensor, "*batch query d_k"], key: Float[Tensor, "*batch key d_k"]
) -> Float[Tensor, "*batch query key"]:
    if query.shape[-1] != key.shape[-1]:
        raise ValueError("queries and keys differ in width")
    with torch.no_grad():
        query /= math.sqrt(query.shape[-1])
    return query @ key.mT


# %% 3.2 wrong | isqrt rounds the root down: right at widths 1, 4, 16, 64 and nowhere else
@exercise("3.2")
def scaled_dot_score(
    query: Float[Tensor, "*batch query d_k"], key: Float[Tensor, "*batch key d_k"]
) -> Float[Tensor, "*batch query key"]:
    d_k = query.shape[-1]
    if d_k != key.shape[-1]:
        raise ValueError(f"query width {d_k}, key width {key.shape[-1]}")
    return query @ key.mT / math.isqrt(d_k)


# %% 3.2 wrong | demands equal shapes, so as many keys as queries, where only the width has to agree
@exercise("3.2")
def scaled_dot_score(
    query: Float[Tensor, "*batch query d_k"], key: Float[Tensor, "*batch key d_k"]
) -> Float[Tensor, "*batch query key"]:
    if query.shape != key.shape:
        raise ValueError("query and key must have the same shape")
    return query @ key.mT / math.sqrt(query.shape[-1])


# %% 3.2 wrong | different widths give torch's RuntimeError, not a ValueError
@exercise("3.2")
def scaled_dot_score(
    query: Float[Tensor, "*batch query d_k"], key: Float[Tensor, "*batch key d_k"]
) -> Float[Tensor, "*batch query key"]:
    return query @ key.transpose(-2, -1) * query.shape[-1] ** -0.5


# %% 3.2 wrong | cuts the wider of the two down to the narrower one instead of complaining
@exercise("3.2")
def scaled_dot_score(
    query: Float[Tensor, "*batch query d_k"], key: Float[Tensor, "*batch key d_k"]
) -> Float[Tensor, "*batch query key"]:
    d_k = min(query.shape[-1], key.shape[-1])
    return query[..., :d_k] @ key[..., :d_k].mT / math.sqrt(d_k)


# %% 3.2 wrong | goes through NumPy, and no gradient comes back to queries and keys
@exercise("3.2")
def scaled_dot_score(
    query: Float[Tensor, "*batch query d_k"], key: Float[Tensor, "*batch key d_k"]
) -> Float[Tensor, "*batch query key"]:
    import numpy as np

    q, k = query.detach().numpy(), key.detach().numpy()
    if q.shape[-1] != k.shape[-1]:
        raise ValueError("shapes do not match")
    return torch.from_numpy(np.matmul(q, np.swapaxes(k, -1, -2)) / np.sqrt(q.shape[-1]).astype(q.dtype))


# %% 3.2 wrong | divides by the spread of these very scores instead of √d_k
@exercise("3.2")
def scaled_dot_score(
    query: Float[Tensor, "*batch query d_k"], key: Float[Tensor, "*batch key d_k"]
) -> Float[Tensor, "*batch query key"]:
    if query.shape[-1] != key.shape[-1]:
        raise ValueError("width")
    scores = query @ key.mT
    return scores / scores.std()  # now the variance is 1


# %% 3.2 wrong | divides both queries and keys by √d_k, so by d_k in all
@exercise("3.2")
def scaled_dot_score(
    query: Float[Tensor, "*batch query d_k"], key: Float[Tensor, "*batch key d_k"]
) -> Float[Tensor, "*batch query key"]:
    if query.shape[-1] != key.shape[-1]:
        raise ValueError("width")
    scale = math.sqrt(query.shape[-1])
    query, key = query / scale, key / scale
    return query @ key.mT


# %% 3.2 wrong | goes on to the softmax and gives weights, not scores
@exercise("3.2")
def scaled_dot_score(
    query: Float[Tensor, "*batch query d_k"], key: Float[Tensor, "*batch key d_k"]
) -> Float[Tensor, "*batch query key"]:
    if query.shape[-1] != key.shape[-1]:
        raise ValueError("width")
    scores = query @ key.mT / math.sqrt(query.shape[-1])
    return scores.softmax(dim=-1)


# %% 3.2 wrong | the subscripts name exactly one batch axis: a plain matrix, or two batch axes, fail
@exercise("3.2")
def scaled_dot_score(
    query: Float[Tensor, "*batch query d_k"], key: Float[Tensor, "*batch key d_k"]
) -> Float[Tensor, "*batch query key"]:
    if query.shape[-1] != key.shape[-1]:
        raise ValueError("width")
    return torch.einsum("bqd,bkd->bqk", query, key) / math.sqrt(query.shape[-1])


# %% 3.2 wrong | calculates in float32 and gives back float32 for float64 inputs
@exercise("3.2")
def scaled_dot_score(
    query: Float[Tensor, "*batch query d_k"], key: Float[Tensor, "*batch key d_k"]
) -> Float[Tensor, "*batch query key"]:
    if query.shape[-1] != key.shape[-1]:
        raise ValueError("width")
    query, key = query.to(torch.float32), key.to(torch.float32)
    return query @ key.mT / math.sqrt(query.shape[-1])


# %% 3.2 wrong | takes lengths out by normalising each vector (cosine) before scaling
@exercise("3.2")
def scaled_dot_score(
    query: Float[Tensor, "*batch query d_k"], key: Float[Tensor, "*batch key d_k"]
) -> Float[Tensor, "*batch query key"]:
    if query.shape[-1] != key.shape[-1]:
        raise ValueError("width")
    return F.normalize(query, dim=-1) @ F.normalize(key, dim=-1).mT / math.sqrt(query.shape[-1])


# %% 3.2 right | transpose, product, division
@exercise("3.2")
def scaled_dot_score(
    query: Float[Tensor, "*batch query d_k"], key: Float[Tensor, "*batch key d_k"]
) -> Float[Tensor, "*batch query key"]:
    d_k = query.shape[-1]
    if d_k != key.shape[-1]:
        raise ValueError(f"queries are {d_k} wide and keys {key.shape[-1]}")
    return query @ key.transpose(-2, -1) / math.sqrt(d_k)


# %% 3.2 right | the queries are scaled first, then an einsum
@exercise("3.2")
def scaled_dot_score(
    query: Float[Tensor, "*batch query d_k"], key: Float[Tensor, "*batch key d_k"]
) -> Float[Tensor, "*batch query key"]:
    if not query.size(-1) == key.size(-1):
        raise ValueError("width mismatch")
    small = query * query.size(-1) ** -0.5
    return torch.einsum("...id,...jd->...ij", small, key)


# %% 3.2 right | every pair by broadcasting, summed over the features
@exercise("3.2")
def scaled_dot_score(
    query: Float[Tensor, "*batch query d_k"], key: Float[Tensor, "*batch key d_k"]
) -> Float[Tensor, "*batch query key"]:
    if query.shape[-1] != key.shape[-1]:
        raise ValueError("queries and keys differ in width")
    pairs = query[..., :, None, :] * key[..., None, :, :]
    return pairs.sum(-1) / query.shape[-1] ** 0.5


# %% 3.2 right | one key at a time, columns stacked
@exercise("3.2")
def scaled_dot_score(
    query: Float[Tensor, "*batch query d_k"], key: Float[Tensor, "*batch key d_k"]
) -> Float[Tensor, "*batch query key"]:
    if query.shape[-1] != key.shape[-1]:
        raise ValueError("queries and keys differ in width")
    columns = []
    for j in range(key.shape[-2]):
        columns.append((query * key[..., j : j + 1, :]).sum(dim=-1))
    return torch.stack(columns, dim=-1) / math.sqrt(query.shape[-1])


# %% 3.5 wrong | reshapes straight to [heads, sequence, d_head], which mixes tokens
@exercise("3.5")
def split_heads(
    x: Float[Tensor, "*batch sequence d_model"], n_heads: int
) -> Float[Tensor, "*batch heads sequence d_head"]:
    *batch, n, d_model = x.shape
    if d_model % n_heads:
        raise ValueError("not divisible")
    return x.reshape(*batch, n_heads, n, d_model // n_heads)


# %% 3.5 wrong | deals the features out like cards: head h gets entries h, h + n_heads, ...
@exercise("3.5")
def split_heads(
    x: Float[Tensor, "*batch sequence d_model"], n_heads: int
) -> Float[Tensor, "*batch heads sequence d_head"]:
    if x.shape[-1] % n_heads != 0:
        raise ValueError("d_model must be divisible by n_heads")
    return torch.stack([x[..., h::n_heads] for h in range(n_heads)], dim=-3)


# %% 3.5 wrong | the axes stay [sequence, heads, d_head]
@exercise("3.5")
def split_heads(
    x: Float[Tensor, "*batch sequence d_model"], n_heads: int
) -> Float[Tensor, "*batch heads sequence d_head"]:
    if x.shape[-1] % n_heads:
        raise ValueError("d_model must be divisible by n_heads")
    return x.unflatten(-1, (n_heads, x.shape[-1] // n_heads))


# %% 3.5 wrong | swaps axes 1 and 2 counted from the front: only one batch axis works
@exercise("3.5")
def split_heads(
    x: Float[Tensor, "*batch sequence d_model"], n_heads: int
) -> Float[Tensor, "*batch heads sequence d_head"]:
    if x.shape[-1] % n_heads:
        raise ValueError("d_model must be divisible by n_heads")
    return x.reshape(*x.shape[:-1], n_heads, x.shape[-1] // n_heads).transpose(1, 2)


# %% 3.5 wrong | a tuple of pieces, not one tensor with an axis of heads
@exercise("3.5")
def split_heads(
    x: Float[Tensor, "*batch sequence d_model"], n_heads: int
) -> Float[Tensor, "*batch heads sequence d_head"]:
    if x.shape[-1] % n_heads:
        raise ValueError("d_model must be divisible by n_heads")
    return x.chunk(n_heads, dim=-1)


# %% 3.5 wrong | the heads come before the batch axes
@exercise("3.5")
def split_heads(
    x: Float[Tensor, "*batch sequence d_model"], n_heads: int
) -> Float[Tensor, "*batch heads sequence d_head"]:
    if x.shape[-1] % n_heads:
        raise ValueError("d_model must be divisible by n_heads")
    return torch.stack(x.chunk(n_heads, dim=-1))


# %% 3.5 wrong | leaves off the features that do not fit instead of complaining
@exercise("3.5")
def split_heads(
    x: Float[Tensor, "*batch sequence d_model"], n_heads: int
) -> Float[Tensor, "*batch heads sequence d_head"]:
    d_head = x.shape[-1] // n_heads
    x = x[..., : d_head * n_heads]
    return x.reshape(*x.shape[:-1], n_heads, d_head).transpose(-2, -3)


# %% 3.5 wrong | takes n_heads for the width of a piece: n_heads wide, d_model / n_heads many
@exercise("3.5")
def split_heads(
    x: Float[Tensor, "*batch sequence d_model"], n_heads: int
) -> Float[Tensor, "*batch heads sequence d_head"]:
    if x.shape[-1] % n_heads:
        raise ValueError("d_model must be divisible by n_heads")
    return torch.stack(x.split(n_heads, dim=-1), dim=-3)


# %% 3.5 wrong | asks whether the sequence's length divides, not the width
@exercise("3.5")
def split_heads(
    x: Float[Tensor, "*batch sequence d_model"], n_heads: int
) -> Float[Tensor, "*batch heads sequence d_head"]:
    *batch, d_model, n = x.shape  # hm
    if d_model % n_heads:
        raise ValueError("d_model must be divisible by n_heads")
    return x.unflatten(-1, (n_heads, -1)).transpose(-2, -3)


# %% 3.5 wrong | batch and heads become one axis, as inside torch's nn.MultiheadAttention
@exercise("3.5")
def split_heads(
    x: Float[Tensor, "*batch sequence d_model"], n_heads: int
) -> Float[Tensor, "*batch heads sequence d_head"]:
    n, d_model = x.shape[-2:]
    if d_model % n_heads:
        raise ValueError("d_model must be divisible by n_heads")
    return x.reshape(-1, n, n_heads, d_model // n_heads).transpose(1, 2).reshape(-1, n, d_model // n_heads)


# %% 3.5 wrong | fills a fresh float32 table: float64 comes back as float32
@exercise("3.5")
def split_heads(
    x: Float[Tensor, "*batch sequence d_model"], n_heads: int
) -> Float[Tensor, "*batch heads sequence d_head"]:
    *batch, n, d_model = x.shape
    if d_model % n_heads:
        raise ValueError("d_model must be divisible by n_heads")
    d_head = d_model // n_heads
    out = torch.zeros(*batch, n_heads, n, d_head)
    for h in range(n_heads):
        out[..., h, :, :] = x[..., h * d_head : (h + 1) * d_head]
    return out


# %% 3.5 wrong | the end "(h + 1) · d_head - 1" used as a Python slice's end: the last entry of each piece is lost
@exercise("3.5")
def split_heads(
    x: Float[Tensor, "*batch sequence d_model"], n_heads: int
) -> Float[Tensor, "*batch heads sequence d_head"]:
    if x.shape[-1] % n_heads:
        raise ValueError("d_model must be divisible by n_heads")
    d_head = x.shape[-1] // n_heads
    return torch.stack([x[..., h * d_head : (h + 1) * d_head - 1] for h in range(n_heads)], dim=-3)


# %% 3.5 wrong | squeeze() at the end: one head, or a batch of one, or one token, loses its axis
@exercise("3.5")
def split_heads(
    x: Float[Tensor, "*batch sequence d_model"], n_heads: int
) -> Float[Tensor, "*batch heads sequence d_head"]:
    if x.shape[-1] % n_heads:
        raise ValueError("d_model must be divisible by n_heads")
    return x.unflatten(-1, (n_heads, -1)).transpose(-2, -3).squeeze()


# %% 3.5 wrong | gives every head all features, masked to its own, so d_head is d_model
@exercise("3.5")
def split_heads(
    x: Float[Tensor, "*batch sequence d_model"], n_heads: int
) -> Float[Tensor, "*batch heads sequence d_head"]:
    d_model = x.shape[-1]
    if d_model % n_heads:
        raise ValueError("d_model must be divisible by n_heads")
    owner = torch.arange(d_model) // (d_model // n_heads)
    return torch.stack([x * (owner == h) for h in range(n_heads)], dim=-3)


# %% 3.5 wrong | .data cuts the pieces off from the gradient
@exercise("3.5")
def split_heads(
    x: Float[Tensor, "*batch sequence d_model"], n_heads: int
) -> Float[Tensor, "*batch heads sequence d_head"]:
    if x.shape[-1] % n_heads:
        raise ValueError("d_model must be divisible by n_heads")
    return x.data.unflatten(-1, (n_heads, -1)).movedim(-2, -3)


# %% 3.5 wrong | an assert, so AssertionError where ValueError was promised
@exercise("3.5")
def split_heads(
    x: Float[Tensor, "*batch sequence d_model"], n_heads: int
) -> Float[Tensor, "*batch heads sequence d_head"]:
    assert x.shape[-1] % n_heads == 0, "d_model must be divisible by n_heads"
    return x.unflatten(-1, (n_heads, -1)).movedim(-2, -3)


# %% 3.5 right | reshape and transpose, counted from the end
@exercise("3.5")
def split_heads(
    x: Float[Tensor, "*batch sequence d_model"], n_heads: int
) -> Float[Tensor, "*batch heads sequence d_head"]:
    *batch, n, d_model = x.shape
    if d_model % n_heads != 0:
        raise ValueError(f"{d_model} is not divisible by {n_heads}")
    return x.reshape(*batch, n, n_heads, d_model // n_heads).transpose(-3, -2)


# %% 3.5 right | stacked chunks
@exercise("3.5")
def split_heads(
    x: Float[Tensor, "*batch sequence d_model"], n_heads: int
) -> Float[Tensor, "*batch heads sequence d_head"]:
    d_head, rest = divmod(x.shape[-1], n_heads)
    if rest:
        raise ValueError("the heads do not come out even")
    return torch.stack(torch.split(x, d_head, dim=-1), dim=-3)


# %% 3.5 right | a table of feature numbers, and indexing
@exercise("3.5")
def split_heads(
    x: Float[Tensor, "*batch sequence d_model"], n_heads: int
) -> Float[Tensor, "*batch heads sequence d_head"]:
    if x.shape[-1] % n_heads:
        raise ValueError("width not divisible by n_heads")
    which = torch.arange(x.shape[-1], device=x.device).reshape(n_heads, -1)
    return x[..., which].movedim(-2, -3)


# %% 4.3 wrong | multiplies by w1 and w2 as in the paper's formula, where they are stored [out, in]
@exercise("4.3")
def feed_forward(
    x: Float[Tensor, "*batch d_model"],
    w1: Float[Tensor, "d_ff d_model"],
    b1: Float[Tensor, "d_ff"],
    w2: Float[Tensor, "d_model d_ff"],
    b2: Float[Tensor, "d_model"],
) -> Float[Tensor, "*batch d_model"]:
    return torch.clamp(x @ w1 + b1, min=0) @ w2 + b2


# %% 4.3 wrong | guesses from the shape whether to transpose: wrong when d_ff equals d_model
@exercise("4.3")
def feed_forward(
    x: Float[Tensor, "*batch d_model"],
    w1: Float[Tensor, "d_ff d_model"],
    b1: Float[Tensor, "d_ff"],
    w2: Float[Tensor, "d_model d_ff"],
    b2: Float[Tensor, "d_model"],
) -> Float[Tensor, "*batch d_model"]:
    if w1.shape[0] != x.shape[-1]:
        w1, w2 = w1.T, w2.T
    return F.relu(x @ w1 + b1) @ w2 + b2


# %% 4.3 wrong | cuts off negative outputs as well
@exercise("4.3")
def feed_forward(
    x: Float[Tensor, "*batch d_model"],
    w1: Float[Tensor, "d_ff d_model"],
    b1: Float[Tensor, "d_ff"],
    w2: Float[Tensor, "d_model d_ff"],
    b2: Float[Tensor, "d_model"],
) -> Float[Tensor, "*batch d_model"]:
    h = F.relu(F.linear(x, w1, b1))
    return F.relu(F.linear(h, w2, b2))


# %% 4.3 wrong | GELU, as in GPT, where the formula says max(0, ·)
@exercise("4.3")
def feed_forward(
    x: Float[Tensor, "*batch d_model"],
    w1: Float[Tensor, "d_ff d_model"],
    b1: Float[Tensor, "d_ff"],
    w2: Float[Tensor, "d_model d_ff"],
    b2: Float[Tensor, "d_model"],
) -> Float[Tensor, "*batch d_model"]:
    return F.linear(F.gelu(F.linear(x, w1, b1)), w2, b2)


# %% 4.3 wrong | the second bias is forgotten
@exercise("4.3")
def feed_forward(
    x: Float[Tensor, "*batch d_model"],
    w1: Float[Tensor, "d_ff d_model"],
    b1: Float[Tensor, "d_ff"],
    w2: Float[Tensor, "d_model d_ff"],
    b2: Float[Tensor, "d_model"],
) -> Float[Tensor, "*batch d_model"]:
    return (x @ w1.T + b1).relu() @ w2.T


# %% 4.3 wrong | adds x, the residual, which belongs to the block around it
@exercise("4.3")
def feed_forward(
    x: Float[Tensor, "*batch d_model"],
    w1: Float[Tensor, "d_ff d_model"],
    b1: Float[Tensor, "d_ff"],
    w2: Float[Tensor, "d_model d_ff"],
    b2: Float[Tensor, "d_model"],
) -> Float[Tensor, "*batch d_model"]:
    return x + (x @ w1.T + b1).relu() @ w2.T + b2


# %% 4.3 wrong | transposes the caller's weights in place
@exercise("4.3")
def feed_forward(
    x: Float[Tensor, "*batch d_model"],
    w1: Float[Tensor, "d_ff d_model"],
    b1: Float[Tensor, "d_ff"],
    w2: Float[Tensor, "d_model d_ff"],
    b2: Float[Tensor, "d_model"],
) -> Float[Tensor, "*batch d_model"]:
    with torch.no_grad():
        w1.t_()
        w2.t_()
    return F.relu(x @ w1 + b1) @ w2 + b2


# %% 4.3 wrong | reads max(0, ·) as the largest along axis 0
@exercise("4.3")
def feed_forward(
    x: Float[Tensor, "*batch d_model"],
    w1: Float[Tensor, "d_ff d_model"],
    b1: Float[Tensor, "d_ff"],
    w2: Float[Tensor, "d_model d_ff"],
    b2: Float[Tensor, "d_model"],
) -> Float[Tensor, "*batch d_model"]:
    h = x @ w1.T + b1
    h = torch.amax(h, 0, keepdim=True)
    return (h @ w2.T + b2).expand_as(x)


# %% 4.3 wrong | cuts before the bias is added
@exercise("4.3")
def feed_forward(
    x: Float[Tensor, "*batch d_model"],
    w1: Float[Tensor, "d_ff d_model"],
    b1: Float[Tensor, "d_ff"],
    w2: Float[Tensor, "d_model d_ff"],
    b2: Float[Tensor, "d_model"],
) -> Float[Tensor, "*batch d_model"]:
    h = F.relu(x @ w1.T) + b1
    return h @ w2.T + b2


# %% 4.3 wrong | puts the weights into new layers: no gradient reaches w1, b1, w2, b2
@exercise("4.3")
def feed_forward(
    x: Float[Tensor, "*batch d_model"],
    w1: Float[Tensor, "d_ff d_model"],
    b1: Float[Tensor, "d_ff"],
    w2: Float[Tensor, "d_model d_ff"],
    b2: Float[Tensor, "d_model"],
) -> Float[Tensor, "*batch d_model"]:
    d_ff, d_model = w1.shape
    first, second = nn.Linear(d_model, d_ff), nn.Linear(d_ff, d_model)
    first.weight, first.bias = nn.Parameter(w1.detach()), nn.Parameter(b1.detach())
    second.weight, second.bias = nn.Parameter(w2.detach()), nn.Parameter(b2.detach())
    return second(first(x).relu())


# %% 4.3 wrong | drops hidden units out at random, also outside of training
@exercise("4.3")
def feed_forward(
    x: Float[Tensor, "*batch d_model"],
    w1: Float[Tensor, "d_ff d_model"],
    b1: Float[Tensor, "d_ff"],
    w2: Float[Tensor, "d_model d_ff"],
    b2: Float[Tensor, "d_model"],
) -> Float[Tensor, "*batch d_model"]:
    h = F.dropout(F.relu(F.linear(x, w1, b1)), 0.1)
    return F.linear(h, w2, b2)


# %% 4.3 wrong | relu6 cuts off above 6 too
@exercise("4.3")
def feed_forward(
    x: Float[Tensor, "*batch d_model"],
    w1: Float[Tensor, "d_ff d_model"],
    b1: Float[Tensor, "d_ff"],
    w2: Float[Tensor, "d_model d_ff"],
    b2: Float[Tensor, "d_model"],
) -> Float[Tensor, "*batch d_model"]:
    return F.linear(F.relu6(F.linear(x, w1, b1)), w2, b2)


# %% 4.3 wrong | a leaky cut lets a hundredth of the negative through
@exercise("4.3")
def feed_forward(
    x: Float[Tensor, "*batch d_model"],
    w1: Float[Tensor, "d_ff d_model"],
    b1: Float[Tensor, "d_ff"],
    w2: Float[Tensor, "d_model d_ff"],
    b2: Float[Tensor, "d_model"],
) -> Float[Tensor, "*batch d_model"]:
    h = F.linear(x, w1, b1)
    h = torch.maximum(0.01 * h, h)
    return F.linear(h, w2, b2)


# %% 4.3 wrong | addmm takes matrices only: a batch axis, or a single vector, fails
@exercise("4.3")
def feed_forward(
    x: Float[Tensor, "*batch d_model"],
    w1: Float[Tensor, "d_ff d_model"],
    b1: Float[Tensor, "d_ff"],
    w2: Float[Tensor, "d_model d_ff"],
    b2: Float[Tensor, "d_model"],
) -> Float[Tensor, "*batch d_model"]:
    h = torch.addmm(b1, x, w1.t()).relu()
    return torch.addmm(b2, h, w2.t())


# %% 4.3 wrong | one max for all: cuts off unless some unit of the position is positive, then leaves everything
@exercise("4.3")
def feed_forward(
    x: Float[Tensor, "*batch d_model"],
    w1: Float[Tensor, "d_ff d_model"],
    b1: Float[Tensor, "d_ff"],
    w2: Float[Tensor, "d_model d_ff"],
    b2: Float[Tensor, "d_model"],
) -> Float[Tensor, "*batch d_model"]:
    h = F.linear(x, w1, b1)
    h = h * (h.amax(-1, keepdim=True) > 0)
    return F.linear(h, w2, b2)


# %% 4.3 wrong | loops over axis 0 and gives a list of vectors
@exercise("4.3")
def feed_forward(
    x: Float[Tensor, "*batch d_model"],
    w1: Float[Tensor, "d_ff d_model"],
    b1: Float[Tensor, "d_ff"],
    w2: Float[Tensor, "d_model d_ff"],
    b2: Float[Tensor, "d_model"],
) -> Float[Tensor, "*batch d_model"]:
    return [F.linear(F.linear(row, w1, b1).relu(), w2, b2) for row in x]


# %% 4.3 right | two times F.linear
@exercise("4.3")
def feed_forward(
    x: Float[Tensor, "*batch d_model"],
    w1: Float[Tensor, "d_ff d_model"],
    b1: Float[Tensor, "d_ff"],
    w2: Float[Tensor, "d_model d_ff"],
    b2: Float[Tensor, "d_model"],
) -> Float[Tensor, "*batch d_model"]:
    return F.linear(F.relu(F.linear(x, w1, b1)), w2, b2)


# %% 4.3 right | products with the transposes, and where
@exercise("4.3")
def feed_forward(
    x: Float[Tensor, "*batch d_model"],
    w1: Float[Tensor, "d_ff d_model"],
    b1: Float[Tensor, "d_ff"],
    w2: Float[Tensor, "d_model d_ff"],
    b2: Float[Tensor, "d_model"],
) -> Float[Tensor, "*batch d_model"]:
    hidden = x @ w1.T + b1
    hidden = torch.where(hidden > 0, hidden, torch.zeros_like(hidden))
    return hidden @ w2.T + b2


# %% 4.3 right | einsum, and (h + |h|) / 2 for the cut
@exercise("4.3")
def feed_forward(
    x: Float[Tensor, "*batch d_model"],
    w1: Float[Tensor, "d_ff d_model"],
    b1: Float[Tensor, "d_ff"],
    w2: Float[Tensor, "d_model d_ff"],
    b2: Float[Tensor, "d_model"],
) -> Float[Tensor, "*batch d_model"]:
    h = torch.einsum("...i,fi->...f", x, w1) + b1
    return torch.einsum("...f,of->...o", (h + h.abs()) / 2, w2) + b2


# %% 4.3 right | a sum over the hidden units, one after the other
@exercise("4.3")
def feed_forward(
    x: Float[Tensor, "*batch d_model"],
    w1: Float[Tensor, "d_ff d_model"],
    b1: Float[Tensor, "d_ff"],
    w2: Float[Tensor, "d_model d_ff"],
    b2: Float[Tensor, "d_model"],
) -> Float[Tensor, "*batch d_model"]:
    out = b2.expand(x.shape)
    for unit in range(w1.shape[0]):
        strength = ((x * w1[unit]).sum(-1, keepdim=True) + b1[unit]).relu()
        out = out + strength * w2[:, unit]
    return out


# %% 4.6 wrong | True at the padding, as torch's key_padding_mask has it
from collections.abc import Sequence


@exercise("4.6")
def padding_mask(lengths: Int[Tensor, "batch"] | Sequence[int], n: int) -> Bool[Tensor, "batch 1 n"]:
    lengths = torch.as_tensor(lengths)
    if lengths.is_floating_point():
        raise TypeError("lengths must be whole numbers")
    if (lengths < 0).any() or (lengths > n).any():
        raise ValueError("a length is out of range")
    return torch.arange(n) >= lengths[:, None, None]


# %% 4.6 wrong | <= opens the first padding position too
from collections.abc import Sequence


@exercise("4.6")
def padding_mask(lengths: Int[Tensor, "batch"] | Sequence[int], n: int) -> Bool[Tensor, "batch 1 n"]:
    lengths = torch.as_tensor(lengths)
    if lengths.is_floating_point():
        raise TypeError("lengths must be whole numbers")
    if (lengths < 0).any() or (lengths > n).any():
        raise ValueError("a length is out of range")
    return torch.arange(n) <= lengths[:, None, None]


# %% 4.6 wrong | no axis for the queries: [batch, n]
from collections.abc import Sequence


@exercise("4.6")
def padding_mask(lengths: Int[Tensor, "batch"] | Sequence[int], n: int) -> Bool[Tensor, "batch 1 n"]:
    lengths = torch.as_tensor(lengths)
    if lengths.is_floating_point():
        raise TypeError("lengths must be whole numbers")
    if any(l < 0 or l > n for l in lengths.tolist()):
        raise ValueError("a length is out of range")
    return torch.arange(n)[None] < lengths[:, None]


# %% 4.6 wrong | the axis of length 1 stands last, for the keys: padding queries see nothing, all keys are open
from collections.abc import Sequence


@exercise("4.6")
def padding_mask(lengths: Int[Tensor, "batch"] | Sequence[int], n: int) -> Bool[Tensor, "batch 1 n"]:
    lengths = torch.as_tensor(lengths)
    if lengths.is_floating_point():
        raise TypeError("lengths must be whole numbers")
    if (lengths < 0).any() or (lengths > n).any():
        raise ValueError("a length is out of range")
    return (torch.arange(n) < lengths[:, None]).unsqueeze(-1)


# %% 4.6 wrong | an additive mask of 0 and -inf, not a boolean one
from collections.abc import Sequence


@exercise("4.6")
def padding_mask(lengths: Int[Tensor, "batch"] | Sequence[int], n: int) -> Bool[Tensor, "batch 1 n"]:
    lengths = torch.as_tensor(lengths)
    if lengths.is_floating_point():
        raise TypeError("lengths must be whole numbers")
    if (lengths < 0).any() or (lengths > n).any():
        raise ValueError("a length is out of range")
    keep = torch.arange(n) < lengths[:, None, None]
    return torch.zeros(keep.shape).masked_fill(~keep, -math.inf)


# %% 4.6 wrong | n queries written out, and closed where the query is padding: only self-attention can use it
from collections.abc import Sequence


@exercise("4.6")
def padding_mask(lengths: Int[Tensor, "batch"] | Sequence[int], n: int) -> Bool[Tensor, "batch 1 n"]:
    lengths = torch.as_tensor(lengths)
    if lengths.is_floating_point():
        raise TypeError("lengths must be whole numbers")
    if (lengths < 0).any() or (lengths > n).any():
        raise ValueError("a length is out of range")
    real = torch.arange(n) < lengths[:, None]
    return real[:, :, None] & real[:, None, :]


# %% 4.6 wrong | the table is as wide as the longest sentence, whatever n is
from collections.abc import Sequence


@exercise("4.6")
def padding_mask(lengths: Int[Tensor, "batch"] | Sequence[int], n: int) -> Bool[Tensor, "batch 1 n"]:
    lengths = torch.as_tensor(lengths)
    if lengths.is_floating_point():
        raise TypeError("lengths must be whole numbers")
    if (lengths < 0).any() or (lengths > n).any():
        raise ValueError("a length is out of range")
    return torch.arange(int(lengths.max())) < lengths[:, None, None]


# %% 4.6 wrong | whole numbers are made by cutting: 2.7 is taken as 2 without a word
from collections.abc import Sequence


@exercise("4.6")
def padding_mask(lengths: Int[Tensor, "batch"] | Sequence[int], n: int) -> Bool[Tensor, "batch 1 n"]:
    lengths = torch.as_tensor(lengths).long()
    if (lengths < 0).any() or (lengths > n).any():
        raise ValueError("a length is out of range")
    return torch.arange(n) < lengths[:, None, None]


# %% 4.6 wrong | a negative length passes as 0
from collections.abc import Sequence


@exercise("4.6")
def padding_mask(lengths: Int[Tensor, "batch"] | Sequence[int], n: int) -> Bool[Tensor, "batch 1 n"]:
    lengths = torch.as_tensor(lengths)
    if lengths.is_floating_point():
        raise TypeError("lengths must be whole numbers")
    if len(lengths) and lengths.max() > n:
        raise ValueError("a sentence is longer than n")
    return torch.arange(n) < lengths[:, None, None]


# %% 4.6 wrong | a sentence without any padding is refused
from collections.abc import Sequence


@exercise("4.6")
def padding_mask(lengths: Int[Tensor, "batch"] | Sequence[int], n: int) -> Bool[Tensor, "batch 1 n"]:
    lengths = torch.as_tensor(lengths)
    if lengths.is_floating_point():
        raise TypeError("lengths must be whole numbers")
    for length in lengths:
        if length not in range(n):
            raise ValueError("a length is out of range")
    return torch.arange(n) < lengths[:, None, None]


# %% 4.6 wrong | an empty sentence is refused, though 0 is neither negative nor greater than n
from collections.abc import Sequence


@exercise("4.6")
def padding_mask(lengths: Int[Tensor, "batch"] | Sequence[int], n: int) -> Bool[Tensor, "batch 1 n"]:
    lengths = torch.as_tensor(lengths)
    if lengths.is_floating_point():
        raise TypeError("lengths must be whole numbers")
    if not ((1 <= lengths) & (lengths <= n)).all():
        raise ValueError("a length is out of range")
    return torch.arange(n) < lengths[:, None, None]


# %% 4.6 wrong | pads on the left: the last positions are open
from collections.abc import Sequence


@exercise("4.6")
def padding_mask(lengths: Int[Tensor, "batch"] | Sequence[int], n: int) -> Bool[Tensor, "batch 1 n"]:
    lengths = torch.as_tensor(lengths)
    if lengths.is_floating_point():
        raise TypeError("lengths must be whole numbers")
    if (lengths < 0).any() or (lengths > n).any():
        raise ValueError("a length is out of range")
    return (torch.arange(n) < lengths[:, None, None]).flip(-1)


# %% 4.6 wrong | 0 and 1 as integers, not booleans
from collections.abc import Sequence


@exercise("4.6")
def padding_mask(lengths: Int[Tensor, "batch"] | Sequence[int], n: int) -> Bool[Tensor, "batch 1 n"]:
    rows = []
    for length in lengths:
        if not isinstance(length, int) and (not isinstance(length, Tensor) or length.is_floating_point()):
            raise TypeError("lengths must be whole numbers")
        if length < 0 or length > n:
            raise ValueError("a length is out of range")
        rows.append([[1] * int(length) + [0] * (n - int(length))])
    return torch.tensor(rows)


# %% 4.6 wrong | knows lists only: the numbers in a tensor are no int, so it raises a TypeError
from collections.abc import Sequence


@exercise("4.6")
def padding_mask(lengths: Int[Tensor, "batch"] | Sequence[int], n: int) -> Bool[Tensor, "batch 1 n"]:
    if not all(isinstance(length, int) for length in lengths):
        raise TypeError("lengths must be whole numbers")
    if not all(0 <= length <= n for length in lengths):
        raise ValueError("a length is out of range")
    return torch.tensor([[[i < length for i in range(n)]] for length in lengths])


# %% 4.6 wrong | lengths that are too great or negative are clamped, not refused
from collections.abc import Sequence


@exercise("4.6")
def padding_mask(lengths: Int[Tensor, "batch"] | Sequence[int], n: int) -> Bool[Tensor, "batch 1 n"]:
    lengths = torch.as_tensor(lengths)
    if lengths.is_floating_point():
        raise TypeError("lengths must be whole numbers")
    return torch.arange(n) < lengths.clamp(0, n)[:, None, None]


# %% 4.6 wrong | fractions raise a ValueError where a TypeError was promised
from collections.abc import Sequence


@exercise("4.6")
def padding_mask(lengths: Int[Tensor, "batch"] | Sequence[int], n: int) -> Bool[Tensor, "batch 1 n"]:
    lengths = torch.as_tensor(lengths)
    if lengths.is_floating_point() or (lengths < 0).any() or (lengths > n).any():
        raise ValueError("lengths must be whole numbers from 0 to n")
    return torch.arange(n) < lengths[:, None, None]


# %% 4.6 wrong | the right booleans as nested Python lists
from collections.abc import Sequence


@exercise("4.6")
def padding_mask(lengths: Int[Tensor, "batch"] | Sequence[int], n: int) -> Bool[Tensor, "batch 1 n"]:
    lengths = torch.as_tensor(lengths)
    if lengths.is_floating_point():
        raise TypeError("lengths must be whole numbers")
    if (lengths < 0).any() or (lengths > n).any():
        raise ValueError("a length is out of range")
    return [[[i < length for i in range(n)]] for length in lengths.tolist()]


# %% 4.6 right | positions compared with lengths
from collections.abc import Sequence


@exercise("4.6")
def padding_mask(lengths: Int[Tensor, "batch"] | Sequence[int], n: int) -> Bool[Tensor, "batch 1 n"]:
    if not isinstance(lengths, Tensor):
        lengths = torch.tensor(lengths) if len(lengths) else torch.zeros(0, dtype=torch.long)
    if lengths.is_floating_point() or lengths.is_complex() or lengths.dtype == torch.bool:
        raise TypeError("lengths must be whole numbers")
    if ((lengths < 0) | (lengths > n)).any():
        raise ValueError(f"lengths must be between 0 and {n}")
    return (torch.arange(n, device=lengths.device) < lengths[:, None])[:, None]


# %% 4.6 right | row by row into a table of False
from collections.abc import Sequence


@exercise("4.6")
def padding_mask(lengths: Int[Tensor, "batch"] | Sequence[int], n: int) -> Bool[Tensor, "batch 1 n"]:
    numbers = lengths.tolist() if isinstance(lengths, Tensor) else list(lengths)
    mask = torch.zeros(len(numbers), 1, n, dtype=torch.bool)
    for row, length in enumerate(numbers):
        if type(length) is not int:
            raise TypeError(f"{length} is not a whole number")
        if not 0 <= length <= n:
            raise ValueError(f"{length} is not between 0 and {n}")
        mask[row, 0, :length] = True
    return mask


# %% 4.6 right | rows of a triangle of all prefixes
from collections.abc import Sequence


@exercise("4.6")
def padding_mask(lengths: Int[Tensor, "batch"] | Sequence[int], n: int) -> Bool[Tensor, "batch 1 n"]:
    numbers = lengths.tolist() if isinstance(lengths, Tensor) else [*lengths]
    if any(isinstance(x, bool) or not isinstance(x, int) for x in numbers):
        raise TypeError("lengths must be ints")
    if any(x < 0 or x > n for x in numbers):
        raise ValueError("lengths must lie between 0 and n")
    prefixes = torch.ones(n + 1, n, dtype=torch.bool).tril(-1)  # row m opens m positions
    return prefixes[torch.tensor(numbers, dtype=torch.long)].unsqueeze(1)


# %% 5.3 wrong | the two are swapped: reads the answers and is asked for what came before
@exercise("5.3")
def teacher_forcing(
    target: Int[Tensor, "batch n"],
) -> tuple[Int[Tensor, "batch n-1"], Int[Tensor, "batch n-1"]]:
    return target[:, 1:], target[:, :-1]


# %% 5.3 wrong | cuts the batch axis: leaves out the last sentence and the first one
@exercise("5.3")
def teacher_forcing(
    target: Int[Tensor, "batch n"],
) -> tuple[Int[Tensor, "batch n-1"], Int[Tensor, "batch n-1"]]:
    return target[:-1], target[1:]


# %% 5.3 wrong | the decoder is given all n tokens, the answers are n - 1
@exercise("5.3")
def teacher_forcing(
    target: Int[Tensor, "batch n"],
) -> tuple[Int[Tensor, "batch n-1"], Int[Tensor, "batch n-1"]]:
    return target, target[:, 1:]


# %% 5.3 wrong | padding among the answers becomes -100, which nobody asked for
@exercise("5.3")
def teacher_forcing(
    target: Int[Tensor, "batch n"],
) -> tuple[Int[Tensor, "batch n-1"], Int[Tensor, "batch n-1"]]:
    from course.text.tokenizers import PAD

    inputs, labels = target[:, :-1], target[:, 1:].clone()
    labels[labels == PAD] = -100
    return inputs, labels


# %% 5.3 wrong | takes "the last" for each sentence's <eos> and makes padding of it in the inputs
@exercise("5.3")
def teacher_forcing(
    target: Int[Tensor, "batch n"],
) -> tuple[Int[Tensor, "batch n-1"], Int[Tensor, "batch n-1"]]:
    from course.text.tokenizers import EOS, PAD

    inputs = torch.where(target == EOS, PAD, target)[:, :-1]
    return inputs, target[:, 1:]


# %% 5.3 wrong | one tensor [2, batch, n-1] instead of a tuple of two
@exercise("5.3")
def teacher_forcing(
    target: Int[Tensor, "batch n"],
) -> tuple[Int[Tensor, "batch n-1"], Int[Tensor, "batch n-1"]]:
    return torch.stack([target[:, :-1], target[:, 1:]])


# %% 5.3 wrong | rolls: the inputs begin with what stood last, and both keep all n places
@exercise("5.3")
def teacher_forcing(
    target: Int[Tensor, "batch n"],
) -> tuple[Int[Tensor, "batch n-1"], Int[Tensor, "batch n-1"]]:
    return target.roll(1, dims=1), target


# %% 5.3 wrong | asks for the token after the next
@exercise("5.3")
def teacher_forcing(
    target: Int[Tensor, "batch n"],
) -> tuple[Int[Tensor, "batch n-1"], Int[Tensor, "batch n-1"]]:
    return target[:, :-2], target[:, 2:]


# %% 5.3 wrong | <eos> is never asked for: the last column is dropped on both sides
@exercise("5.3")
def teacher_forcing(
    target: Int[Tensor, "batch n"],
) -> tuple[Int[Tensor, "batch n-1"], Int[Tensor, "batch n-1"]]:
    inputs = target[:, :-2]
    labels = target[:, 1:-1]
    return inputs, labels


# %% 5.3 wrong | thinks the decoder is asked only once: all but the last goes in, the last alone comes out
@exercise("5.3")
def teacher_forcing(
    target: Int[Tensor, "batch n"],
) -> tuple[Int[Tensor, "batch n-1"], Int[Tensor, "batch n-1"]]:
    return target[:, :-1], target[:, -1:]


# %% 5.3 wrong | shifts the caller's tensor itself to the left
@exercise("5.3")
def teacher_forcing(
    target: Int[Tensor, "batch n"],
) -> tuple[Int[Tensor, "batch n-1"], Int[Tensor, "batch n-1"]]:
    inputs = target[:, :-1].clone()
    labels = target
    for i in range(target.shape[1] - 1):
        labels[:, i] = target[:, i + 1]
    return inputs, labels[:, :-1]


# %% 5.3 wrong | cuts everything at the first sentence's <eos>: longer sentences lose their ends
@exercise("5.3")
def teacher_forcing(
    target: Int[Tensor, "batch n"],
) -> tuple[Int[Tensor, "batch n-1"], Int[Tensor, "batch n-1"]]:
    from course.text.tokenizers import EOS

    end = (target[0] == EOS).nonzero()[0].item()
    return target[:, :end], target[:, 1 : end + 1]


# %% 5.3 wrong | the answers are flattened, ready for cross_entropy
@exercise("5.3")
def teacher_forcing(
    target: Int[Tensor, "batch n"],
) -> tuple[Int[Tensor, "batch n-1"], Int[Tensor, "batch n-1"]]:
    return target[:, :-1], target[:, 1:].reshape(-1)


# %% 5.3 wrong | token ids become floats
@exercise("5.3")
def teacher_forcing(
    target: Int[Tensor, "batch n"],
) -> tuple[Int[Tensor, "batch n-1"], Int[Tensor, "batch n-1"]]:
    target = target.float()
    return target[:, :-1], target[:, 1:]


# %% 5.3 wrong | takes the padding out, so ragged lists come back
@exercise("5.3")
def teacher_forcing(
    target: Int[Tensor, "batch n"],
) -> tuple[Int[Tensor, "batch n-1"], Int[Tensor, "batch n-1"]]:
    from course.text.tokenizers import PAD

    rows = [[t for t in row if t != PAD] for row in target.tolist()]
    return [row[:-1] for row in rows], [row[1:] for row in rows]


# %% 5.3 wrong | squeezed: a batch of one loses its axis
@exercise("5.3")
def teacher_forcing(
    target: Int[Tensor, "batch n"],
) -> tuple[Int[Tensor, "batch n-1"], Int[Tensor, "batch n-1"]]:
    return target[:, :-1].squeeze(), target[:, 1:].squeeze()


# %% 5.3 wrong | "shifted right" once too often: a second <bos> in front, so each place gets the token before its own
@exercise("5.3")
def teacher_forcing(
    target: Int[Tensor, "batch n"],
) -> tuple[Int[Tensor, "batch n-1"], Int[Tensor, "batch n-1"]]:
    from course.text.tokenizers import BOS

    start = torch.full_like(target[:, :1], BOS)
    return torch.cat([start, target[:, :-1]], dim=1)[:, :-1], target[:, 1:]


# %% 5.3 right | two slices
@exercise("5.3")
def teacher_forcing(
    target: Int[Tensor, "batch n"],
) -> tuple[Int[Tensor, "batch n-1"], Int[Tensor, "batch n-1"]]:
    return target[:, :-1], target[:, 1:]


# %% 5.3 right | narrow
@exercise("5.3")
def teacher_forcing(
    target: Int[Tensor, "batch n"],
) -> tuple[Int[Tensor, "batch n-1"], Int[Tensor, "batch n-1"]]:
    m = target.size(1) - 1
    return target.narrow(1, 0, m), target.narrow(1, 1, m)


# %% 5.3 right | windows of two: what is given, what is asked
@exercise("5.3")
def teacher_forcing(
    target: Int[Tensor, "batch n"],
) -> tuple[Int[Tensor, "batch n-1"], Int[Tensor, "batch n-1"]]:
    given, asked = target.unfold(1, 2, 1).unbind(-1)
    return given.contiguous(), asked.contiguous()


# %% 5.3 right | picked by position numbers
@exercise("5.3")
def teacher_forcing(
    target: Int[Tensor, "batch n"],
) -> tuple[Int[Tensor, "batch n-1"], Int[Tensor, "batch n-1"]]:
    places = torch.arange(target.shape[-1] - 1, device=target.device)
    inputs = torch.index_select(target, 1, places)
    labels = torch.index_select(target, 1, places + 1)
    return inputs, labels


# %% 8.4 wrong | nats, not bits
@exercise("8.4")
def surprise(logits: Float[Tensor, "*batch vocab"], ids: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    return -logits.log_softmax(-1).gather(-1, ids[..., None])[..., 0]


# %% 8.4 wrong | no minus: surprises are negative
@exercise("8.4")
def surprise(logits: Float[Tensor, "*batch vocab"], ids: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    p = logits.softmax(-1)
    return p.gather(-1, ids.unsqueeze(-1)).squeeze(-1).log2()


# %% 8.4 wrong | softmax along the first axis: over the positions, not the vocabulary
@exercise("8.4")
def surprise(logits: Float[Tensor, "*batch vocab"], ids: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    log_p = torch.log_softmax(logits, dim=0) / math.log(2)
    return -log_p.gather(-1, ids[..., None]).squeeze(-1)


# %% 8.4 wrong | exp of the bare logits overflows: large logits give nan
@exercise("8.4")
def surprise(logits: Float[Tensor, "*batch vocab"], ids: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    p = logits.exp() / logits.exp().sum(-1, keepdim=True)
    return -torch.log2(p.gather(-1, ids[..., None])[..., 0])


# %% 8.4 wrong | probabilities below 1e-9 count as 1e-9: nothing surprises by more than 30 bits
@exercise("8.4")
def surprise(logits: Float[Tensor, "*batch vocab"], ids: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    p = logits.softmax(-1).clamp(min=1e-9)
    return -p.gather(-1, ids[..., None]).squeeze(-1).log2()


# %% 8.4 wrong | multiplies by ln 2 where it should divide
@exercise("8.4")
def surprise(logits: Float[Tensor, "*batch vocab"], ids: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    nats = logits.logsumexp(-1) - logits.gather(-1, ids[..., None]).squeeze(-1)
    return nats * math.log(2)


# %% 8.4 wrong | the mean over all tokens, not one number a token
@exercise("8.4")
def surprise(logits: Float[Tensor, "*batch vocab"], ids: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    return F.cross_entropy(logits.reshape(-1, logits.shape[-1]), ids.reshape(-1)) / math.log(2)


# %% 8.4 wrong | the entropy of each distribution: the surprise to be expected, whatever token came
@exercise("8.4")
def surprise(logits: Float[Tensor, "*batch vocab"], ids: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    log_p = logits.log_softmax(-1)
    return -(log_p.exp() * log_p).sum(-1) / math.log(2)


# %% 8.4 wrong | pairs position i with logits i - 1 once more, though these logits already predicted the tokens
@exercise("8.4")
def surprise(logits: Float[Tensor, "*batch vocab"], ids: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    log_p = logits[..., :-1, :].log_softmax(-1)
    return -log_p.gather(-1, ids[..., 1:, None]).squeeze(-1) / math.log(2)


# %% 8.4 wrong | the axis of length 1 from gather is left in place
@exercise("8.4")
def surprise(logits: Float[Tensor, "*batch vocab"], ids: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    log_p = logits.log_softmax(-1) / math.log(2)
    return -log_p.gather(-1, ids.unsqueeze(-1))


# %% 8.4 wrong | cross_entropy looks for the vocabulary on axis 1: two batch axes go wrong
@exercise("8.4")
def surprise(logits: Float[Tensor, "*batch vocab"], ids: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    return F.cross_entropy(logits, ids, reduction="none") / math.log(2)


# %% 8.4 wrong | only one row of tokens: range(n) along axis 0
@exercise("8.4")
def surprise(logits: Float[Tensor, "*batch vocab"], ids: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    log_p = logits.log_softmax(-1)
    return -log_p[range(len(ids)), ids] / math.log(2)


# %% 8.4 wrong | every position with every token: indexes [n, n] and then keeps the first column
@exercise("8.4")
def surprise(logits: Float[Tensor, "*batch vocab"], ids: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    log_p = torch.log2(logits.softmax(-1))
    return -log_p[..., ids.flatten()][..., 0]


# %% 8.4 wrong | bits are counted whole: rounded up
@exercise("8.4")
def surprise(logits: Float[Tensor, "*batch vocab"], ids: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    log_p = logits.log_softmax(-1) / math.log(2)
    return torch.ceil(-log_p.gather(-1, ids.unsqueeze(-1)).squeeze(-1))


# %% 8.4 wrong | takes the maximum out of the caller's logits in place
@exercise("8.4")
def surprise(logits: Float[Tensor, "*batch vocab"], ids: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    with torch.no_grad():
        logits -= logits.max(dim=-1, keepdim=True).values
    nats = logits.exp().sum(-1).log() - logits.gather(-1, ids[..., None]).squeeze(-1)
    return nats / math.log(2)


# %% 8.4 wrong | 1 - p: how improbable, but no bits (0 for certain, ½ for a coin)
@exercise("8.4")
def surprise(logits: Float[Tensor, "*batch vocab"], ids: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    return 1 - logits.softmax(-1).gather(-1, ids[..., None]).squeeze(-1)


# %% 8.4 wrong | takes 2 to the power of the logits instead of e
@exercise("8.4")
def surprise(logits: Float[Tensor, "*batch vocab"], ids: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    top = logits.amax(-1, keepdim=True)
    log_sum = torch.log2((2.0 ** (logits - top)).sum(-1)) + top[..., 0]
    return log_sum - logits.gather(-1, ids[..., None]).squeeze(-1)


# %% 8.4 wrong | a list of numbers, not a tensor
@exercise("8.4")
def surprise(logits: Float[Tensor, "*batch vocab"], ids: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    log_p = logits.log_softmax(-1)
    bits = -log_p.gather(-1, ids.unsqueeze(-1)).squeeze(-1) / math.log(2)
    return bits.tolist()


# %% 8.4 right | log-softmax, gather, divided by ln 2
@exercise("8.4")
def surprise(logits: Float[Tensor, "*batch vocab"], ids: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    log_p = F.log_softmax(logits, dim=-1)
    return -log_p.gather(-1, ids[..., None]).squeeze(-1) / math.log(2)


# %% 8.4 right | log of the sum minus the token's logit
@exercise("8.4")
def surprise(logits: Float[Tensor, "*batch vocab"], ids: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    mine = torch.take_along_dim(logits, ids.unsqueeze(-1), dim=-1)[..., 0]
    return (torch.logsumexp(logits, dim=-1) - mine) * math.log2(math.e)


# %% 8.4 right | torch's cross-entropy on a flat table, put into shape again
@exercise("8.4")
def surprise(logits: Float[Tensor, "*batch vocab"], ids: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    flat = F.cross_entropy(logits.reshape(-1, logits.shape[-1]), ids.reshape(-1), reduction="none")
    return flat.reshape(ids.shape) / math.log(2)


# %% 8.4 right | a one-hot mask picks the token's log-probability
@exercise("8.4")
def surprise(logits: Float[Tensor, "*batch vocab"], ids: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    log_p = logits - logits.logsumexp(dim=-1, keepdim=True)
    mine = torch.arange(logits.shape[-1], device=ids.device) == ids[..., None]
    return -log_p.masked_fill(~mine, 0.0).sum(-1) / math.log(2.0)


# %% 8.8 wrong | start is not looked at: each piece begins at position 0
import course.models.gpt


@exercise("8.8")
class GPT(course.models.gpt.GPT):
    def embed(self, ids: Int[Tensor, "*batch n"], start: int = 0) -> Float[Tensor, "*batch n d_model"]:
        n = ids.shape[-1]
        if start + n > self.config.max_length:
            raise ValueError("too long")
        return self.embedding(ids) + self.positions(n)


# %% 8.8 wrong | behind a cache it counts from start + 1
import course.models.gpt


@exercise("8.8")
class GPT(course.models.gpt.GPT):
    def embed(self, ids: Int[Tensor, "*batch n"], start: int = 0) -> Float[Tensor, "*batch n d_model"]:
        n = ids.shape[-1]
        if start + n > self.config.max_length:
            raise ValueError("too long")
        first = start + 1 if start else 0
        places = torch.arange(first, first + n).clamp(max=self.config.max_length - 1)
        return self.embedding(ids) + self.positions.embedding(places)


# %% 8.8 wrong | every new token gets position start: right only for one token at a time
import course.models.gpt


@exercise("8.8")
class GPT(course.models.gpt.GPT):
    def embed(self, ids: Int[Tensor, "*batch n"], start: int = 0) -> Float[Tensor, "*batch n d_model"]:
        n = ids.shape[-1]
        if start + n > self.config.max_length:
            raise ValueError("too long")
        if start:
            return self.embedding(ids) + self.positions.embedding.weight[start]
        return self.embedding(ids) + self.positions(n)


# %% 8.8 wrong | too many positions end in the embedding's IndexError
import course.models.gpt


@exercise("8.8")
class GPT(course.models.gpt.GPT):
    def embed(self, ids: Int[Tensor, "*batch n"], start: int = 0) -> Float[Tensor, "*batch n d_model"]:
        places = torch.arange(start, start + ids.shape[-1], device=ids.device)
        return self.embedding(ids) + self.positions.embedding(places)


# %% 8.8 wrong | only the new tokens are counted against max_length, and beyond it positions begin anew
import course.models.gpt


@exercise("8.8")
class GPT(course.models.gpt.GPT):
    def embed(self, ids: Int[Tensor, "*batch n"], start: int = 0) -> Float[Tensor, "*batch n d_model"]:
        n, longest = ids.shape[-1], self.config.max_length
        if n > longest:
            raise ValueError("too long")
        places = (start + torch.arange(n)) % longest
        return self.embedding(ids) + self.positions.embedding(places)


# %% 8.8 wrong | whatever lies beyond the last position gets the last position's vector
import course.models.gpt


@exercise("8.8")
class GPT(course.models.gpt.GPT):
    def embed(self, ids: Int[Tensor, "*batch n"], start: int = 0) -> Float[Tensor, "*batch n d_model"]:
        if ids.shape[-1] > self.config.max_length:
            raise ValueError("too long")
        places = torch.arange(start, start + ids.shape[-1]).clamp(max=self.config.max_length - 1)
        return self.embedding(ids) + self.positions.embedding(places)


# %% 8.8 wrong | unpacks batch and n: a single text without a batch axis fails
import course.models.gpt


@exercise("8.8")
class GPT(course.models.gpt.GPT):
    def embed(self, ids: Int[Tensor, "*batch n"], start: int = 0) -> Float[Tensor, "*batch n d_model"]:
        _, n = ids.shape
        if start + n > self.config.max_length:
            raise ValueError("too long")
        return self.embedding(ids) + self.positions(start + n)[start:]


# %% 8.8 wrong | token vectors times √d_model, as in the Transformer of notebook 05
import course.models.gpt


@exercise("8.8")
class GPT(course.models.gpt.GPT):
    def embed(self, ids: Int[Tensor, "*batch n"], start: int = 0) -> Float[Tensor, "*batch n d_model"]:
        n = ids.shape[-1]
        if start + n > self.config.max_length:
            raise ValueError("too long")
        return self.embedding(ids) * math.sqrt(self.config.d_model) + self.positions(start + n)[start:]


# %% 8.8 wrong | >= refuses the text that just fills the model
import course.models.gpt


@exercise("8.8")
class GPT(course.models.gpt.GPT):
    def embed(self, ids: Int[Tensor, "*batch n"], start: int = 0) -> Float[Tensor, "*batch n d_model"]:
        end = start + ids.shape[-1]
        if end >= self.config.max_length:
            raise ValueError("too long")
        return self.embedding(ids) + self.positions.embedding.weight[start:end]


# %% 8.8 wrong | shifts the model's own table of positions by start, for good
import course.models.gpt


@exercise("8.8")
class GPT(course.models.gpt.GPT):
    def embed(self, ids: Int[Tensor, "*batch n"], start: int = 0) -> Float[Tensor, "*batch n d_model"]:
        n = ids.shape[-1]
        if start + n > self.config.max_length:
            raise ValueError("too long")
        table = self.positions.embedding.weight
        table.data = table.data.roll(-start, dims=0)
        return self.embedding(ids) + self.positions(n)


# %% 8.8 wrong | .data: the position vectors get no gradient and are never learned
import course.models.gpt


@exercise("8.8")
class GPT(course.models.gpt.GPT):
    def embed(self, ids: Int[Tensor, "*batch n"], start: int = 0) -> Float[Tensor, "*batch n d_model"]:
        n = ids.shape[-1]
        if start + n > self.config.max_length:
            raise ValueError("too long")
        return self.embedding(ids) + self.positions.embedding.weight.data[start : start + n]


# %% 8.8 wrong | start shifts the token ids, not the positions
import course.models.gpt


@exercise("8.8")
class GPT(course.models.gpt.GPT):
    def embed(self, ids: Int[Tensor, "*batch n"], start: int = 0) -> Float[Tensor, "*batch n d_model"]:
        n = ids.shape[-1]
        if start + n > self.config.max_length:
            raise ValueError("too long")
        shifted = (ids + start) % self.config.vocab_size
        return self.embedding(shifted) + self.positions(n)


# %% 8.8 wrong | numbers the tokens through the whole batch: the second text goes on where the first one ended
import course.models.gpt


@exercise("8.8")
class GPT(course.models.gpt.GPT):
    def embed(self, ids: Int[Tensor, "*batch n"], start: int = 0) -> Float[Tensor, "*batch n d_model"]:
        places = start + torch.arange(ids.numel()).view_as(ids)
        if ids.shape[-1] + start > self.config.max_length or places.max() >= self.config.max_length:
            raise ValueError("too long")
        return self.embedding(ids) + self.positions.embedding(places)


# %% 8.8 wrong | the place is counted from the end of the table: positions before max_length, not from start
import course.models.gpt


@exercise("8.8")
class GPT(course.models.gpt.GPT):
    def embed(self, ids: Int[Tensor, "*batch n"], start: int = 0) -> Float[Tensor, "*batch n d_model"]:
        n = ids.shape[-1]
        if start + n > self.config.max_length:
            raise ValueError("too long")
        if start == 0:
            return self.embedding(ids) + self.positions(n)
        return self.embedding(ids) + self.positions(self.config.max_length)[-n:]


# %% 8.8 wrong | sine and cosine positions in place of the learned ones
import course.models.gpt


@exercise("8.8")
class GPT(course.models.gpt.GPT):
    def embed(self, ids: Int[Tensor, "*batch n"], start: int = 0) -> Float[Tensor, "*batch n d_model"]:
        n, d = ids.shape[-1], self.config.d_model
        if start + n > self.config.max_length:
            raise ValueError("too long")
        angle = torch.arange(start, start + n)[:, None] / 10000 ** (torch.arange(0, d, 2) / d)
        waves = torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)[:, :d]
        return self.embedding(ids) + waves


# %% 8.8 wrong | keeps its own count instead of taking start: a second text begins where the first one stopped
import course.models.gpt


@exercise("8.8")
class GPT(course.models.gpt.GPT):
    seen = 0

    def embed(self, ids: Int[Tensor, "*batch n"], start: int = 0) -> Float[Tensor, "*batch n d_model"]:
        n = ids.shape[-1]
        first = self.seen
        if max(first, start) + n > self.config.max_length:
            raise ValueError("too long")
        self.seen = first + n
        return self.embedding(ids) + self.positions(first + n)[first:]


# %% 8.8 right | all positions up to the end, the first ones cut off
import course.models.gpt


@exercise("8.8")
class GPT(course.models.gpt.GPT):
    def embed(self, ids: Int[Tensor, "*batch n"], start: int = 0) -> Float[Tensor, "*batch n d_model"]:
        return self.embedding(ids) + self.positions(start + ids.shape[-1])[start:]


# %% 8.8 right | a slice of the table
import course.models.gpt


@exercise("8.8")
class GPT(course.models.gpt.GPT):
    def embed(self, ids: Int[Tensor, "*batch n"], start: int = 0) -> Float[Tensor, "*batch n d_model"]:
        stop = start + ids.size(-1)
        if stop > self.config.max_length:
            raise ValueError(f"{stop} positions, but the model knows only {self.config.max_length}")
        return self.embedding(ids) + self.positions.embedding.weight[start:stop]


# %% 8.8 right | position numbers as ids
import course.models.gpt


@exercise("8.8")
class GPT(course.models.gpt.GPT):
    def embed(self, ids: Int[Tensor, "*batch n"], start: int = 0) -> Float[Tensor, "*batch n d_model"]:
        places = torch.arange(ids.shape[-1], device=ids.device) + start
        if len(places) + start > self.positions.embedding.num_embeddings:
            raise ValueError("too many positions")
        places = places.expand_as(ids)
        return F.embedding(places, self.positions.embedding.weight) + F.embedding(ids, self.embedding.weight)


# %% 9.3 wrong | the usual p ± z·√(p(1 − p)/n), which claims certainty after 60 of 60
@exercise("9.3")
def wilson_interval(right: int, asked: int, z: float = 1.96) -> tuple[float, float]:
    if not 0 <= right <= asked or asked == 0:
        raise ValueError("no such share")
    p = right / asked
    half = z * math.sqrt(p * (1 - p) / asked)
    return max(0.0, p - half), min(1.0, p + half)


# %% 9.3 wrong | Agresti and Coull's own interval: Wilson's middle, but Wald's width around it
@exercise("9.3")
def wilson_interval(right: int, asked: int, z: float = 1.96) -> tuple[float, float]:
    if asked <= 0 or right < 0 or right > asked:
        raise ValueError("need 0 <= right <= asked, asked > 0")
    n = asked + z**2
    p = (right + z**2 / 2) / n
    half = z * math.sqrt(p * (1 - p) / n)
    return p - half, p + half


# %% 9.3 wrong | z²/(4n) under the root where z²/(4n²) belongs
@exercise("9.3")
def wilson_interval(right: int, asked: int, z: float = 1.96) -> tuple[float, float]:
    if asked <= 0 or right < 0 or right > asked:
        raise ValueError("need 0 <= right <= asked, asked > 0")
    p, n = right / asked, asked
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n))
    below = 1 + z * z / n
    return (p + z * z / (2 * n) - half) / below, (p + z * z / (2 * n) + half) / below


# %% 9.3 wrong | no brackets: z**2 / 2 * n and z**2 / 4 * n**2 multiply by n where they should divide by it
@exercise("9.3")
def wilson_interval(right: int, asked: int, z: float = 1.96) -> tuple[float, float]:
    if asked <= 0 or right < 0 or right > asked:
        raise ValueError("need 0 <= right <= asked, asked > 0")
    p = right / asked
    middle = p + z**2 / 2 * asked
    half = z * math.sqrt(p * (1 - p) / asked + z**2 / 4 * asked**2)
    scale = 1 + z**2 / asked
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


# %% 9.3 wrong | only the middle is divided by 1 + z²/n, not the width
@exercise("9.3")
def wilson_interval(right: int, asked: int, z: float = 1.96) -> tuple[float, float]:
    if asked <= 0 or right < 0 or right > asked:
        raise ValueError("need 0 <= right <= asked, asked > 0")
    p = right / asked
    middle = (p + z**2 / (2 * asked)) / (1 + z**2 / asked)
    half = z * math.sqrt(p * (1 - p) / asked + z**2 / (4 * asked**2))
    return middle - half, middle + half


# %% 9.3 wrong | gives the middle and the half width, not the two ends
@exercise("9.3")
def wilson_interval(right: int, asked: int, z: float = 1.96) -> tuple[float, float]:
    if asked <= 0 or right < 0 or right > asked:
        raise ValueError("need 0 <= right <= asked, asked > 0")
    p = right / asked
    scale = 1 + z**2 / asked
    middle = (p + z**2 / (2 * asked)) / scale
    half = z * math.sqrt(p * (1 - p) / asked + z**2 / (4 * asked**2)) / scale
    return middle, half


# %% 9.3 wrong | percent, not shares
@exercise("9.3")
def wilson_interval(right: int, asked: int, z: float = 1.96) -> tuple[float, float]:
    if asked <= 0 or right < 0 or right > asked:
        raise ValueError("need 0 <= right <= asked, asked > 0")
    middle = right + z**2 / 2
    half = z * math.sqrt(right * (asked - right) / asked + z**2 / 4)
    n = asked + z**2
    return 100 * (middle - half) / n, 100 * (middle + half) / n


# %% 9.3 wrong | z is never used: 1.96 is written in
@exercise("9.3")
def wilson_interval(right: int, asked: int, z: float = 1.96) -> tuple[float, float]:
    if asked <= 0 or right < 0 or right > asked:
        raise ValueError("need 0 <= right <= asked, asked > 0")
    z2 = 3.8416
    middle = right + z2 / 2
    half = 1.96 * math.sqrt(right * (asked - right) / asked + z2 / 4)
    return (middle - half) / (asked + z2), (middle + half) / (asked + z2)


# %% 9.3 wrong | refuses 0 of 60 and 60 of 60, the very cases that it is for
@exercise("9.3")
def wilson_interval(right: int, asked: int, z: float = 1.96) -> tuple[float, float]:
    if not 0 < right < asked:
        raise ValueError("need 0 <= right <= asked")
    middle = right + z**2 / 2
    half = z * math.sqrt(right * (asked - right) / asked + z**2 / 4)
    return (middle - half) / (asked + z**2), (middle + half) / (asked + z**2)


# %% 9.3 wrong | leaves complaining to Python: nothing asked is a ZeroDivisionError, 11 of 10 with a large z passes
@exercise("9.3")
def wilson_interval(right: int, asked: int, z: float = 1.96) -> tuple[float, float]:
    p = right / asked
    scale = 1 + z**2 / asked
    middle = (p + z**2 / (2 * asked)) / scale
    half = z * math.sqrt(p * (1 - p) / asked + z**2 / (4 * asked**2)) / scale
    return middle - half, middle + half


# %% 9.3 wrong | says that all is possible, (0, 1), where nothing was asked, and does not raise
@exercise("9.3")
def wilson_interval(right: int, asked: int, z: float = 1.96) -> tuple[float, float]:
    if asked == 0:
        return 0.0, 1.0
    if not 0 <= right <= asked:
        raise ValueError("need 0 <= right <= asked")
    middle = right + z**2 / 2
    half = z * math.sqrt(right * (asked - right) / asked + z**2 / 4)
    return (middle - half) / (asked + z**2), (middle + half) / (asked + z**2)


# %% 9.3 wrong | a tensor of two numbers, not a tuple of floats
@exercise("9.3")
def wilson_interval(right: int, asked: int, z: float = 1.96) -> tuple[float, float]:
    if asked <= 0 or right < 0 or right > asked:
        raise ValueError("need 0 <= right <= asked, asked > 0")
    middle = right + z**2 / 2
    half = z * math.sqrt(right * (asked - right) / asked + z**2 / 4)
    return torch.tensor([middle - half, middle + half], dtype=torch.float64) / (asked + z**2)


# %% 9.3 wrong | the upper end comes first
@exercise("9.3")
def wilson_interval(right: int, asked: int, z: float = 1.96) -> tuple[float, float]:
    if asked <= 0 or right < 0 or right > asked:
        raise ValueError("need 0 <= right <= asked, asked > 0")
    middle = right + z**2 / 2
    half = z * math.sqrt(right * (asked - right) / asked + z**2 / 4)
    return tuple((middle + sign * half) / (asked + z**2) for sign in (1, -1))


# %% 9.3 wrong | with the correction for continuity (Newcombe's version), so wider than Wilson's
@exercise("9.3")
def wilson_interval(right: int, asked: int, z: float = 1.96) -> tuple[float, float]:
    if asked <= 0 or right < 0 or right > asked:
        raise ValueError("need 0 <= right <= asked, asked > 0")
    n, p = asked, right / asked
    down = z * math.sqrt(z**2 - 1 / n + 4 * n * p * (1 - p) + (4 * p - 2)) + 1 if right else 0
    up = z * math.sqrt(z**2 - 1 / n + 4 * n * p * (1 - p) - (4 * p - 2)) + 1 if right < n else 0
    low = max(0.0, (2 * n * p + z**2 - down) / (2 * (n + z**2))) if right else 0.0
    high = min(1.0, (2 * n * p + z**2 + up) / (2 * (n + z**2))) if right < n else 1.0
    return low, high


# %% 9.3 wrong | symmetric around the measured share: Wilson's width, but no shift of the middle
@exercise("9.3")
def wilson_interval(right: int, asked: int, z: float = 1.96) -> tuple[float, float]:
    if asked <= 0 or right < 0 or right > asked:
        raise ValueError("need 0 <= right <= asked, asked > 0")
    p = right / asked
    half = z * math.sqrt(p * (1 - p) / asked + z**2 / (4 * asked**2)) / (1 + z**2 / asked)
    return max(0.0, p - half), min(1.0, p + half)


# %% 9.3 wrong | the ends are rounded to whole hundredths
@exercise("9.3")
def wilson_interval(right: int, asked: int, z: float = 1.96) -> tuple[float, float]:
    if asked <= 0 or right < 0 or right > asked:
        raise ValueError("need 0 <= right <= asked, asked > 0")
    middle = right + z**2 / 2
    half = z * math.sqrt(right * (asked - right) / asked + z**2 / 4)
    return round((middle - half) / (asked + z**2), 2), round((middle + half) / (asked + z**2), 2)


# %% 9.3 right | the formula as the books print it
@exercise("9.3")
def wilson_interval(right: int, asked: int, z: float = 1.96) -> tuple[float, float]:
    if asked < 1 or not 0 <= right <= asked:
        raise ValueError(f"{right} of {asked} is no share")
    p = right / asked
    scale = 1 + z**2 / asked
    middle = (p + z**2 / (2 * asked)) / scale
    half = z * math.sqrt(p * (1 - p) / asked + z**2 / (4 * asked**2)) / scale
    return middle - half, middle + half


# %% 9.3 right | in counts instead of shares
@exercise("9.3")
def wilson_interval(right: int, asked: int, z: float = 1.96) -> tuple[float, float]:
    if asked <= 0:
        raise ValueError("nothing was asked")
    if right < 0 or right > asked:
        raise ValueError("right must lie between 0 and asked")
    wrong = asked - right
    half = z * (right * wrong / asked + z * z / 4) ** 0.5
    low = (right + z * z / 2 - half) / (asked + z * z)
    high = (right + z * z / 2 + half) / (asked + z * z)
    return max(0.0, low), min(1.0, high)


# %% 9.3 right | the two shares that are z standard errors from what was measured: a quadratic equation
@exercise("9.3")
def wilson_interval(right: int, asked: int, z: float = 1.96) -> tuple[float, float]:
    if not (0 <= right <= asked and asked > 0):
        raise ValueError("unless 0 <= right <= asked and something was asked")
    p = right / asked
    # (p - x)² = z² x (1 - x) / n
    a, b, c = 1 + z**2 / asked, -(2 * p + z**2 / asked), p**2
    root = math.sqrt(max(0.0, b * b - 4 * a * c))
    return (-b - root) / (2 * a), (-b + root) / (2 * a)


# %% 10.4 wrong | the activation is left out
import course.models.bert_heads


@exercise("10.4")
class MaskedLMHead(course.models.bert_heads.MaskedLMHead):
    def forward(
        self, x: Float[Tensor, "*batch d_model"], embedding: Float[Tensor, "vocab d_model"]
    ) -> Float[Tensor, "*batch vocab"]:
        return self.norm(self.linear(x)) @ embedding.T + self.bias


# %% 10.4 wrong | norm and activation in the other order
import course.models.bert_heads


@exercise("10.4")
class MaskedLMHead(course.models.bert_heads.MaskedLMHead):
    def forward(
        self, x: Float[Tensor, "*batch d_model"], embedding: Float[Tensor, "vocab d_model"]
    ) -> Float[Tensor, "*batch vocab"]:
        return self.activation(self.norm(self.linear(x))) @ embedding.T + self.bias


# %% 10.4 wrong | normed first, as in GPT's blocks, before the linear map
import course.models.bert_heads


@exercise("10.4")
class MaskedLMHead(course.models.bert_heads.MaskedLMHead):
    def forward(
        self, x: Float[Tensor, "*batch d_model"], embedding: Float[Tensor, "vocab d_model"]
    ) -> Float[Tensor, "*batch vocab"]:
        h = self.activation(self.linear(self.norm(x)))
        return F.linear(h, embedding, self.bias)


# %% 10.4 wrong | no bias for the tokens: right as long as it is still 0
import course.models.bert_heads


@exercise("10.4")
class MaskedLMHead(course.models.bert_heads.MaskedLMHead):
    def forward(
        self, x: Float[Tensor, "*batch d_model"], embedding: Float[Tensor, "vocab d_model"]
    ) -> Float[Tensor, "*batch vocab"]:
        return self.norm(self.activation(self.linear(x))) @ embedding.T


# %% 10.4 wrong | always GELU, whatever activation the model was made with
import course.models.bert_heads


@exercise("10.4")
class MaskedLMHead(course.models.bert_heads.MaskedLMHead):
    def forward(
        self, x: Float[Tensor, "*batch d_model"], embedding: Float[Tensor, "vocab d_model"]
    ) -> Float[Tensor, "*batch vocab"]:
        h = self.norm(F.gelu(self.linear(x)))
        return F.linear(h, embedding, self.bias)


# %% 10.4 wrong | GPT-2's approximate GELU in place of the model's own
import course.models.bert_heads


@exercise("10.4")
class MaskedLMHead(course.models.bert_heads.MaskedLMHead):
    def forward(
        self, x: Float[Tensor, "*batch d_model"], embedding: Float[Tensor, "vocab d_model"]
    ) -> Float[Tensor, "*batch vocab"]:
        h = self.linear(x)
        h = 0.5 * h * (1 + torch.tanh(math.sqrt(2 / math.pi) * (h + 0.044715 * h**3)))
        return F.linear(self.norm(h), embedding, self.bias)


# %% 10.4 wrong | probabilities, not logits
import course.models.bert_heads


@exercise("10.4")
class MaskedLMHead(course.models.bert_heads.MaskedLMHead):
    def forward(
        self, x: Float[Tensor, "*batch d_model"], embedding: Float[Tensor, "vocab d_model"]
    ) -> Float[Tensor, "*batch vocab"]:
        h = self.norm(self.activation(self.linear(x)))
        return (h @ embedding.mT + self.bias).softmax(-1)


# %% 10.4 wrong | adds x before the norm, like a block's residual
import course.models.bert_heads


@exercise("10.4")
class MaskedLMHead(course.models.bert_heads.MaskedLMHead):
    def forward(
        self, x: Float[Tensor, "*batch d_model"], embedding: Float[Tensor, "vocab d_model"]
    ) -> Float[Tensor, "*batch vocab"]:
        h = self.norm(x + self.activation(self.linear(x)))
        return h @ embedding.mT + self.bias


# %% 10.4 wrong | products divided by √d_model, as if it were attention
import course.models.bert_heads


@exercise("10.4")
class MaskedLMHead(course.models.bert_heads.MaskedLMHead):
    def forward(
        self, x: Float[Tensor, "*batch d_model"], embedding: Float[Tensor, "vocab d_model"]
    ) -> Float[Tensor, "*batch vocab"]:
        h = self.norm(self.activation(self.linear(x)))
        return h @ embedding.mT / math.sqrt(x.shape[-1]) + self.bias


# %% 10.4 wrong | the embedding is detached: as the output matrix it gets no gradient
import course.models.bert_heads


@exercise("10.4")
class MaskedLMHead(course.models.bert_heads.MaskedLMHead):
    def forward(
        self, x: Float[Tensor, "*batch d_model"], embedding: Float[Tensor, "vocab d_model"]
    ) -> Float[Tensor, "*batch vocab"]:
        h = self.norm(self.activation(self.linear(x)))
        return F.linear(h, embedding.detach(), self.bias)


# %% 10.4 wrong | the bias is added twice, once by F.linear
import course.models.bert_heads


@exercise("10.4")
class MaskedLMHead(course.models.bert_heads.MaskedLMHead):
    def forward(
        self, x: Float[Tensor, "*batch d_model"], embedding: Float[Tensor, "vocab d_model"]
    ) -> Float[Tensor, "*batch vocab"]:
        h = self.norm(self.activation(self.linear(x)))
        return F.linear(h, embedding, self.bias) + self.bias


# %% 10.4 wrong | norms without the learned weight and bias: right only before training
import course.models.bert_heads


@exercise("10.4")
class MaskedLMHead(course.models.bert_heads.MaskedLMHead):
    def forward(
        self, x: Float[Tensor, "*batch d_model"], embedding: Float[Tensor, "vocab d_model"]
    ) -> Float[Tensor, "*batch vocab"]:
        h = self.activation(self.linear(x))
        h = F.layer_norm(h, h.shape[-1:], eps=1e-12)
        return F.linear(h, embedding, self.bias)


# %% 10.4 wrong | only [CLS] is answered, not each place
import course.models.bert_heads


@exercise("10.4")
class MaskedLMHead(course.models.bert_heads.MaskedLMHead):
    def forward(
        self, x: Float[Tensor, "*batch d_model"], embedding: Float[Tensor, "vocab d_model"]
    ) -> Float[Tensor, "*batch vocab"]:
        h = self.norm(self.activation(self.linear(x[..., 0, :])))
        return F.linear(h, embedding, self.bias)


# %% 10.4 wrong | a new linear map, with new random weights, at every call
import course.models.bert_heads


@exercise("10.4")
class MaskedLMHead(course.models.bert_heads.MaskedLMHead):
    def forward(
        self, x: Float[Tensor, "*batch d_model"], embedding: Float[Tensor, "vocab d_model"]
    ) -> Float[Tensor, "*batch vocab"]:
        d = x.shape[-1]
        h = self.norm(self.activation(nn.Linear(d, d, dtype=x.dtype)(x)))
        return F.linear(h, embedding, self.bias)


# %% 10.4 wrong | multiplies by the embedding's pseudo-inverse to undo it, where BERT takes the transpose
import course.models.bert_heads


@exercise("10.4")
class MaskedLMHead(course.models.bert_heads.MaskedLMHead):
    def forward(
        self, x: Float[Tensor, "*batch d_model"], embedding: Float[Tensor, "vocab d_model"]
    ) -> Float[Tensor, "*batch vocab"]:
        h = self.norm(self.activation(self.linear(x)))
        return h @ torch.linalg.pinv(embedding) + self.bias


# %% 10.4 wrong | norms over all places together: a place's logits depend on the other places
import course.models.bert_heads


@exercise("10.4")
class MaskedLMHead(course.models.bert_heads.MaskedLMHead):
    def forward(
        self, x: Float[Tensor, "*batch d_model"], embedding: Float[Tensor, "vocab d_model"]
    ) -> Float[Tensor, "*batch vocab"]:
        h = self.activation(self.linear(x))
        h = (h - h.mean()) / h.std(correction=0) * self.norm.weight + self.norm.bias
        return F.linear(h, embedding, self.bias)


# %% 10.4 wrong | the likeliest token's id at each place, not every token's logit
import course.models.bert_heads


@exercise("10.4")
class MaskedLMHead(course.models.bert_heads.MaskedLMHead):
    def forward(
        self, x: Float[Tensor, "*batch d_model"], embedding: Float[Tensor, "vocab d_model"]
    ) -> Float[Tensor, "*batch vocab"]:
        h = self.norm(self.activation(self.linear(x)))
        return F.linear(h, embedding, self.bias).argmax(-1)


# %% 10.4 right | in one line
import course.models.bert_heads


@exercise("10.4")
class MaskedLMHead(course.models.bert_heads.MaskedLMHead):
    def forward(
        self, x: Float[Tensor, "*batch d_model"], embedding: Float[Tensor, "vocab d_model"]
    ) -> Float[Tensor, "*batch vocab"]:
        return F.linear(self.norm(self.activation(self.linear(x))), embedding, self.bias)


# %% 10.4 right | step by step, product with the transpose
import course.models.bert_heads


@exercise("10.4")
class MaskedLMHead(course.models.bert_heads.MaskedLMHead):
    def forward(
        self, x: Float[Tensor, "*batch d_model"], embedding: Float[Tensor, "vocab d_model"]
    ) -> Float[Tensor, "*batch vocab"]:
        x = self.linear(x)
        x = self.activation(x)
        x = self.norm(x)
        logits = x @ embedding.transpose(0, 1)
        logits = logits + self.bias
        return logits


# %% 10.4 right | everything by hand but the norm
import course.models.bert_heads


@exercise("10.4")
class MaskedLMHead(course.models.bert_heads.MaskedLMHead):
    def forward(
        self, x: Float[Tensor, "*batch d_model"], embedding: Float[Tensor, "vocab d_model"]
    ) -> Float[Tensor, "*batch vocab"]:
        moved = torch.einsum("...i,oi->...o", x, self.linear.weight) + self.linear.bias
        normed = self.norm(self.activation(moved))
        return torch.einsum("...d,vd->...v", normed, embedding) + self.bias


# %% 11.6 wrong | counts words that are in a name and tagged right, not whole names
from collections.abc import Sequence
from course.studies.metrics import Score


@exercise("11.6")
def entity_scores(right: Sequence[Sequence[str]], given: Sequence[Sequence[str]]) -> Score:
    if not right:
        raise ValueError("no sentences")
    pairs = [(a, b) for r, g in zip(right, given, strict=True) for a, b in zip(r, g, strict=True)]
    hits = sum(a == b != "O" for a, b in pairs)
    n_given, n_right = sum(b != "O" for _, b in pairs), sum(a != "O" for a, _ in pairs)
    p = hits / n_given if n_given else 0.0
    r = hits / n_right if n_right else 0.0
    return Score(p, r, 2 * p * r / (p + r) if p + r else 0.0)


# %% 11.6 wrong | the mean of each sentence's scores, where all names count alike
from collections.abc import Sequence
from course.studies.metrics import Score, entities


@exercise("11.6")
def entity_scores(right: Sequence[Sequence[str]], given: Sequence[Sequence[str]]) -> Score:
    if not right:
        raise ValueError("no sentences")
    ps, rs, fs = [], [], []
    for a, b in zip(right, given, strict=True):
        if len(a) != len(b):
            raise ValueError("not as many tags as words")
        x = {(e.kind, e.first, e.last) for e in entities(a)}
        y = {(e.kind, e.first, e.last) for e in entities(b)}
        p = len(x & y) / len(y) if y else 0.0
        r = len(x & y) / len(x) if x else 0.0
        ps.append(p)
        rs.append(r)
        fs.append(2 * p * r / (p + r) if p + r else 0.0)
    n = len(right)
    return Score(sum(ps) / n, sum(rs) / n, sum(fs) / n)


# %% 11.6 wrong | the kind is not compared: a person found as a place counts
from collections.abc import Sequence
from course.studies.metrics import Score, entities


@exercise("11.6")
def entity_scores(right: Sequence[Sequence[str]], given: Sequence[Sequence[str]]) -> Score:
    if not right or any(len(a) != len(b) for a, b in zip(right, given, strict=True)):
        raise ValueError("no sentences, or not as many tags as words")
    x = {(i, e.first, e.last) for i, tags in enumerate(right) for e in entities(tags)}
    y = {(i, e.first, e.last) for i, tags in enumerate(given) for e in entities(tags)}
    p = len(x & y) / len(y) if y else 0.0
    r = len(x & y) / len(x) if x else 0.0
    return Score(p, r, 2 * p * r / (p + r) if p + r else 0.0)


# %% 11.6 wrong | throws all names into one set without the sentence's number: equal ones of two sentences are one
from collections.abc import Sequence
from course.studies.metrics import Score, entities


@exercise("11.6")
def entity_scores(right: Sequence[Sequence[str]], given: Sequence[Sequence[str]]) -> Score:
    if not right or any(len(a) != len(b) for a, b in zip(right, given, strict=True)):
        raise ValueError("no sentences, or not as many tags as words")
    x = {(e.kind, e.first, e.last) for tags in right for e in entities(tags)}
    y = {(e.kind, e.first, e.last) for tags in given for e in entities(tags)}
    p = len(x & y) / len(y) if y else 0.0
    r = len(x & y) / len(x) if x else 0.0
    return Score(p, r, 2 * p * r / (p + r) if p + r else 0.0)


# %% 11.6 wrong | joins the sentences to one text: an I at a sentence's start goes on with the name before it
from collections.abc import Sequence
from course.studies.metrics import Score, entities


@exercise("11.6")
def entity_scores(right: Sequence[Sequence[str]], given: Sequence[Sequence[str]]) -> Score:
    if not right or any(len(a) != len(b) for a, b in zip(right, given, strict=True)):
        raise ValueError("no sentences, or not as many tags as words")
    x = {(e.kind, e.first, e.last) for e in entities([t for tags in right for t in tags])}
    y = {(e.kind, e.first, e.last) for e in entities([t for tags in given for t in tags])}
    p = len(x & y) / len(y) if y else 0.0
    r = len(x & y) / len(x) if x else 0.0
    return Score(p, r, 2 * p * r / (p + r) if p + r else 0.0)


# %% 11.6 wrong | precision and recall are swapped
from collections.abc import Sequence
from course.studies.metrics import Score, entities


@exercise("11.6")
def entity_scores(right: Sequence[Sequence[str]], given: Sequence[Sequence[str]]) -> Score:
    if not right or any(len(a) != len(b) for a, b in zip(right, given, strict=True)):
        raise ValueError("no sentences, or not as many tags as words")
    x = {(i, e.kind, e.first, e.last) for i, tags in enumerate(right) for e in entities(tags)}
    y = {(i, e.kind, e.first, e.last) for i, tags in enumerate(given) for e in entities(tags)}
    p = len(x & y) / len(x) if x else 0.0
    r = len(x & y) / len(y) if y else 0.0
    return Score(p, r, 2 * p * r / (p + r) if p + r else 0.0)


# %% 11.6 wrong | no names given, or none right: ZeroDivisionError instead of 0
from collections.abc import Sequence
from course.studies.metrics import Score, entities


@exercise("11.6")
def entity_scores(right: Sequence[Sequence[str]], given: Sequence[Sequence[str]]) -> Score:
    if not right or any(len(a) != len(b) for a, b in zip(right, given, strict=True)):
        raise ValueError("no sentences, or not as many tags as words")
    x = {(i, e.kind, e.first, e.last) for i, tags in enumerate(right) for e in entities(tags)}
    y = {(i, e.kind, e.first, e.last) for i, tags in enumerate(given) for e in entities(tags)}
    p, r = len(x & y) / len(y), len(x & y) / len(x)
    return Score(p, r, 2 * p * r / (p + r))


# %% 11.6 wrong | nothing to find and nothing given counts as perfect, where Score says 0
from collections.abc import Sequence
from course.studies.metrics import Score, entities


@exercise("11.6")
def entity_scores(right: Sequence[Sequence[str]], given: Sequence[Sequence[str]]) -> Score:
    if not right or any(len(a) != len(b) for a, b in zip(right, given, strict=True)):
        raise ValueError("no sentences, or not as many tags as words")
    x = {(i, e.kind, e.first, e.last) for i, tags in enumerate(right) for e in entities(tags)}
    y = {(i, e.kind, e.first, e.last) for i, tags in enumerate(given) for e in entities(tags)}
    if not x and not y:
        return Score(1.0, 1.0, 1.0)
    p = len(x & y) / len(y) if y else 0.0
    r = len(x & y) / len(x) if x else 0.0
    return Score(p, r, 2 * p * r / (p + r) if p + r else 0.0)


# %% 11.6 wrong | a sentence with fewer tags than words passes
from collections.abc import Sequence
from course.studies.metrics import Score, entities


@exercise("11.6")
def entity_scores(right: Sequence[Sequence[str]], given: Sequence[Sequence[str]]) -> Score:
    if len(right) == 0 or len(right) != len(given):
        raise ValueError("no sentences")
    x = {(i, e.kind, e.first, e.last) for i, tags in enumerate(right) for e in entities(tags)}
    y = {(i, e.kind, e.first, e.last) for i, tags in enumerate(given) for e in entities(tags)}
    p = len(x & y) / len(y) if y else 0.0
    r = len(x & y) / len(x) if x else 0.0
    return Score(p, r, 2 * p * r / (p + r) if p + r else 0.0)


# %% 11.6 wrong | compares only the number of tags in all: sentences cut in other places pass
from collections.abc import Sequence
from course.studies.metrics import Score, entities


@exercise("11.6")
def entity_scores(right: Sequence[Sequence[str]], given: Sequence[Sequence[str]]) -> Score:
    if not right or len(right) != len(given) or sum(map(len, right)) != sum(map(len, given)):
        raise ValueError("no sentences, or not as many tags as words")
    x = {(i, e.kind, e.first, e.last) for i, tags in enumerate(right) for e in entities(tags)}
    y = {(i, e.kind, e.first, e.last) for i, tags in enumerate(given) for e in entities(tags)}
    p = len(x & y) / len(y) if y else 0.0
    r = len(x & y) / len(x) if x else 0.0
    return Score(p, r, 2 * p * r / (p + r) if p + r else 0.0)


# %% 11.6 wrong | no sentences give a score of 0, not a ValueError
from collections.abc import Sequence
from course.studies.metrics import Score, entities


@exercise("11.6")
def entity_scores(right: Sequence[Sequence[str]], given: Sequence[Sequence[str]]) -> Score:
    found = n_given = n_right = 0
    for a, b in zip(right, given, strict=True):
        if len(a) != len(b):
            raise ValueError("not as many tags as words")
        x, y = entities(a), entities(b)
        n_right, n_given = n_right + len(x), n_given + len(y)
        found += sum(e in x for e in y)
    p = found / max(n_given, 1)
    r = found / max(n_right, 1)
    return Score(p, r, 2 * found / max(n_given + n_right, 1))


# %% 11.6 wrong | a dict with the three numbers, not a Score
from collections.abc import Sequence
from course.studies.metrics import Score, entities


@exercise("11.6")
def entity_scores(right: Sequence[Sequence[str]], given: Sequence[Sequence[str]]) -> Score:
    if not right or any(len(a) != len(b) for a, b in zip(right, given, strict=True)):
        raise ValueError("no sentences, or not as many tags as words")
    x = {(i, e.kind, e.first, e.last) for i, tags in enumerate(right) for e in entities(tags)}
    y = {(i, e.kind, e.first, e.last) for i, tags in enumerate(given) for e in entities(tags)}
    p = len(x & y) / len(y) if y else 0.0
    r = len(x & y) / len(x) if x else 0.0
    return {"precision": p, "recall": r, "f1": 2 * p * r / (p + r) if p + r else 0.0}


# %% 11.6 wrong | F1 is the plain mean of precision and recall
from collections.abc import Sequence
from course.studies.metrics import Score, entities


@exercise("11.6")
def entity_scores(right: Sequence[Sequence[str]], given: Sequence[Sequence[str]]) -> Score:
    if not right or any(len(a) != len(b) for a, b in zip(right, given, strict=True)):
        raise ValueError("no sentences, or not as many tags as words")
    x = {(i, e.kind, e.first, e.last) for i, tags in enumerate(right) for e in entities(tags)}
    y = {(i, e.kind, e.first, e.last) for i, tags in enumerate(given) for e in entities(tags)}
    p = len(x & y) / len(y) if y else 0.0
    r = len(x & y) / len(x) if x else 0.0
    return Score(p, r, (p + r) / 2)


# %% 11.6 wrong | the mean over the kinds (macro), where a rare kind weighs as much as a common one
from collections.abc import Sequence
from course.studies.metrics import Score, entities


@exercise("11.6")
def entity_scores(right: Sequence[Sequence[str]], given: Sequence[Sequence[str]]) -> Score:
    if not right or any(len(a) != len(b) for a, b in zip(right, given, strict=True)):
        raise ValueError("no sentences, or not as many tags as words")
    x = {(i, e.kind, e.first, e.last) for i, tags in enumerate(right) for e in entities(tags)}
    y = {(i, e.kind, e.first, e.last) for i, tags in enumerate(given) for e in entities(tags)}
    kinds = sorted({e[1] for e in x | y})
    scores = []
    for kind in kinds:
        a, b = {e for e in x if e[1] == kind}, {e for e in y if e[1] == kind}
        p = len(a & b) / len(b) if b else 0.0
        r = len(a & b) / len(a) if a else 0.0
        scores.append((p, r, 2 * p * r / (p + r) if p + r else 0.0))
    return Score(*(sum(s) / len(kinds) for s in zip(*scores))) if kinds else Score(0.0, 0.0, 0.0)


# %% 11.6 wrong | strict tags: a name that begins with an I is no name
from collections.abc import Sequence
from course.studies.metrics import Score


@exercise("11.6")
def entity_scores(right: Sequence[Sequence[str]], given: Sequence[Sequence[str]]) -> Score:
    def names(tags):
        found, i = set(), 0
        while i < len(tags):
            if tags[i].startswith("B-"):
                kind, j = tags[i][2:], i
                while j + 1 < len(tags) and tags[j + 1] == "I-" + kind:
                    j += 1
                found.add((kind, i, j))
                i = j
            i += 1
        return found

    if not right or any(len(a) != len(b) for a, b in zip(right, given, strict=True)):
        raise ValueError("no sentences, or not as many tags as words")
    x = {(i, *name) for i, tags in enumerate(right) for name in names(tags)}
    y = {(i, *name) for i, tags in enumerate(given) for name in names(tags)}
    p = len(x & y) / len(y) if y else 0.0
    r = len(x & y) / len(x) if x else 0.0
    return Score(p, r, 2 * p * r / (p + r) if p + r else 0.0)


# %% 11.6 wrong | its own reader of tags writes a name down at the next O or B only: one at a sentence's end is lost
from collections.abc import Sequence
from course.studies.metrics import Score


@exercise("11.6")
def entity_scores(right: Sequence[Sequence[str]], given: Sequence[Sequence[str]]) -> Score:
    def names(tags):
        found, begun = set(), None
        for i, tag in enumerate(tags):
            if begun is not None and tag != "I-" + begun[0]:
                found.add((*begun, i - 1))
                begun = None
            if begun is None and tag != "O":
                begun = (tag[2:], i)
        return found

    if not right or any(len(a) != len(b) for a, b in zip(right, given, strict=True)):
        raise ValueError("no sentences, or not as many tags as words")
    x = {(i, *name) for i, tags in enumerate(right) for name in names(tags)}
    y = {(i, *name) for i, tags in enumerate(given) for name in names(tags)}
    p = len(x & y) / len(y) if y else 0.0
    r = len(x & y) / len(x) if x else 0.0
    return Score(p, r, 2 * p * r / (p + r) if p + r else 0.0)


# %% 11.6 wrong | any overlap with a name of the same kind counts as found
from collections.abc import Sequence
from course.studies.metrics import Score, entities


@exercise("11.6")
def entity_scores(right: Sequence[Sequence[str]], given: Sequence[Sequence[str]]) -> Score:
    if not right or any(len(a) != len(b) for a, b in zip(right, given, strict=True)):
        raise ValueError("no sentences, or not as many tags as words")

    def touch(e, others):
        return any(e.kind == o.kind and e.first <= o.last and o.first <= e.last for o in others)

    pairs = [(entities(a), entities(b)) for a, b in zip(right, given)]
    n_right, n_given = sum(len(x) for x, _ in pairs), sum(len(y) for _, y in pairs)
    p = sum(touch(e, x) for x, y in pairs for e in y) / n_given if n_given else 0.0
    r = sum(touch(e, y) for x, y in pairs for e in x) / n_right if n_right else 0.0
    return Score(p, r, 2 * p * r / (p + r) if p + r else 0.0)


# %% 11.6 wrong | the first word and the kind are enough: where the name ends is not compared
from collections.abc import Sequence
from course.studies.metrics import Score, entities


@exercise("11.6")
def entity_scores(right: Sequence[Sequence[str]], given: Sequence[Sequence[str]]) -> Score:
    if not right or any(len(a) != len(b) for a, b in zip(right, given, strict=True)):
        raise ValueError("no sentences, or not as many tags as words")
    x = {(i, e.kind, e.first) for i, tags in enumerate(right) for e in entities(tags)}
    y = {(i, e.kind, e.first) for i, tags in enumerate(given) for e in entities(tags)}
    p = len(x & y) / len(y) if y else 0.0
    r = len(x & y) / len(x) if x else 0.0
    return Score(p, r, 2 * p * r / (p + r) if p + r else 0.0)


# %% 11.6 right | sets of (sentence, kind, first, last)
from collections.abc import Sequence
from course.studies.metrics import Score, entities


@exercise("11.6")
def entity_scores(right: Sequence[Sequence[str]], given: Sequence[Sequence[str]]) -> Score:
    if not len(right):
        raise ValueError("no sentences")
    for a, b in zip(right, given, strict=True):
        if len(a) != len(b):
            raise ValueError(f"{len(b)} tags for {len(a)} words")
    truth = {(i, e.kind, e.first, e.last) for i, tags in enumerate(right) for e in entities(tags)}
    guess = {(i, e.kind, e.first, e.last) for i, tags in enumerate(given) for e in entities(tags)}
    hits = len(truth & guess)
    p = hits / len(guess) if guess else 0.0
    r = hits / len(truth) if truth else 0.0
    f = 2 * p * r / (p + r) if hits else 0.0
    return Score(precision=p, recall=r, f1=f)


# %% 11.6 right | counts, sentence by sentence
from collections.abc import Sequence
from course.studies.metrics import Score, entities


@exercise("11.6")
def entity_scores(right: Sequence[Sequence[str]], given: Sequence[Sequence[str]]) -> Score:
    if len(right) == 0 or len(right) != len(given):
        raise ValueError("sentences missing")
    hits = misses = false_alarms = 0
    for words, answer in zip(right, given):
        if len(words) != len(answer):
            raise ValueError("not as many tags as words")
        wanted, got = entities(words), entities(answer)
        common = [e for e in got if e in wanted]
        hits += len(common)
        misses += len(wanted) - len(common)
        false_alarms += len(got) - len(common)

    def ratio(a, b):
        return a / b if b else 0.0

    return Score(
        ratio(hits, hits + false_alarms), ratio(hits, hits + misses), ratio(2 * hits, 2 * hits + misses + false_alarms)
    )


# %% 11.6 right | reads the tags by itself
from collections.abc import Sequence
from course.studies.metrics import Score


@exercise("11.6")
def entity_scores(right: Sequence[Sequence[str]], given: Sequence[Sequence[str]]) -> Score:
    def names(sentences):
        found = []
        for s, tags in enumerate(sentences):
            before = None  # the kind of the name that is open
            for i, tag in enumerate(tags):
                letter, _, kind = tag.partition("-")
                if letter == "O":
                    before = None
                elif letter == "I" and before == kind:
                    found[-1][3] = i
                else:
                    found.append([s, kind, i, i])
                    before = kind
        return set(map(tuple, found))

    if not right:
        raise ValueError("no sentences")
    if [len(tags) for tags in right] != [len(tags) for tags in given]:
        raise ValueError("not as many tags as words")
    a, b = names(right), names(given)
    p = len(a & b) / len(b) if b else 0.0
    r = len(a & b) / len(a) if a else 0.0
    return Score(p, r, 2 / (1 / p + 1 / r) if p and r else 0.0)
