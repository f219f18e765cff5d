"""Answers to the exercises of notebook 00, as people write them; none was made with a look at the checks."""

# %% 0.1 wrong | multiplies by the transposed weights, so it sums over the queries instead of the keys
@exercise("0.1")
def weighted_sum(
    weights: Float[Tensor, "*batch query key"], value: Float[Tensor, "*batch key d_v"]
) -> Float[Tensor, "*batch query d_v"]:
    return weights.mT @ value

# %% 0.1 wrong | the two factors stand in the wrong order: value @ weights instead of weights @ value
@exercise("0.1")
def weighted_sum(
    weights: Float[Tensor, "*batch query key"], value: Float[Tensor, "*batch key d_v"]
) -> Float[Tensor, "*batch query d_v"]:
    return value @ weights

# %% 0.1 wrong | multiplies entry by entry instead of summing over the keys
@exercise("0.1")
def weighted_sum(
    weights: Float[Tensor, "*batch query key"], value: Float[Tensor, "*batch key d_v"]
) -> Float[Tensor, "*batch query d_v"]:
    return weights * value

# %% 0.1 wrong | takes the mean over the keys instead of the sum, so everything is divided by the number of keys
@exercise("0.1")
def weighted_sum(
    weights: Float[Tensor, "*batch query key"], value: Float[Tensor, "*batch key d_v"]
) -> Float[Tensor, "*batch query d_v"]:
    return (weights.unsqueeze(-1) * value.unsqueeze(-3)).mean(-2)

# %% 0.1 wrong | sums over the query axis instead of the key axis
@exercise("0.1")
def weighted_sum(
    weights: Float[Tensor, "*batch query key"], value: Float[Tensor, "*batch key d_v"]
) -> Float[Tensor, "*batch query d_v"]:
    return (weights.unsqueeze(-1) * value.unsqueeze(-3)).sum(-3)

# %% 0.1 wrong | torch.mm takes only two dimensions, so it fails as soon as there is a batch axis
@exercise("0.1")
def weighted_sum(
    weights: Float[Tensor, "*batch query key"], value: Float[Tensor, "*batch key d_v"]
) -> Float[Tensor, "*batch query d_v"]:
    if weights.shape[-1] != value.shape[-2]:
        raise ValueError("number of values")
    return torch.mm(weights, value)

# %% 0.1 wrong | torch.bmm wants exactly one batch axis, so it fails without one and with two
@exercise("0.1")
def weighted_sum(
    weights: Float[Tensor, "*batch query key"], value: Float[Tensor, "*batch key d_v"]
) -> Float[Tensor, "*batch query d_v"]:
    if weights.shape[-1] != value.shape[-2]:
        raise ValueError("number of values")
    return torch.bmm(weights, value)

# %% 0.1 wrong | puts the weights through a softmax once more instead of using them as they are
@exercise("0.1")
def weighted_sum(
    weights: Float[Tensor, "*batch query key"], value: Float[Tensor, "*batch key d_v"]
) -> Float[Tensor, "*batch query d_v"]:
    return weights.softmax(dim=-1) @ value

# %% 0.1 wrong | divides by the sum of the weights, so weights that do not sum to one (after dropout) are changed
@exercise("0.1")
def weighted_sum(
    weights: Float[Tensor, "*batch query key"], value: Float[Tensor, "*batch key d_v"]
) -> Float[Tensor, "*batch query d_v"]:
    return weights @ value / weights.sum(-1, keepdim=True)

# %% 0.1 wrong | leaves out the first key: the loop starts at 1 instead of 0
@exercise("0.1")
def weighted_sum(
    weights: Float[Tensor, "*batch query key"], value: Float[Tensor, "*batch key d_v"]
) -> Float[Tensor, "*batch query d_v"]:
    out = 0
    for k in range(1, weights.shape[-1]):
        out = out + weights[..., :, k, None] * value[..., None, k, :]
    return out

# %% 0.1 wrong | takes only the value with the largest weight instead of the sum of all
@exercise("0.1")
def weighted_sum(
    weights: Float[Tensor, "*batch query key"], value: Float[Tensor, "*batch key d_v"]
) -> Float[Tensor, "*batch query d_v"]:
    best = weights.argmax(-1)
    return torch.stack([v[b] for v, b in zip(value, best)]) if value.dim() > 2 else value[best]

# %% 0.1 wrong | cuts the longer of the two off where numbers of keys and values differ, instead of a ValueError
@exercise("0.1")
def weighted_sum(
    weights: Float[Tensor, "*batch query key"], value: Float[Tensor, "*batch key d_v"]
) -> Float[Tensor, "*batch query d_v"]:
    n = min(weights.shape[-1], value.shape[-2])
    return weights[..., :n] @ value[..., :n, :]

# %% 0.1 wrong | detaches the result, so no gradient gets through
@exercise("0.1")
def weighted_sum(
    weights: Float[Tensor, "*batch query key"], value: Float[Tensor, "*batch key d_v"]
) -> Float[Tensor, "*batch query d_v"]:
    if weights.shape[-1] != value.shape[-2]:
        raise ValueError("there must be one value for each key")
    return (weights @ value).detach()

# %% 0.1 wrong | computes the sum and does not return it
@exercise("0.1")
def weighted_sum(
    weights: Float[Tensor, "*batch query key"], value: Float[Tensor, "*batch key d_v"]
) -> Float[Tensor, "*batch query d_v"]:
    result = weights @ value

# %% 0.1 wrong | returns the weights along with the output, a pair instead of one tensor
@exercise("0.1")
def weighted_sum(
    weights: Float[Tensor, "*batch query key"], value: Float[Tensor, "*batch key d_v"]
) -> Float[Tensor, "*batch query d_v"]:
    return weights @ value, weights

# %% 0.1 wrong | normalises the weights in place, so the caller's tensor is changed (and the sum with it)
@exercise("0.1")
def weighted_sum(
    weights: Float[Tensor, "*batch query key"], value: Float[Tensor, "*batch key d_v"]
) -> Float[Tensor, "*batch query d_v"]:
    weights /= weights.sum(dim=-1, keepdim=True)
    return weights @ value

# %% 0.1 wrong | builds new float32 numbers with .item(), so gradients and float64 are lost and batch axes fail
@exercise("0.1")
def weighted_sum(
    weights: Float[Tensor, "*batch query key"], value: Float[Tensor, "*batch key d_v"]
) -> Float[Tensor, "*batch query d_v"]:
    n, m = weights.shape
    d = value.shape[1]
    out = torch.zeros(n, d)
    for i in range(n):
        for j in range(m):
            for f in range(d):
                out[i, f] += weights[i, j].item() * value[j, f].item()
    return out

# %% 0.1 wrong | uses .T, which turns round all the axes, so that it is the transposed weights again
@exercise("0.1")
def weighted_sum(
    weights: Float[Tensor, "*batch query key"], value: Float[Tensor, "*batch key d_v"]
) -> Float[Tensor, "*batch query d_v"]:
    return weights.T @ value

# %% 0.1 right | the matrix product, on one line
@exercise("0.1")
def weighted_sum(
    weights: Float[Tensor, "*batch query key"], value: Float[Tensor, "*batch key d_v"]
) -> Float[Tensor, "*batch query d_v"]:
    return weights @ value

# %% 0.1 right | matrix product with a check
@exercise("0.1")
def weighted_sum(
    weights: Float[Tensor, "*batch query key"], value: Float[Tensor, "*batch key d_v"]
) -> Float[Tensor, "*batch query d_v"]:
    if weights.shape[-1] != value.shape[-2]:
        raise ValueError(f"{weights.shape[-1]} weights, {value.shape[-2]} values")
    return torch.matmul(weights, value)

# %% 0.1 right | einsum
@exercise("0.1")
def weighted_sum(
    weights: Float[Tensor, "*batch query key"], value: Float[Tensor, "*batch key d_v"]
) -> Float[Tensor, "*batch query d_v"]:
    if weights.size(-1) != value.size(-2):
        raise ValueError("as many values as keys, please")
    return torch.einsum("...qk,...kd->...qd", weights, value)

# %% 0.1 right | a loop over the keys
@exercise("0.1")
def weighted_sum(
    weights: Float[Tensor, "*batch query key"], value: Float[Tensor, "*batch key d_v"]
) -> Float[Tensor, "*batch query d_v"]:
    n_keys = weights.shape[-1]
    if n_keys != value.shape[-2]:
        raise ValueError("keys and values differ in number")
    out = torch.zeros(*weights.shape[:-1], value.shape[-1], dtype=value.dtype)
    for k in range(n_keys):
        out = out + weights[..., k].unsqueeze(-1) * value[..., k, :].unsqueeze(-2)
    return out

# %% 0.1 right | the transposed product, transposed back
@exercise("0.1")
def weighted_sum(
    weights: Float[Tensor, "*batch query key"], value: Float[Tensor, "*batch key d_v"]
) -> Float[Tensor, "*batch query d_v"]:
    if weights.shape[-1] != value.shape[-2]:
        raise ValueError("shapes do not fit")
    return (value.transpose(-2, -1) @ weights.transpose(-2, -1)).transpose(-2, -1)

# %% 0.1 right | multiply with broadcasting, then sum over the keys
@exercise("0.1")
def weighted_sum(
    weights: Float[Tensor, "*batch query key"], value: Float[Tensor, "*batch key d_v"]
) -> Float[Tensor, "*batch query d_v"]:
    if weights.shape[-1] != value.shape[-2]:
        raise ValueError("not as many values as weights")
    return (weights[..., :, :, None] * value[..., None, :, :]).sum(dim=-2)
