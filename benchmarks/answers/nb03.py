"""Answers to the exercises of notebook 03, as people write them; none was made with a look at the checks."""

# %% 3.1 wrong | divides the scores by √d_k as well as by the temperature
@exercise("3.1")
def soft_lookup(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    temperature: float = 1.0,
) -> tuple[Float[Tensor, "*batch query d_v"], Float[Tensor, "*batch query key"]]:
    if temperature < 0:
        raise ValueError("temperature")
    scores = query @ key.mT / math.sqrt(query.shape[-1])
    if temperature == 0:
        weights = F.one_hot(scores.argmax(-1), key.shape[-2]).to(value.dtype)
    else:
        weights = (scores / temperature).softmax(-1)
    return weights @ value, weights

# %% 3.1 wrong | multiplies the scores by the temperature instead of dividing
@exercise("3.1")
def soft_lookup(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    temperature: float = 1.0,
) -> tuple[Float[Tensor, "*batch query d_v"], Float[Tensor, "*batch query key"]]:
    if temperature < 0:
        raise ValueError("temperature must not be negative")
    scores = query @ key.mT
    if temperature == 0:
        weights = F.one_hot(scores.argmax(-1), scores.shape[-1]).to(scores)
    else:
        weights = F.softmax(scores * temperature, dim=-1)
    return weights @ value, weights

# %% 3.1 wrong | has no case for temperature 0, so it divides by zero and gives NaN
@exercise("3.1")
def soft_lookup(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    temperature: float = 1.0,
) -> tuple[Float[Tensor, "*batch query d_v"], Float[Tensor, "*batch query key"]]:
    if temperature < 0:
        raise ValueError("negative temperature")
    weights = torch.softmax(query @ key.mT / temperature, dim=-1)
    return weights @ value, weights

# %% 3.1 wrong | divides by the temperature whatever it is: temperature 0 gives NaN, a negative one is not refused
@exercise("3.1")
def soft_lookup(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    temperature: float = 1.0,
) -> tuple[Float[Tensor, "*batch query d_v"], Float[Tensor, "*batch query key"]]:
    similarity = query @ key.transpose(-1, -2)
    weights = F.softmax(similarity / temperature, -1)
    return weights @ value, weights

# %% 3.1 wrong | puts a tiny temperature in place of 0, so keys that tie for best share the weight instead of the first taking all
@exercise("3.1")
def soft_lookup(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    temperature: float = 1.0,
) -> tuple[Float[Tensor, "*batch query d_v"], Float[Tensor, "*batch query key"]]:
    if temperature < 0:
        raise ValueError("temperature must be >= 0")
    t = max(temperature, 1e-6)
    weights = (query @ key.mT / t).softmax(-1)
    return weights @ value, weights

# %% 3.1 wrong | at temperature 0 every key that ties for best gets weight 1, not only the first
@exercise("3.1")
def soft_lookup(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    temperature: float = 1.0,
) -> tuple[Float[Tensor, "*batch query d_v"], Float[Tensor, "*batch query key"]]:
    if temperature < 0:
        raise ValueError
    scores = query @ key.mT
    if temperature == 0:
        weights = (scores == scores.max(dim=-1, keepdim=True).values).to(scores.dtype)
    else:
        weights = (scores / temperature).softmax(dim=-1)
    return weights @ value, weights

# %% 3.1 wrong | the softmax runs over the queries (dim -2) instead of the keys
@exercise("3.1")
def soft_lookup(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    temperature: float = 1.0,
) -> tuple[Float[Tensor, "*batch query d_v"], Float[Tensor, "*batch query key"]]:
    if temperature < 0:
        raise ValueError("temperature")
    scores = query @ key.mT
    if temperature == 0:
        weights = F.one_hot(scores.argmax(-1), key.shape[-2]).to(scores.dtype)
    else:
        weights = (scores / temperature).softmax(-2)
    return weights @ value, weights

# %% 3.1 wrong | softmax over axis 1, which is the key axis only when there is no batch axis
@exercise("3.1")
def soft_lookup(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    temperature: float = 1.0,
) -> tuple[Float[Tensor, "*batch query d_v"], Float[Tensor, "*batch query key"]]:
    if temperature < 0:
        raise ValueError("temperature")
    scores = query @ key.mT
    if temperature == 0:
        weights = F.one_hot(scores.argmax(-1), key.shape[-2]).to(scores.dtype)
    else:
        weights = (scores / temperature).softmax(1)
    return weights @ value, weights

# %% 3.1 wrong | returns only the output and not the weights
@exercise("3.1")
def soft_lookup(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    temperature: float = 1.0,
) -> tuple[Float[Tensor, "*batch query d_v"], Float[Tensor, "*batch query key"]]:
    if temperature < 0:
        raise ValueError("temperature")
    scores = query @ key.mT
    if temperature == 0:
        weights = F.one_hot(scores.argmax(-1), key.shape[-2]).to(scores.dtype)
    else:
        weights = (scores / temperature).softmax(-1)
    return weights @ value

# %% 3.1 wrong | returns the pair the wrong way round: weights first, output second
@exercise("3.1")
def soft_lookup(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    temperature: float = 1.0,
) -> tuple[Float[Tensor, "*batch query d_v"], Float[Tensor, "*batch query key"]]:
    if temperature < 0:
        raise ValueError("temperature")
    scores = query @ key.mT
    weights = F.one_hot(scores.argmax(-1), key.shape[-2]).to(scores.dtype) if temperature == 0 else (scores / temperature).softmax(-1)
    return weights, weights @ value

# %% 3.1 wrong | the one-hot weights at temperature 0 stay whole numbers, and their product with the values fails
@exercise("3.1")
def soft_lookup(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    temperature: float = 1.0,
) -> tuple[Float[Tensor, "*batch query d_v"], Float[Tensor, "*batch query key"]]:
    if temperature < 0:
        raise ValueError("temperature must not be negative")
    scores = query @ key.mT
    if temperature == 0:
        weights = F.one_hot(scores.argmax(dim=-1), num_classes=key.shape[-2])
    else:
        weights = F.softmax(scores / temperature, dim=-1)
    return weights @ value, weights

# %% 3.1 wrong | writes the softmax as exp over sum without taking off the maximum, so large scores overflow to NaN
@exercise("3.1")
def soft_lookup(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    temperature: float = 1.0,
) -> tuple[Float[Tensor, "*batch query d_v"], Float[Tensor, "*batch query key"]]:
    if temperature < 0:
        raise ValueError("temperature must not be negative")
    scores = query @ key.mT
    if temperature == 0:
        weights = F.one_hot(scores.argmax(-1), key.shape[-2]).to(scores.dtype)
    else:
        e = torch.exp(scores / temperature)
        weights = e / e.sum(-1, keepdim=True)
    return weights @ value, weights

# %% 3.1 wrong | ignores the temperature
@exercise("3.1")
def soft_lookup(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    temperature: float = 1.0,
) -> tuple[Float[Tensor, "*batch query d_v"], Float[Tensor, "*batch query key"]]:
    scores = query @ key.mT
    weights = scores.softmax(dim=-1)
    return weights @ value, weights

# %% 3.1 wrong | does not refuse a negative temperature: it prefers the worst match instead
@exercise("3.1")
def soft_lookup(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    temperature: float = 1.0,
) -> tuple[Float[Tensor, "*batch query d_v"], Float[Tensor, "*batch query key"]]:
    if query.shape[-1] != key.shape[-1] or key.shape[-2] != value.shape[-2]:
        raise ValueError("shapes")
    scores = query @ key.mT
    if temperature == 0:
        weights = F.one_hot(scores.argmax(-1), key.shape[-2]).to(scores.dtype)
    else:
        weights = (scores / temperature).softmax(-1)
    return weights @ value, weights

# %% 3.1 wrong | at temperature 0 takes the last of several best keys instead of the first
@exercise("3.1")
def soft_lookup(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    temperature: float = 1.0,
) -> tuple[Float[Tensor, "*batch query d_v"], Float[Tensor, "*batch query key"]]:
    if temperature < 0:
        raise ValueError("temperature")
    scores = query @ key.mT
    n = scores.shape[-1]
    if temperature == 0:
        best = n - 1 - scores.flip(-1).argmax(-1)
        weights = F.one_hot(best, n).to(scores.dtype)
    else:
        weights = (scores / temperature).softmax(-1)
    return weights @ value, weights

# %% 3.1 wrong | detaches the weights, so queries and keys get no gradient
@exercise("3.1")
def soft_lookup(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    temperature: float = 1.0,
) -> tuple[Float[Tensor, "*batch query d_v"], Float[Tensor, "*batch query key"]]:
    if temperature < 0:
        raise ValueError("temperature")
    scores = query @ key.mT
    weights = (F.one_hot(scores.argmax(-1), key.shape[-2]).to(scores.dtype) if temperature == 0 else (scores / temperature).softmax(-1)).detach()
    return weights @ value, weights

# %% 3.1 wrong | at temperature 0 the index of the best key is taken for the weights, one number a query instead of a row
@exercise("3.1")
def soft_lookup(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    temperature: float = 1.0,
) -> tuple[Float[Tensor, "*batch query d_v"], Float[Tensor, "*batch query key"]]:
    if temperature < 0:
        raise ValueError("temperature")
    scores = query @ key.mT
    if temperature == 0:
        weights = scores.argmax(-1)
        return value[weights], weights
    weights = (scores / temperature).softmax(-1)
    return weights @ value, weights

# %% 3.1 wrong | one_hot is not told the number of keys, so the row is too short when the last key wins nowhere
@exercise("3.1")
def soft_lookup(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    temperature: float = 1.0,
) -> tuple[Float[Tensor, "*batch query d_v"], Float[Tensor, "*batch query key"]]:
    if temperature < 0:
        raise ValueError("temperature")
    scores = query @ key.mT
    if temperature == 0:
        weights = F.one_hot(scores.argmax(-1)).to(scores.dtype)
    else:
        weights = (scores / temperature).softmax(-1)
    return weights @ value, weights

# %% 3.1 right | one_hot for temperature 0
@exercise("3.1")
def soft_lookup(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    temperature: float = 1.0,
) -> tuple[Float[Tensor, "*batch query d_v"], Float[Tensor, "*batch query key"]]:
    if temperature < 0:
        raise ValueError(f"the temperature is {temperature}, it must not be negative")
    if query.shape[-1] != key.shape[-1] or key.shape[-2] != value.shape[-2]:
        raise ValueError("the shapes do not fit")
    scores = query @ key.mT
    if temperature == 0:
        weights = F.one_hot(scores.argmax(-1), key.shape[-2]).to(scores.dtype)
    else:
        weights = (scores / temperature).softmax(-1)
    return weights @ value, weights

# %% 3.1 right | einsum, scatter_ for temperature 0, and the temperature on the query
@exercise("3.1")
def soft_lookup(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    temperature: float = 1.0,
) -> tuple[Float[Tensor, "*batch query d_v"], Float[Tensor, "*batch query key"]]:
    if temperature < 0:
        raise ValueError("temperature < 0")
    if query.size(-1) != key.size(-1):
        raise ValueError("widths of queries and keys")
    if key.size(-2) != value.size(-2):
        raise ValueError("numbers of keys and values")
    if temperature > 0:
        weights = torch.softmax(torch.einsum("...qd,...kd->...qk", query / temperature, key), dim=-1)
    else:
        scores = torch.einsum("...qd,...kd->...qk", query, key)
        weights = torch.zeros_like(scores).scatter_(-1, scores.argmax(-1, keepdim=True), 1.0)
    return torch.einsum("...qk,...kd->...qd", weights, value), weights

# %% 3.1 right | softmax written out, with the maximum taken off
@exercise("3.1")
def soft_lookup(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    temperature: float = 1.0,
) -> tuple[Float[Tensor, "*batch query d_v"], Float[Tensor, "*batch query key"]]:
    if temperature < 0 or query.shape[-1] != key.shape[-1] or key.shape[-2] != value.shape[-2]:
        raise ValueError("negative temperature or shapes that do not fit")
    scores = torch.matmul(query, key.transpose(-2, -1))
    if temperature == 0:
        weights = (torch.arange(key.shape[-2]) == scores.argmax(-1, keepdim=True)).to(scores.dtype)
    else:
        scaled = scores / temperature
        e = (scaled - scaled.max(-1, keepdim=True).values).exp()
        weights = e / e.sum(-1, keepdim=True)
    return weights @ value, weights

# %% 3.1 right | log-softmax and exp; a named helper
def hard(scores):
    """Weight 1 on the first best key."""
    return torch.eye(scores.shape[-1], dtype=scores.dtype)[scores.argmax(-1)]


@exercise("3.1")
def soft_lookup(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    temperature: float = 1.0,
) -> tuple[Float[Tensor, "*batch query d_v"], Float[Tensor, "*batch query key"]]:
    if temperature < 0:
        raise ValueError("temperature must be zero or more")
    if query.shape[-1] != key.shape[-1]:
        raise ValueError("query and key differ in width")
    if key.shape[-2] != value.shape[-2]:
        raise ValueError("key and value differ in number")
    scores = (query.unsqueeze(-2) * key.unsqueeze(-3)).sum(-1)
    weights = hard(scores) if temperature == 0 else (scores / temperature).log_softmax(-1).exp()
    output = weights @ value
    return output, weights

# %% 3.2 wrong | divides by d_k, not by its square root
@exercise("3.2")
def scaled_dot_score(
    query: Float[Tensor, "*batch query d_k"], key: Float[Tensor, "*batch key d_k"]
) -> Float[Tensor, "*batch query key"]:
    if query.shape[-1] != key.shape[-1]:
        raise ValueError("width")
    return query @ key.mT / query.shape[-1]

# %% 3.2 wrong | does not scale at all
@exercise("3.2")
def scaled_dot_score(
    query: Float[Tensor, "*batch query d_k"], key: Float[Tensor, "*batch key d_k"]
) -> Float[Tensor, "*batch query key"]:
    if query.shape[-1] != key.shape[-1]:
        raise ValueError("width")
    return query @ key.mT

# %% 3.2 wrong | multiplies by √d_k instead of dividing by it
@exercise("3.2")
def scaled_dot_score(
    query: Float[Tensor, "*batch query d_k"], key: Float[Tensor, "*batch key d_k"]
) -> Float[Tensor, "*batch query key"]:
    if query.shape[-1] != key.shape[-1]:
        raise ValueError("width")
    return query @ key.mT * math.sqrt(query.shape[-1])

# %% 3.2 wrong | divides by the square root of the number of keys instead of the width
@exercise("3.2")
def scaled_dot_score(
    query: Float[Tensor, "*batch query d_k"], key: Float[Tensor, "*batch key d_k"]
) -> Float[Tensor, "*batch query key"]:
    return query @ key.mT / math.sqrt(key.shape[-2])

# %% 3.2 wrong | takes the width from axis 1, which is the number of keys as soon as there is a batch axis
@exercise("3.2")
def scaled_dot_score(
    query: Float[Tensor, "*batch query d_k"], key: Float[Tensor, "*batch key d_k"]
) -> Float[Tensor, "*batch query key"]:
    if query.shape[-1] != key.shape[-1]:
        raise ValueError("width")
    d_k = key.shape[1]
    return query @ key.transpose(-2, -1) / d_k**0.5

# %% 3.2 wrong | key.T turns round all the axes, so it fails or mixes sentences in a batch
@exercise("3.2")
def scaled_dot_score(
    query: Float[Tensor, "*batch query d_k"], key: Float[Tensor, "*batch key d_k"]
) -> Float[Tensor, "*batch query key"]:
    if query.shape[-1] != key.shape[-1]:
        raise ValueError("width")
    return query @ key.T / math.sqrt(query.shape[-1])

# %% 3.2 wrong | multiplies feature by feature over the tokens: query.mT @ key gives [d_k, d_k]
@exercise("3.2")
def scaled_dot_score(
    query: Float[Tensor, "*batch query d_k"], key: Float[Tensor, "*batch key d_k"]
) -> Float[Tensor, "*batch query key"]:
    return query.mT @ key / math.sqrt(query.shape[-1])

# %% 3.2 wrong | d_k ** 1 / 2 is d_k / 2, not the root: the operators bind another way
@exercise("3.2")
def scaled_dot_score(
    query: Float[Tensor, "*batch query d_k"], key: Float[Tensor, "*batch key d_k"]
) -> Float[Tensor, "*batch query key"]:
    d_k = query.size(-1)
    if d_k != key.size(-1):
        raise ValueError("width")
    return query @ key.mT / (d_k ** 1 / 2)

# %% 3.2 wrong | rounds √d_k down to a whole number
@exercise("3.2")
def scaled_dot_score(
    query: Float[Tensor, "*batch query d_k"], key: Float[Tensor, "*batch key d_k"]
) -> Float[Tensor, "*batch query key"]:
    d_k = query.size(-1)
    if d_k != key.size(-1):
        raise ValueError("width")
    return query @ key.mT / int(math.sqrt(d_k))

# %% 3.2 wrong | keys ask and queries answer: the table is transposed, [key, query]
@exercise("3.2")
def scaled_dot_score(
    query: Float[Tensor, "*batch query d_k"], key: Float[Tensor, "*batch key d_k"]
) -> Float[Tensor, "*batch query key"]:
    if query.shape[-1] != key.shape[-1]:
        raise ValueError("width")
    return key @ query.mT / math.sqrt(query.shape[-1])

# %% 3.2 wrong | applies the softmax too, weights instead of scores
@exercise("3.2")
def scaled_dot_score(
    query: Float[Tensor, "*batch query d_k"], key: Float[Tensor, "*batch key d_k"]
) -> Float[Tensor, "*batch query key"]:
    if query.shape[-1] != key.shape[-1]:
        raise ValueError("width")
    return (query @ key.mT / math.sqrt(query.shape[-1])).softmax(-1)

# %% 3.2 wrong | divides by the lengths of the two vectors (cosine) instead of √d_k
@exercise("3.2")
def scaled_dot_score(
    query: Float[Tensor, "*batch query d_k"], key: Float[Tensor, "*batch key d_k"]
) -> Float[Tensor, "*batch query key"]:
    return F.normalize(query, dim=-1) @ F.normalize(key, dim=-1).mT

# %% 3.2 wrong | scales the query in place, so the caller's tensor is changed
@exercise("3.2")
def scaled_dot_score(
    query: Float[Tensor, "*batch query d_k"], key: Float[Tensor, "*batch key d_k"]
) -> Float[Tensor, "*batch query key"]:
    if query.shape[-1] != key.shape[-1]:
        raise ValueError("width")
    query /= math.sqrt(query.shape[-1])
    return query @ key.mT

# %% 3.2 wrong | divides both the query and the key by √d_k, so d_k comes out twice rooted: 1/d_k in all
@exercise("3.2")
def scaled_dot_score(
    query: Float[Tensor, "*batch query d_k"], key: Float[Tensor, "*batch key d_k"]
) -> Float[Tensor, "*batch query key"]:
    if query.shape[-1] != key.shape[-1]:
        raise ValueError("width")
    root = math.sqrt(query.shape[-1])
    return (query / root) @ (key / root).mT

# %% 3.2 wrong | broadcasts a key of width 1 against a wider query instead of a ValueError
@exercise("3.2")
def scaled_dot_score(
    query: Float[Tensor, "*batch query d_k"], key: Float[Tensor, "*batch key d_k"]
) -> Float[Tensor, "*batch query key"]:
    return (query.unsqueeze(-2) * key.unsqueeze(-3)).sum(-1) / math.sqrt(query.shape[-1])

# %% 3.2 wrong | the root is taken of the scores and not of d_k, so negative scores give NaN
@exercise("3.2")
def scaled_dot_score(
    query: Float[Tensor, "*batch query d_k"], key: Float[Tensor, "*batch key d_k"]
) -> Float[Tensor, "*batch query key"]:
    if query.shape[-1] != key.shape[-1]:
        raise ValueError("width")
    return torch.sqrt(query @ key.mT / query.shape[-1])

# %% 3.2 wrong | casts to float32, so float64 inputs lose their precision and dtype
@exercise("3.2")
def scaled_dot_score(
    query: Float[Tensor, "*batch query d_k"], key: Float[Tensor, "*batch key d_k"]
) -> Float[Tensor, "*batch query key"]:
    if query.shape[-1] != key.shape[-1]:
        raise ValueError("width")
    return query.float() @ key.float().mT / math.sqrt(query.shape[-1])

# %% 3.2 wrong | len(query) is the first axis, number of queries or sentences, not the width
@exercise("3.2")
def scaled_dot_score(
    query: Float[Tensor, "*batch query d_k"], key: Float[Tensor, "*batch key d_k"]
) -> Float[Tensor, "*batch query key"]:
    return query @ key.mT / math.sqrt(len(query))

# %% 3.2 right | matmul and transpose
@exercise("3.2")
def scaled_dot_score(
    query: Float[Tensor, "*batch query d_k"], key: Float[Tensor, "*batch key d_k"]
) -> Float[Tensor, "*batch query key"]:
    if query.shape[-1] != key.shape[-1]:
        raise ValueError(f"queries are {query.shape[-1]} wide and keys {key.shape[-1]}")
    return torch.matmul(query, key.transpose(-1, -2)) / math.sqrt(query.shape[-1])

# %% 3.2 right | einsum
@exercise("3.2")
def scaled_dot_score(
    query: Float[Tensor, "*batch query d_k"], key: Float[Tensor, "*batch key d_k"]
) -> Float[Tensor, "*batch query key"]:
    d_k = query.size(-1)
    if key.size(-1) != d_k:
        raise ValueError("queries and keys differ in width")
    return torch.einsum("...id,...jd->...ij", query, key) * d_k**-0.5

# %% 3.2 right | both sides divided by the fourth root
@exercise("3.2")
def scaled_dot_score(
    query: Float[Tensor, "*batch query d_k"], key: Float[Tensor, "*batch key d_k"]
) -> Float[Tensor, "*batch query key"]:
    if query.shape[-1] != key.shape[-1]:
        raise ValueError("width")
    root4 = query.shape[-1] ** 0.25
    return (query / root4) @ (key / root4).mT

# %% 3.2 right | a loop over the features
@exercise("3.2")
def scaled_dot_score(
    query: Float[Tensor, "*batch query d_k"], key: Float[Tensor, "*batch key d_k"]
) -> Float[Tensor, "*batch query key"]:
    d = query.shape[-1]
    if d != key.shape[-1]:
        raise ValueError("not the same width")
    total = 0
    for f in range(d):
        total = total + query[..., :, None, f] * key[..., None, :, f]
    return total / d**0.5

# %% 3.2 right | the root by torch, keys transposed back
@exercise("3.2")
def scaled_dot_score(
    query: Float[Tensor, "*batch query d_k"], key: Float[Tensor, "*batch key d_k"]
) -> Float[Tensor, "*batch query key"]:
    if query.shape[-1] != key.shape[-1]:
        raise ValueError("width")
    return (key @ query.mT).mT / torch.tensor(query.shape[-1], dtype=query.dtype).sqrt()

# %% 3.3 wrong | the mask is taken the other way round: it strikes out where True
@exercise("3.3")
def scaled_dot_product_attention(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    mask: Bool[Tensor, "*#batch #query #key"] | None = None,
    scale: float | None = None,
) -> tuple[Float[Tensor, "*batch query d_v"], Float[Tensor, "*batch query key"]]:
    scale = query.shape[-1] ** -0.5 if scale is None else scale
    scores = query @ key.mT * scale
    if mask is not None:
        scores = scores.masked_fill(mask, float("-inf"))
    weights = torch.nan_to_num(scores.softmax(-1))
    return weights @ value, weights

# %% 3.3 wrong | masks after the softmax, so the rows no longer sum to one
@exercise("3.3")
def scaled_dot_product_attention(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    mask: Bool[Tensor, "*#batch #query #key"] | None = None,
    scale: float | None = None,
) -> tuple[Float[Tensor, "*batch query d_v"], Float[Tensor, "*batch query key"]]:
    if scale is None:
        scale = 1 / math.sqrt(query.shape[-1])
    weights = (query @ key.mT * scale).softmax(-1)
    if mask is not None:
        weights = weights * mask
    return weights @ value, weights

# %% 3.3 wrong | puts 0 in place of the forbidden scores, which still get weight e^0
@exercise("3.3")
def scaled_dot_product_attention(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    mask: Bool[Tensor, "*#batch #query #key"] | None = None,
    scale: float | None = None,
) -> tuple[Float[Tensor, "*batch query d_v"], Float[Tensor, "*batch query key"]]:
    if scale is None:
        scale = 1 / math.sqrt(query.shape[-1])
    scores = query @ key.mT * scale
    if mask is not None:
        scores = scores.masked_fill(~mask, 0)
    weights = scores.softmax(-1)
    return weights @ value, weights

# %% 3.3 wrong | fills with -1e9, so a query that may attend nowhere gets equal weights instead of zeros
@exercise("3.3")
def scaled_dot_product_attention(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    mask: Bool[Tensor, "*#batch #query #key"] | None = None,
    scale: float | None = None,
) -> tuple[Float[Tensor, "*batch query d_v"], Float[Tensor, "*batch query key"]]:
    if scale is None:
        scale = 1 / math.sqrt(query.shape[-1])
    scores = query @ key.mT * scale
    if mask is not None:
        scores = scores.masked_fill(mask == 0, -1e9)
    weights = F.softmax(scores, dim=-1)
    return weights @ value, weights

# %% 3.3 wrong | a query that may attend nowhere gets NaN instead of zeros
@exercise("3.3")
def scaled_dot_product_attention(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    mask: Bool[Tensor, "*#batch #query #key"] | None = None,
    scale: float | None = None,
) -> tuple[Float[Tensor, "*batch query d_v"], Float[Tensor, "*batch query key"]]:
    if scale is None:
        scale = 1 / math.sqrt(query.shape[-1])
    scores = query @ key.mT * scale
    if mask is not None:
        if mask.dtype != torch.bool:
            raise TypeError("mask must be boolean")
        scores = scores.masked_fill(~mask, -torch.inf)
    weights = F.softmax(scores, dim=-1)
    return weights @ value, weights

# %% 3.3 wrong | the NaN of an empty row is replaced only in the output, not in the weights that it returns
@exercise("3.3")
def scaled_dot_product_attention(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    mask: Bool[Tensor, "*#batch #query #key"] | None = None,
    scale: float | None = None,
) -> tuple[Float[Tensor, "*batch query d_v"], Float[Tensor, "*batch query key"]]:
    if scale is None:
        scale = 1 / math.sqrt(query.shape[-1])
    scores = query @ key.mT * scale
    if mask is not None:
        if mask.dtype != torch.bool:
            raise TypeError("mask must be boolean")
        scores = scores.masked_fill(~mask, -torch.inf)
    weights = F.softmax(scores, dim=-1)
    return torch.nan_to_num(weights @ value), weights

# %% 3.3 wrong | ignores the argument scale and always divides by √d_k
@exercise("3.3")
def scaled_dot_product_attention(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    mask: Bool[Tensor, "*#batch #query #key"] | None = None,
    scale: float | None = None,
) -> tuple[Float[Tensor, "*batch query d_v"], Float[Tensor, "*batch query key"]]:
    scores = query @ key.mT / math.sqrt(query.shape[-1])
    if mask is not None:
        if mask.dtype != torch.bool:
            raise TypeError("mask must be boolean")
        scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    weights = scores.softmax(-1)
    if mask is not None:
        weights = weights * mask
    return weights @ value, weights

# %% 3.3 wrong | a given scale comes on top of 1/√d_k instead of in its place
@exercise("3.3")
def scaled_dot_product_attention(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    mask: Bool[Tensor, "*#batch #query #key"] | None = None,
    scale: float | None = None,
) -> tuple[Float[Tensor, "*batch query d_v"], Float[Tensor, "*batch query key"]]:
    scores = query @ key.mT / math.sqrt(query.shape[-1])
    if scale is not None:
        scores = scores * scale
    if mask is not None:
        scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    weights = scores.softmax(-1)
    if mask is not None:
        weights = weights.masked_fill(~mask, 0)
    return weights @ value, weights

# %% 3.3 wrong | "scale or ..." takes a scale of 0 for none given
@exercise("3.3")
def scaled_dot_product_attention(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    mask: Bool[Tensor, "*#batch #query #key"] | None = None,
    scale: float | None = None,
) -> tuple[Float[Tensor, "*batch query d_v"], Float[Tensor, "*batch query key"]]:
    scale = scale or 1 / math.sqrt(query.shape[-1])
    scores = query @ key.mT * scale
    if mask is not None:
        if mask.dtype != torch.bool:
            raise TypeError("mask must be boolean")
        scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    weights = scores.softmax(-1)
    if mask is not None:
        weights = weights * mask
    return weights @ value, weights

# %% 3.3 wrong | divides by the scale, where it is the factor on the scores
@exercise("3.3")
def scaled_dot_product_attention(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    mask: Bool[Tensor, "*#batch #query #key"] | None = None,
    scale: float | None = None,
) -> tuple[Float[Tensor, "*batch query d_v"], Float[Tensor, "*batch query key"]]:
    if scale is None:
        scale = math.sqrt(query.shape[-1])
    scores = query @ key.mT / scale
    if mask is not None:
        scores = scores.masked_fill(~mask, -1e30)
    weights = scores.softmax(-1)
    if mask is not None:
        weights = weights * mask
    return weights @ value, weights

# %% 3.3 wrong | takes d_k from the width of the values
@exercise("3.3")
def scaled_dot_product_attention(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    mask: Bool[Tensor, "*#batch #query #key"] | None = None,
    scale: float | None = None,
) -> tuple[Float[Tensor, "*batch query d_v"], Float[Tensor, "*batch query key"]]:
    if scale is None:
        scale = 1 / math.sqrt(value.shape[-1])
    scores = query @ key.mT * scale
    if mask is not None:
        scores = scores.masked_fill(~mask, -1e30)
    weights = scores.softmax(-1)
    if mask is not None:
        weights = weights * mask
    return weights @ value, weights

# %% 3.3 wrong | returns only the output
@exercise("3.3")
def scaled_dot_product_attention(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    mask: Bool[Tensor, "*#batch #query #key"] | None = None,
    scale: float | None = None,
) -> tuple[Float[Tensor, "*batch query d_v"], Float[Tensor, "*batch query key"]]:
    if scale is None:
        scale = 1 / math.sqrt(query.shape[-1])
    scores = query @ key.mT * scale
    if mask is not None:
        scores = scores.masked_fill(~mask, -1e30)
    weights = scores.softmax(-1)
    if mask is not None:
        weights = weights * mask
    return weights @ value

# %% 3.3 wrong | adds the boolean mask to the scores: allowed ones get 1 more and none is struck out
@exercise("3.3")
def scaled_dot_product_attention(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    mask: Bool[Tensor, "*#batch #query #key"] | None = None,
    scale: float | None = None,
) -> tuple[Float[Tensor, "*batch query d_v"], Float[Tensor, "*batch query key"]]:
    if scale is None:
        scale = 1 / math.sqrt(query.shape[-1])
    scores = query @ key.mT * scale
    if mask is not None:
        scores = scores + mask
    weights = scores.softmax(-1)
    return weights @ value, weights

# %% 3.3 wrong | takes a mask of 0 and 1 that is not boolean without a TypeError
@exercise("3.3")
def scaled_dot_product_attention(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    mask: Bool[Tensor, "*#batch #query #key"] | None = None,
    scale: float | None = None,
) -> tuple[Float[Tensor, "*batch query d_v"], Float[Tensor, "*batch query key"]]:
    if scale is None:
        scale = 1 / math.sqrt(query.shape[-1])
    scores = query @ key.mT * scale
    if mask is not None:
        mask = mask != 0
        scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    weights = scores.softmax(-1)
    if mask is not None:
        weights = weights * mask
    return weights @ value, weights

# %% 3.3 wrong | no ValueError for a mask with more axes than the scores: the output gets the mask's batch axis
@exercise("3.3")
def scaled_dot_product_attention(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    mask: Bool[Tensor, "*#batch #query #key"] | None = None,
    scale: float | None = None,
) -> tuple[Float[Tensor, "*batch query d_v"], Float[Tensor, "*batch query key"]]:
    if query.shape[-1] != key.shape[-1] or key.shape[-2] != value.shape[-2]:
        raise ValueError("shapes")
    if scale is None:
        scale = 1 / math.sqrt(query.shape[-1])
    scores = query @ key.mT * scale
    if mask is not None:
        if mask.dtype != torch.bool:
            raise TypeError("mask must be boolean")
        scores = torch.where(mask, scores, torch.finfo(scores.dtype).min)
    weights = scores.softmax(-1)
    if mask is not None:
        weights = torch.where(mask, weights, 0.0)
    return weights @ value, weights

# %% 3.3 wrong | returns the weights as they were before the mask
@exercise("3.3")
def scaled_dot_product_attention(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    mask: Bool[Tensor, "*#batch #query #key"] | None = None,
    scale: float | None = None,
) -> tuple[Float[Tensor, "*batch query d_v"], Float[Tensor, "*batch query key"]]:
    if scale is None:
        scale = 1 / math.sqrt(query.shape[-1])
    scores = query @ key.mT * scale
    weights = scores.softmax(-1)
    if mask is None:
        return weights @ value, weights
    masked = scores.masked_fill(~mask, torch.finfo(scores.dtype).min).softmax(-1) * mask
    return masked @ value, weights

# %% 3.3 wrong | the softmax runs over the queries (dim -2)
@exercise("3.3")
def scaled_dot_product_attention(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    mask: Bool[Tensor, "*#batch #query #key"] | None = None,
    scale: float | None = None,
) -> tuple[Float[Tensor, "*batch query d_v"], Float[Tensor, "*batch query key"]]:
    if scale is None:
        scale = 1 / math.sqrt(query.shape[-1])
    scores = query @ key.mT * scale
    if mask is not None:
        scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    weights = scores.softmax(-2)
    if mask is not None:
        weights = weights * mask
    return weights @ value, weights

# %% 3.3 wrong | the mask goes over the output's rows (which queries) too late: it multiplies by whether a query sees anything, and never strikes out keys
@exercise("3.3")
def scaled_dot_product_attention(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    mask: Bool[Tensor, "*#batch #query #key"] | None = None,
    scale: float | None = None,
) -> tuple[Float[Tensor, "*batch query d_v"], Float[Tensor, "*batch query key"]]:
    if scale is None:
        scale = 1 / math.sqrt(query.shape[-1])
    weights = (query @ key.mT * scale).softmax(-1)
    if mask is not None:
        weights = weights * mask.any(-1, keepdim=True)
    return weights @ value, weights

# %% 3.3 right | fill with the lowest number, then multiply by the mask
@exercise("3.3")
def scaled_dot_product_attention(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    mask: Bool[Tensor, "*#batch #query #key"] | None = None,
    scale: float | None = None,
) -> tuple[Float[Tensor, "*batch query d_v"], Float[Tensor, "*batch query key"]]:
    if query.shape[-1] != key.shape[-1] or key.shape[-2] != value.shape[-2]:
        raise ValueError("shapes do not fit")
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = query @ key.mT * scale
    if mask is None:
        weights = scores.softmax(-1)
    else:
        if mask.dtype != torch.bool:
            raise TypeError("the mask must be boolean")
        try:
            mask = mask.expand(scores.shape)
        except RuntimeError as error:
            raise ValueError("the mask does not broadcast") from error
        weights = scores.masked_fill(~mask, torch.finfo(scores.dtype).min).softmax(-1) * mask
    return weights @ value, weights

# %% 3.3 right | softmax by hand with exp, maximum over the allowed keys
@exercise("3.3")
def scaled_dot_product_attention(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    mask: Bool[Tensor, "*#batch #query #key"] | None = None,
    scale: float | None = None,
) -> tuple[Float[Tensor, "*batch query d_v"], Float[Tensor, "*batch query key"]]:
    if mask is not None and mask.dtype != torch.bool:
        raise TypeError(f"mask is {mask.dtype}")
    if query.size(-1) != key.size(-1):
        raise ValueError("width")
    if key.size(-2) != value.size(-2):
        raise ValueError("number")
    scale = query.size(-1) ** -0.5 if scale is None else scale
    scores = torch.einsum("...qd,...kd->...qk", query, key) * scale
    if mask is None:
        mask = torch.ones_like(scores, dtype=torch.bool)
    elif mask.dim() > scores.dim() or any(m not in (1, s) for m, s in zip(mask.shape[::-1], scores.shape[::-1])):
        raise ValueError("mask")
    low = torch.where(mask, scores, torch.full_like(scores, -1e30))
    e = torch.where(mask, (low - low.amax(-1, keepdim=True)).exp(), torch.zeros_like(scores))
    weights = e / e.sum(-1, keepdim=True).clamp(min=1e-30)
    return torch.einsum("...qk,...kd->...qd", weights, value), weights

# %% 3.3 right | with the course's masked_softmax and weighted_sum
@exercise("3.3")
def scaled_dot_product_attention(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    mask: Bool[Tensor, "*#batch #query #key"] | None = None,
    scale: float | None = None,
) -> tuple[Float[Tensor, "*batch query d_v"], Float[Tensor, "*batch query key"]]:
    if query.shape[-1] != key.shape[-1]:
        raise ValueError("query and key widths differ")
    if scale is None:
        scale = query.shape[-1] ** -0.5
    weights = masked_softmax((scale * query) @ key.mT, mask)
    return weighted_sum(weights, value), weights

# %% 3.3 right | -inf and softmax on the rows that have a key, zeros elsewhere
@exercise("3.3")
def scaled_dot_product_attention(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    mask: Bool[Tensor, "*#batch #query #key"] | None = None,
    scale: float | None = None,
) -> tuple[Float[Tensor, "*batch query d_v"], Float[Tensor, "*batch query key"]]:
    if query.shape[-1] != key.shape[-1] or key.shape[-2] != value.shape[-2]:
        raise ValueError("shapes do not fit")
    factor = scale if scale is not None else 1 / math.sqrt(key.shape[-1])
    scores = factor * torch.matmul(query, key.transpose(-2, -1))
    if mask is not None:
        if mask.dtype is not torch.bool:
            raise TypeError("True or False, please")
        if mask.ndim > scores.ndim:
            raise ValueError("mask has too many axes")
        for m, s in zip(reversed(mask.shape), reversed(scores.shape)):
            if m != 1 and m != s:
                raise ValueError("mask does not broadcast")
        empty = ~mask.any(-1, keepdim=True)
        scores = scores.masked_fill(~(mask | empty), -math.inf)
        weights = scores.softmax(-1).masked_fill(empty, 0.0)
    else:
        weights = scores.softmax(-1)
    return weights @ value, weights

# %% 3.4 wrong | leaves the diagonal term out: only -p pᵀ
@exercise("3.4")
def softmax_jacobian(weights: Float[Tensor, "*batch key"]) -> Float[Tensor, "*batch key key"]:
    return -weights[..., :, None] * weights[..., None, :]

# %% 3.4 wrong | adds p pᵀ instead of subtracting it
@exercise("3.4")
def softmax_jacobian(weights: Float[Tensor, "*batch key"]) -> Float[Tensor, "*batch key key"]:
    return torch.diag_embed(weights) + weights.unsqueeze(-1) * weights.unsqueeze(-2)

# %% 3.4 wrong | the sign is turned round: p pᵀ - diag(p)
@exercise("3.4")
def softmax_jacobian(weights: Float[Tensor, "*batch key"]) -> Float[Tensor, "*batch key key"]:
    return weights.unsqueeze(-1) * weights.unsqueeze(-2) - torch.diag_embed(weights)

# %% 3.4 wrong | gives only the diagonal p (1 - p), with zeros beside it
@exercise("3.4")
def softmax_jacobian(weights: Float[Tensor, "*batch key"]) -> Float[Tensor, "*batch key key"]:
    return torch.diag_embed(weights * (1 - weights))

# %% 3.4 wrong | gives the vector p (1 - p) instead of the whole matrix
@exercise("3.4")
def softmax_jacobian(weights: Float[Tensor, "*batch key"]) -> Float[Tensor, "*batch key key"]:
    return weights * (1 - weights)

# %% 3.4 wrong | torch.diag of a matrix takes its diagonal out, so it works only without batch axes
@exercise("3.4")
def softmax_jacobian(weights: Float[Tensor, "*batch key"]) -> Float[Tensor, "*batch key key"]:
    return torch.diag(weights) - torch.outer(weights.flatten(), weights.flatten())

# %% 3.4 wrong | p @ p is a single number, the sum of squares, and not the matrix p pᵀ
@exercise("3.4")
def softmax_jacobian(weights: Float[Tensor, "*batch key"]) -> Float[Tensor, "*batch key key"]:
    return torch.diag_embed(weights) - (weights * weights).sum(-1)[..., None, None]

# %% 3.4 wrong | puts the weights through a softmax once more
@exercise("3.4")
def softmax_jacobian(weights: Float[Tensor, "*batch key"]) -> Float[Tensor, "*batch key key"]:
    p = weights.softmax(-1)
    return torch.diag_embed(p) - p[..., :, None] * p[..., None, :]

# %% 3.4 wrong | forgets the factor p_i: gives δ_ij - p_j
@exercise("3.4")
def softmax_jacobian(weights: Float[Tensor, "*batch key"]) -> Float[Tensor, "*batch key key"]:
    n = weights.shape[-1]
    return torch.eye(n, dtype=weights.dtype) - weights.unsqueeze(-2)

# %% 3.4 wrong | p_i (δ_ij - p_i): the second p has the row's index instead of the column's
@exercise("3.4")
def softmax_jacobian(weights: Float[Tensor, "*batch key"]) -> Float[Tensor, "*batch key key"]:
    p = weights[..., :, None]
    return p * (torch.eye(weights.shape[-1], dtype=weights.dtype) - p)

# %% 3.4 wrong | the identity is as large as the first axis, which is the batch and not the number of keys
@exercise("3.4")
def softmax_jacobian(weights: Float[Tensor, "*batch key"]) -> Float[Tensor, "*batch key key"]:
    p = weights
    return p[..., :, None] * (torch.eye(len(p), dtype=p.dtype) - p[..., None, :])

# %% 3.4 wrong | sums p pᵀ over the whole batch, so the rows of a batch are mixed
@exercise("3.4")
def softmax_jacobian(weights: Float[Tensor, "*batch key"]) -> Float[Tensor, "*batch key key"]:
    rows = weights.reshape(-1, weights.shape[-1])
    return torch.diag_embed(weights) - torch.einsum("bi,bj->ij", rows, rows)

# %% 3.4 wrong | diagonal() without its axes takes the first two, so it is wrong as soon as there is a batch
@exercise("3.4")
def softmax_jacobian(weights: Float[Tensor, "*batch key"]) -> Float[Tensor, "*batch key key"]:
    jac = -weights.unsqueeze(-1) * weights.unsqueeze(-2)
    jac.diagonal().add_(weights.mT if weights.dim() > 1 else weights)
    return jac

# %% 3.4 wrong | p_i - p_i p_j everywhere: the δ is missing from the first term
@exercise("3.4")
def softmax_jacobian(weights: Float[Tensor, "*batch key"]) -> Float[Tensor, "*batch key key"]:
    return weights.unsqueeze(-1) - weights.unsqueeze(-1) * weights.unsqueeze(-2)

# %% 3.4 wrong | subtracts p_j² from every row instead of p_i p_j
@exercise("3.4")
def softmax_jacobian(weights: Float[Tensor, "*batch key"]) -> Float[Tensor, "*batch key key"]:
    return torch.diag_embed(weights) - (weights**2).unsqueeze(-2)

# %% 3.4 wrong | detached, so the Jacobian cannot be differentiated itself
@exercise("3.4")
def softmax_jacobian(weights: Float[Tensor, "*batch key"]) -> Float[Tensor, "*batch key key"]:
    p = weights.detach()
    return torch.diag_embed(p) - p.unsqueeze(-1) * p.unsqueeze(-2)

# %% 3.4 wrong | a loop that writes float32 numbers and knows no batch axis
@exercise("3.4")
def softmax_jacobian(weights: Float[Tensor, "*batch key"]) -> Float[Tensor, "*batch key key"]:
    n = len(weights)
    out = torch.zeros(n, n)
    for i in range(n):
        for j in range(n):
            out[i, j] = weights[i] * ((1.0 if i == j else 0.0) - weights[j])
    return out

# %% 3.4 right | diag_embed minus the outer product
@exercise("3.4")
def softmax_jacobian(weights: Float[Tensor, "*batch key"]) -> Float[Tensor, "*batch key key"]:
    return torch.diag_embed(weights) - weights.unsqueeze(-1) * weights.unsqueeze(-2)

# %% 3.4 right | p_i (δ_ij - p_j) with an identity matrix
@exercise("3.4")
def softmax_jacobian(weights: Float[Tensor, "*batch key"]) -> Float[Tensor, "*batch key key"]:
    eye = torch.eye(weights.shape[-1], dtype=weights.dtype)
    return weights[..., :, None] * (eye - weights[..., None, :])

# %% 3.4 right | einsum, then p added to the diagonal in place on its own tensor
@exercise("3.4")
def softmax_jacobian(weights: Float[Tensor, "*batch key"]) -> Float[Tensor, "*batch key key"]:
    jacobian = -torch.einsum("...i,...j->...ij", weights, weights)
    jacobian.diagonal(dim1=-2, dim2=-1).add_(weights)
    return jacobian

# %% 3.4 right | a loop over the rows, stacked
def column(p, j):
    unit = torch.zeros_like(p)
    unit[..., j] = 1
    return p * (unit - p[..., j : j + 1])


@exercise("3.4")
def softmax_jacobian(weights: Float[Tensor, "*batch key"]) -> Float[Tensor, "*batch key key"]:
    return torch.stack([column(weights, j) for j in range(weights.shape[-1])], dim=-1)

# %% 3.4 right | matrix products
@exercise("3.4")
def softmax_jacobian(weights: Float[Tensor, "*batch key"]) -> Float[Tensor, "*batch key key"]:
    column = weights.unsqueeze(-1)
    n = weights.shape[-1]
    return column * torch.eye(n).to(weights) - column @ column.mT

# %% 3.5 wrong | reshapes straight to [heads, sequence, d_head], which mixes tokens: the first head gets the first tokens
@exercise("3.5")
def split_heads(
    x: Float[Tensor, "*batch sequence d_model"], n_heads: int
) -> Float[Tensor, "*batch heads sequence d_head"]:
    if x.shape[-1] % n_heads:
        raise ValueError("not divisible")
    *batch, n, d = x.shape
    return x.reshape(*batch, n_heads, n, d // n_heads)

# %% 3.5 wrong | cuts into [d_head, heads], so a head gets every n-th feature instead of neighbouring ones
@exercise("3.5")
def split_heads(
    x: Float[Tensor, "*batch sequence d_model"], n_heads: int
) -> Float[Tensor, "*batch heads sequence d_head"]:
    if x.shape[-1] % n_heads:
        raise ValueError("not divisible")
    d_head = x.shape[-1] // n_heads
    return x.unflatten(-1, (d_head, n_heads)).movedim(-1, -3)

# %% 3.5 wrong | forgets to transpose: the heads stand behind the sequence
@exercise("3.5")
def split_heads(
    x: Float[Tensor, "*batch sequence d_model"], n_heads: int
) -> Float[Tensor, "*batch heads sequence d_head"]:
    if x.shape[-1] % n_heads:
        raise ValueError("not divisible")
    return x.unflatten(-1, (n_heads, x.shape[-1] // n_heads))

# %% 3.5 wrong | expects exactly one batch axis, so it fails without one and with two
@exercise("3.5")
def split_heads(
    x: Float[Tensor, "*batch sequence d_model"], n_heads: int
) -> Float[Tensor, "*batch heads sequence d_head"]:
    batch, n, d = x.shape
    if d % n_heads != 0:
        raise ValueError("not divisible")
    return x.view(batch, n, n_heads, d // n_heads).transpose(1, 2)

# %% 3.5 wrong | transposes axes 1 and 2 counted from the front, which is right only with exactly one batch axis
@exercise("3.5")
def split_heads(
    x: Float[Tensor, "*batch sequence d_model"], n_heads: int
) -> Float[Tensor, "*batch heads sequence d_head"]:
    if x.shape[-1] % n_heads != 0:
        raise ValueError("not divisible")
    d_head = x.shape[-1] // n_heads
    return x.reshape(*x.shape[:-1], n_heads, d_head).transpose(1, 2)

# %% 3.5 wrong | gives a list of the pieces instead of one tensor
@exercise("3.5")
def split_heads(
    x: Float[Tensor, "*batch sequence d_model"], n_heads: int
) -> Float[Tensor, "*batch heads sequence d_head"]:
    if x.shape[-1] % n_heads:
        raise ValueError("not divisible")
    return list(x.chunk(n_heads, dim=-1))

# %% 3.5 wrong | stacks the heads in front of the batch axes: [heads, batch, sequence, d_head]
@exercise("3.5")
def split_heads(
    x: Float[Tensor, "*batch sequence d_model"], n_heads: int
) -> Float[Tensor, "*batch heads sequence d_head"]:
    if x.shape[-1] % n_heads:
        raise ValueError("not divisible")
    return torch.stack(x.chunk(n_heads, dim=-1))

# %% 3.5 wrong | takes n_heads for the width of a head
@exercise("3.5")
def split_heads(
    x: Float[Tensor, "*batch sequence d_model"], n_heads: int
) -> Float[Tensor, "*batch heads sequence d_head"]:
    if x.shape[-1] % n_heads:
        raise ValueError("not divisible")
    return x.unflatten(-1, (-1, n_heads)).transpose(-3, -2)

# %% 3.5 wrong | drops the features that are left over instead of raising a ValueError
@exercise("3.5")
def split_heads(
    x: Float[Tensor, "*batch sequence d_model"], n_heads: int
) -> Float[Tensor, "*batch heads sequence d_head"]:
    d_head = x.shape[-1] // n_heads
    x = x[..., : n_heads * d_head]
    return x.reshape(*x.shape[:-1], n_heads, d_head).transpose(-3, -2)

# %% 3.5 wrong | torch.chunk makes a smaller or a missing last piece where the width is not divisible; no ValueError and a wrong number of heads
@exercise("3.5")
def split_heads(
    x: Float[Tensor, "*batch sequence d_model"], n_heads: int
) -> Float[Tensor, "*batch heads sequence d_head"]:
    pieces = torch.chunk(x, n_heads, dim=-1)
    width = pieces[0].shape[-1]
    return torch.stack([F.pad(p, (0, width - p.shape[-1])) for p in pieces], dim=-3)

# %% 3.5 wrong | takes every n_heads-th feature for a head: h, h + n_heads, ... instead of consecutive ones
@exercise("3.5")
def split_heads(
    x: Float[Tensor, "*batch sequence d_model"], n_heads: int
) -> Float[Tensor, "*batch heads sequence d_head"]:
    if x.shape[-1] % n_heads:
        raise ValueError("not divisible")
    return torch.stack([x[..., h::n_heads] for h in range(n_heads)], dim=-3)

# %% 3.5 wrong | transposes sequence and features first, so the memory order is that of the features and the axes come out swapped
@exercise("3.5")
def split_heads(
    x: Float[Tensor, "*batch sequence d_model"], n_heads: int
) -> Float[Tensor, "*batch heads sequence d_head"]:
    if x.shape[-1] % n_heads:
        raise ValueError("not divisible")
    *batch, n, d = x.shape
    return x.transpose(-1, -2).reshape(*batch, n_heads, n, d // n_heads)

# %% 3.5 wrong | cuts the sequence into pieces instead of the features
@exercise("3.5")
def split_heads(
    x: Float[Tensor, "*batch sequence d_model"], n_heads: int
) -> Float[Tensor, "*batch heads sequence d_head"]:
    if x.shape[-1] % n_heads:
        raise ValueError("not divisible")
    return torch.stack(x.chunk(n_heads, dim=-2), dim=-3)

# %% 3.5 wrong | gives every head the whole vector instead of its piece
@exercise("3.5")
def split_heads(
    x: Float[Tensor, "*batch sequence d_model"], n_heads: int
) -> Float[Tensor, "*batch heads sequence d_head"]:
    if x.shape[-1] % n_heads:
        raise ValueError("not divisible")
    return x.unsqueeze(-3).expand(*x.shape[:-2], n_heads, *x.shape[-2:])

# %% 3.5 wrong | the heads come in reverse order, the last piece first
@exercise("3.5")
def split_heads(
    x: Float[Tensor, "*batch sequence d_model"], n_heads: int
) -> Float[Tensor, "*batch heads sequence d_head"]:
    if x.shape[-1] % n_heads:
        raise ValueError("not divisible")
    return x.unflatten(-1, (n_heads, -1)).transpose(-3, -2).flip(-3)

# %% 3.5 wrong | the last two axes are swapped: [heads, d_head, sequence]
@exercise("3.5")
def split_heads(
    x: Float[Tensor, "*batch sequence d_model"], n_heads: int
) -> Float[Tensor, "*batch heads sequence d_head"]:
    if x.shape[-1] % n_heads:
        raise ValueError("not divisible")
    return x.unflatten(-1, (n_heads, -1)).movedim(-3, -1)

# %% 3.5 wrong | piece h starts at feature h and not at h · d_head
@exercise("3.5")
def split_heads(
    x: Float[Tensor, "*batch sequence d_model"], n_heads: int
) -> Float[Tensor, "*batch heads sequence d_head"]:
    d_head = x.shape[-1] // n_heads
    if d_head * n_heads != x.shape[-1]:
        raise ValueError("not divisible")
    return torch.stack([x[..., h : h + d_head] for h in range(n_heads)], dim=-3)

# %% 3.5 right | unflatten and transpose
@exercise("3.5")
def split_heads(
    x: Float[Tensor, "*batch sequence d_model"], n_heads: int
) -> Float[Tensor, "*batch heads sequence d_head"]:
    if x.shape[-1] % n_heads:
        raise ValueError(f"{x.shape[-1]} features cannot be cut into {n_heads}")
    return x.unflatten(-1, (n_heads, -1)).transpose(-3, -2)

# %% 3.5 right | reshape and movedim
@exercise("3.5")
def split_heads(
    x: Float[Tensor, "*batch sequence d_model"], n_heads: int
) -> Float[Tensor, "*batch heads sequence d_head"]:
    *batch, n, d_model = x.shape
    d_head, rest = divmod(d_model, n_heads)
    if rest != 0:
        raise ValueError("d_model must be divisible by n_heads")
    return x.reshape(*batch, n, n_heads, d_head).movedim(-2, -3).contiguous()

# %% 3.5 right | chunk and stack
@exercise("3.5")
def split_heads(
    x: Float[Tensor, "*batch sequence d_model"], n_heads: int
) -> Float[Tensor, "*batch heads sequence d_head"]:
    if x.size(-1) % n_heads != 0:
        raise ValueError("d_model must be divisible by n_heads")
    return torch.stack(torch.chunk(x, n_heads, dim=-1), dim=-3)

# %% 3.5 right | slices in a loop
@exercise("3.5")
def split_heads(
    x: Float[Tensor, "*batch sequence d_model"], n_heads: int
) -> Float[Tensor, "*batch heads sequence d_head"]:
    d_model = x.shape[-1]
    d_head = d_model // n_heads
    if n_heads * d_head != d_model:
        raise ValueError("d_model must be a multiple of n_heads")
    heads = []
    for h in range(n_heads):
        heads.append(x[..., h * d_head : (h + 1) * d_head].unsqueeze(-3))
    return torch.cat(heads, dim=-3)

# %% 3.5 right | unfold
@exercise("3.5")
def split_heads(
    x: Float[Tensor, "*batch sequence d_model"], n_heads: int
) -> Float[Tensor, "*batch heads sequence d_head"]:
    if x.shape[-1] % n_heads > 0:
        raise ValueError("width not divisible by number of heads")
    size = x.shape[-1] // n_heads
    return x.unfold(-1, size, size).transpose(-2, -3)

# %% 3.6 wrong | the value defaults to the query instead of the key
import course.heads
from course.attention import masked_softmax
from course.heads import merge_heads, split_heads




@exercise("3.6")
class MultiHeadAttention(course.heads.MultiHeadAttention):
    def forward(
        self,
        query: Float[Tensor, "*batch query d_model"],
        key: Float[Tensor, "*batch key d_model"] | None = None,
        value: Float[Tensor, "*batch key d_model"] | None = None,
        mask: Bool[Tensor, "..."] | None = None,
        need_weights: bool = True,
    ) -> tuple[Float[Tensor, "*batch query d_model"], Float[Tensor, "*batch heads query key"] | None]:
        key = query if key is None else key
        value = query if value is None else value
        q, k, v = (split_heads(f(x), self.n_heads) for f, x in ((self.q_proj, query), (self.k_proj, key), (self.v_proj, value)))
        if mask is not None and mask.dim() == query.dim():
            mask = mask.unsqueeze(-3)
        weights = self.dropout(masked_softmax(q @ k.mT / math.sqrt(q.shape[-1]), mask))
        output = self.out_proj(merge_heads(weights @ v))
        return output, weights if need_weights else None

# %% 3.6 wrong | ignores the key and value that it is given: always self-attention
import course.heads
from course.attention import masked_softmax
from course.heads import merge_heads, split_heads




@exercise("3.6")
class MultiHeadAttention(course.heads.MultiHeadAttention):
    def forward(
        self,
        query: Float[Tensor, "*batch query d_model"],
        key: Float[Tensor, "*batch key d_model"] | None = None,
        value: Float[Tensor, "*batch key d_model"] | None = None,
        mask: Bool[Tensor, "..."] | None = None,
        need_weights: bool = True,
    ) -> tuple[Float[Tensor, "*batch query d_model"], Float[Tensor, "*batch heads query key"] | None]:
        q = split_heads(self.q_proj(query), self.n_heads)
        k = split_heads(self.k_proj(query), self.n_heads)
        v = split_heads(self.v_proj(query), self.n_heads)
        if mask is not None and mask.dim() == query.dim():
            mask = mask.unsqueeze(-3)
        weights = self.dropout(masked_softmax(q @ k.mT / math.sqrt(q.shape[-1]), mask))
        return self.out_proj(merge_heads(weights @ v)), weights if need_weights else None

# %% 3.6 wrong | "key or query" asks for the truth of a tensor and fails when a key is given
import course.heads
from course.attention import masked_softmax
from course.heads import merge_heads, split_heads




@exercise("3.6")
class MultiHeadAttention(course.heads.MultiHeadAttention):
    def forward(
        self,
        query: Float[Tensor, "*batch query d_model"],
        key: Float[Tensor, "*batch key d_model"] | None = None,
        value: Float[Tensor, "*batch key d_model"] | None = None,
        mask: Bool[Tensor, "..."] | None = None,
        need_weights: bool = True,
    ) -> tuple[Float[Tensor, "*batch query d_model"], Float[Tensor, "*batch heads query key"] | None]:
        key = key or query
        value = value or key
        q = split_heads(self.q_proj(query), self.n_heads)
        k = split_heads(self.k_proj(key), self.n_heads)
        v = split_heads(self.v_proj(value), self.n_heads)
        if mask is not None and mask.dim() == query.dim():
            mask = mask.unsqueeze(-3)
        weights = self.dropout(masked_softmax(q @ k.mT / math.sqrt(q.shape[-1]), mask))
        return self.out_proj(merge_heads(weights @ v)), weights if need_weights else None

# %% 3.6 wrong | forgets the last linear map, out_proj
import course.heads
from course.attention import masked_softmax
from course.heads import merge_heads, split_heads




@exercise("3.6")
class MultiHeadAttention(course.heads.MultiHeadAttention):
    def forward(
        self,
        query: Float[Tensor, "*batch query d_model"],
        key: Float[Tensor, "*batch key d_model"] | None = None,
        value: Float[Tensor, "*batch key d_model"] | None = None,
        mask: Bool[Tensor, "..."] | None = None,
        need_weights: bool = True,
    ) -> tuple[Float[Tensor, "*batch query d_model"], Float[Tensor, "*batch heads query key"] | None]:
        key = query if key is None else key
        value = key if value is None else value
        q = split_heads(self.q_proj(query), self.n_heads)
        k = split_heads(self.k_proj(key), self.n_heads)
        v = split_heads(self.v_proj(value), self.n_heads)
        if mask is not None and mask.dim() == query.dim():
            mask = mask.unsqueeze(-3)
        weights = self.dropout(masked_softmax(q @ k.mT / math.sqrt(q.shape[-1]), mask))
        return merge_heads(weights @ v), weights if need_weights else None

# %% 3.6 wrong | merges the heads by a reshape without transposing back, which mixes tokens
import course.heads
from course.attention import masked_softmax
from course.heads import split_heads




@exercise("3.6")
class MultiHeadAttention(course.heads.MultiHeadAttention):
    def forward(
        self,
        query: Float[Tensor, "*batch query d_model"],
        key: Float[Tensor, "*batch key d_model"] | None = None,
        value: Float[Tensor, "*batch key d_model"] | None = None,
        mask: Bool[Tensor, "..."] | None = None,
        need_weights: bool = True,
    ) -> tuple[Float[Tensor, "*batch query d_model"], Float[Tensor, "*batch heads query key"] | None]:
        key = query if key is None else key
        value = key if value is None else value
        q = split_heads(self.q_proj(query), self.n_heads)
        k = split_heads(self.k_proj(key), self.n_heads)
        v = split_heads(self.v_proj(value), self.n_heads)
        if mask is not None and mask.dim() == query.dim():
            mask = mask.unsqueeze(-3)
        weights = self.dropout(masked_softmax(q @ k.mT / math.sqrt(q.shape[-1]), mask))
        out = (weights @ v).reshape(query.shape)
        return self.out_proj(out), weights if need_weights else None

# %% 3.6 wrong | splits into heads by a reshape without transposing, so a head gets some tokens instead of some features
import course.heads
from course.attention import masked_softmax
from course.heads import merge_heads




@exercise("3.6")
class MultiHeadAttention(course.heads.MultiHeadAttention):
    def forward(
        self,
        query: Float[Tensor, "*batch query d_model"],
        key: Float[Tensor, "*batch key d_model"] | None = None,
        value: Float[Tensor, "*batch key d_model"] | None = None,
        mask: Bool[Tensor, "..."] | None = None,
        need_weights: bool = True,
    ) -> tuple[Float[Tensor, "*batch query d_model"], Float[Tensor, "*batch heads query key"] | None]:
        def cut(x):
            return x.reshape(*x.shape[:-2], self.n_heads, x.shape[-2], -1)
        key = query if key is None else key
        value = key if value is None else value
        q, k, v = cut(self.q_proj(query)), cut(self.k_proj(key)), cut(self.v_proj(value))
        if mask is not None and mask.dim() == query.dim():
            mask = mask.unsqueeze(-3)
        weights = self.dropout(masked_softmax(q @ k.mT / math.sqrt(q.shape[-1]), mask))
        return self.out_proj(merge_heads(weights @ v)), weights if need_weights else None

# %% 3.6 wrong | uses q_proj for the keys as well
import course.heads
from course.attention import masked_softmax
from course.heads import merge_heads, split_heads




@exercise("3.6")
class MultiHeadAttention(course.heads.MultiHeadAttention):
    def forward(
        self,
        query: Float[Tensor, "*batch query d_model"],
        key: Float[Tensor, "*batch key d_model"] | None = None,
        value: Float[Tensor, "*batch key d_model"] | None = None,
        mask: Bool[Tensor, "..."] | None = None,
        need_weights: bool = True,
    ) -> tuple[Float[Tensor, "*batch query d_model"], Float[Tensor, "*batch heads query key"] | None]:
        key = query if key is None else key
        value = key if value is None else value
        q = split_heads(self.q_proj(query), self.n_heads)
        k = split_heads(self.q_proj(key), self.n_heads)
        v = split_heads(self.v_proj(value), self.n_heads)
        if mask is not None and mask.dim() == query.dim():
            mask = mask.unsqueeze(-3)
        weights = self.dropout(masked_softmax(q @ k.mT / math.sqrt(q.shape[-1]), mask))
        return self.out_proj(merge_heads(weights @ v)), weights if need_weights else None

# %% 3.6 wrong | scales by √d_model instead of the √d_head of one head
import course.heads
from course.attention import masked_softmax
from course.heads import merge_heads, split_heads




@exercise("3.6")
class MultiHeadAttention(course.heads.MultiHeadAttention):
    def forward(
        self,
        query: Float[Tensor, "*batch query d_model"],
        key: Float[Tensor, "*batch key d_model"] | None = None,
        value: Float[Tensor, "*batch key d_model"] | None = None,
        mask: Bool[Tensor, "..."] | None = None,
        need_weights: bool = True,
    ) -> tuple[Float[Tensor, "*batch query d_model"], Float[Tensor, "*batch heads query key"] | None]:
        key = query if key is None else key
        value = key if value is None else value
        q = split_heads(self.q_proj(query), self.n_heads)
        k = split_heads(self.k_proj(key), self.n_heads)
        v = split_heads(self.v_proj(value), self.n_heads)
        if mask is not None and mask.dim() == query.dim():
            mask = mask.unsqueeze(-3)
        weights = self.dropout(masked_softmax(q @ k.mT / math.sqrt(query.shape[-1]), mask))
        return self.out_proj(merge_heads(weights @ v)), weights if need_weights else None

# %% 3.6 wrong | a mask [batch, query, key] gets no axis for the heads, so it lands on the heads or fails
import course.heads
from course.attention import scaled_dot_product_attention
from course.heads import merge_heads, split_heads




@exercise("3.6")
class MultiHeadAttention(course.heads.MultiHeadAttention):
    def forward(
        self,
        query: Float[Tensor, "*batch query d_model"],
        key: Float[Tensor, "*batch key d_model"] | None = None,
        value: Float[Tensor, "*batch key d_model"] | None = None,
        mask: Bool[Tensor, "..."] | None = None,
        need_weights: bool = True,
    ) -> tuple[Float[Tensor, "*batch query d_model"], Float[Tensor, "*batch heads query key"] | None]:
        key = query if key is None else key
        value = key if value is None else value
        q, k, v = (split_heads(x, self.n_heads) for x in (self.q_proj(query), self.k_proj(key), self.v_proj(value)))
        output, weights = scaled_dot_product_attention(q, k, v, mask)
        if self.training and self.dropout.p:
            weights = self.dropout(weights)
            output = weights @ v
        return self.out_proj(merge_heads(output)), weights if need_weights else None

# %% 3.6 wrong | returns the mean of the weights over the heads instead of every head's
import course.heads
from course.attention import masked_softmax
from course.heads import merge_heads, split_heads




@exercise("3.6")
class MultiHeadAttention(course.heads.MultiHeadAttention):
    def forward(
        self,
        query: Float[Tensor, "*batch query d_model"],
        key: Float[Tensor, "*batch key d_model"] | None = None,
        value: Float[Tensor, "*batch key d_model"] | None = None,
        mask: Bool[Tensor, "..."] | None = None,
        need_weights: bool = True,
    ) -> tuple[Float[Tensor, "*batch query d_model"], Float[Tensor, "*batch heads query key"] | None]:
        key = query if key is None else key
        value = key if value is None else value
        q = split_heads(self.q_proj(query), self.n_heads)
        k = split_heads(self.k_proj(key), self.n_heads)
        v = split_heads(self.v_proj(value), self.n_heads)
        if mask is not None and mask.dim() == query.dim():
            mask = mask.unsqueeze(-3)
        weights = self.dropout(masked_softmax(q @ k.mT / math.sqrt(q.shape[-1]), mask))
        return self.out_proj(merge_heads(weights @ v)), weights.mean(-3) if need_weights else None

# %% 3.6 wrong | ignores need_weights and returns the weights always
import course.heads
from course.attention import masked_softmax
from course.heads import merge_heads, split_heads




@exercise("3.6")
class MultiHeadAttention(course.heads.MultiHeadAttention):
    def forward(
        self,
        query: Float[Tensor, "*batch query d_model"],
        key: Float[Tensor, "*batch key d_model"] | None = None,
        value: Float[Tensor, "*batch key d_model"] | None = None,
        mask: Bool[Tensor, "..."] | None = None,
        need_weights: bool = True,
    ) -> tuple[Float[Tensor, "*batch query d_model"], Float[Tensor, "*batch heads query key"] | None]:
        key = query if key is None else key
        value = key if value is None else value
        q = split_heads(self.q_proj(query), self.n_heads)
        k = split_heads(self.k_proj(key), self.n_heads)
        v = split_heads(self.v_proj(value), self.n_heads)
        if mask is not None and mask.dim() == query.dim():
            mask = mask.unsqueeze(-3)
        weights = self.dropout(masked_softmax(q @ k.mT / math.sqrt(q.shape[-1]), mask))
        return self.out_proj(merge_heads(weights @ v)), weights

# %% 3.6 wrong | forgets the dropout on the weights
import course.heads
from course.attention import scaled_dot_product_attention
from course.heads import merge_heads, split_heads




@exercise("3.6")
class MultiHeadAttention(course.heads.MultiHeadAttention):
    def forward(
        self,
        query: Float[Tensor, "*batch query d_model"],
        key: Float[Tensor, "*batch key d_model"] | None = None,
        value: Float[Tensor, "*batch key d_model"] | None = None,
        mask: Bool[Tensor, "..."] | None = None,
        need_weights: bool = True,
    ) -> tuple[Float[Tensor, "*batch query d_model"], Float[Tensor, "*batch heads query key"] | None]:
        key = query if key is None else key
        value = key if value is None else value
        q, k, v = (split_heads(x, self.n_heads) for x in (self.q_proj(query), self.k_proj(key), self.v_proj(value)))
        if mask is not None and mask.dim() == query.dim():
            mask = mask.unsqueeze(-3)
        output, weights = scaled_dot_product_attention(q, k, v, mask)
        return self.out_proj(merge_heads(output)), weights if need_weights else None

# %% 3.6 wrong | returns the weights from before the dropout, not those that were used
import course.heads
from course.attention import masked_softmax
from course.heads import merge_heads, split_heads




@exercise("3.6")
class MultiHeadAttention(course.heads.MultiHeadAttention):
    def forward(
        self,
        query: Float[Tensor, "*batch query d_model"],
        key: Float[Tensor, "*batch key d_model"] | None = None,
        value: Float[Tensor, "*batch key d_model"] | None = None,
        mask: Bool[Tensor, "..."] | None = None,
        need_weights: bool = True,
    ) -> tuple[Float[Tensor, "*batch query d_model"], Float[Tensor, "*batch heads query key"] | None]:
        key = query if key is None else key
        value = key if value is None else value
        q = split_heads(self.q_proj(query), self.n_heads)
        k = split_heads(self.k_proj(key), self.n_heads)
        v = split_heads(self.v_proj(value), self.n_heads)
        if mask is not None and mask.dim() == query.dim():
            mask = mask.unsqueeze(-3)
        weights = masked_softmax(q @ k.mT / math.sqrt(q.shape[-1]), mask)
        output = self.dropout(weights) @ v
        return self.out_proj(merge_heads(output)), weights if need_weights else None

# %% 3.6 wrong | F.dropout without training=self.training drops in evaluation as well
import course.heads
from course.attention import masked_softmax
from course.heads import merge_heads, split_heads




@exercise("3.6")
class MultiHeadAttention(course.heads.MultiHeadAttention):
    def forward(
        self,
        query: Float[Tensor, "*batch query d_model"],
        key: Float[Tensor, "*batch key d_model"] | None = None,
        value: Float[Tensor, "*batch key d_model"] | None = None,
        mask: Bool[Tensor, "..."] | None = None,
        need_weights: bool = True,
    ) -> tuple[Float[Tensor, "*batch query d_model"], Float[Tensor, "*batch heads query key"] | None]:
        key = query if key is None else key
        value = key if value is None else value
        q = split_heads(self.q_proj(query), self.n_heads)
        k = split_heads(self.k_proj(key), self.n_heads)
        v = split_heads(self.v_proj(value), self.n_heads)
        if mask is not None and mask.dim() == query.dim():
            mask = mask.unsqueeze(-3)
        weights = F.dropout(masked_softmax(q @ k.mT / math.sqrt(q.shape[-1]), mask), self.dropout.p)
        return self.out_proj(merge_heads(weights @ v)), weights if need_weights else None

# %% 3.6 wrong | the mask is inverted: True keeps a query from attending
import course.heads
from course.attention import masked_softmax
from course.heads import merge_heads, split_heads




@exercise("3.6")
class MultiHeadAttention(course.heads.MultiHeadAttention):
    def forward(
        self,
        query: Float[Tensor, "*batch query d_model"],
        key: Float[Tensor, "*batch key d_model"] | None = None,
        value: Float[Tensor, "*batch key d_model"] | None = None,
        mask: Bool[Tensor, "..."] | None = None,
        need_weights: bool = True,
    ) -> tuple[Float[Tensor, "*batch query d_model"], Float[Tensor, "*batch heads query key"] | None]:
        key = query if key is None else key
        value = key if value is None else value
        q = split_heads(self.q_proj(query), self.n_heads)
        k = split_heads(self.k_proj(key), self.n_heads)
        v = split_heads(self.v_proj(value), self.n_heads)
        if mask is not None and mask.dim() == query.dim():
            mask = mask.unsqueeze(-3)
        weights = self.dropout(masked_softmax(q @ k.mT / math.sqrt(q.shape[-1]), None if mask is None else ~mask))
        return self.out_proj(merge_heads(weights @ v)), weights if need_weights else None

# %% 3.6 wrong | unpacks three axes, so it works only with exactly one batch axis
import course.heads
from course.attention import masked_softmax




@exercise("3.6")
class MultiHeadAttention(course.heads.MultiHeadAttention):
    def forward(
        self,
        query: Float[Tensor, "*batch query d_model"],
        key: Float[Tensor, "*batch key d_model"] | None = None,
        value: Float[Tensor, "*batch key d_model"] | None = None,
        mask: Bool[Tensor, "..."] | None = None,
        need_weights: bool = True,
    ) -> tuple[Float[Tensor, "*batch query d_model"], Float[Tensor, "*batch heads query key"] | None]:
        key = query if key is None else key
        value = key if value is None else value
        batch, n, d = query.shape
        m = key.shape[1]
        q = self.q_proj(query).view(batch, n, self.n_heads, -1).transpose(1, 2)
        k = self.k_proj(key).view(batch, m, self.n_heads, -1).transpose(1, 2)
        v = self.v_proj(value).view(batch, m, self.n_heads, -1).transpose(1, 2)
        if mask is not None and mask.dim() == 3:
            mask = mask.unsqueeze(1)
        weights = self.dropout(masked_softmax(q @ k.mT / math.sqrt(q.shape[-1]), mask))
        output = self.out_proj((weights @ v).transpose(1, 2).reshape(batch, n, d))
        return output, weights if need_weights else None

# %% 3.6 wrong | with need_weights=False the fused path forgets the mask
import course.heads
from course.attention import masked_softmax
from course.heads import merge_heads, split_heads




@exercise("3.6")
class MultiHeadAttention(course.heads.MultiHeadAttention):
    def forward(
        self,
        query: Float[Tensor, "*batch query d_model"],
        key: Float[Tensor, "*batch key d_model"] | None = None,
        value: Float[Tensor, "*batch key d_model"] | None = None,
        mask: Bool[Tensor, "..."] | None = None,
        need_weights: bool = True,
    ) -> tuple[Float[Tensor, "*batch query d_model"], Float[Tensor, "*batch heads query key"] | None]:
        key = query if key is None else key
        value = key if value is None else value
        q = split_heads(self.q_proj(query), self.n_heads)
        k = split_heads(self.k_proj(key), self.n_heads)
        v = split_heads(self.v_proj(value), self.n_heads)
        if not need_weights:
            out = F.scaled_dot_product_attention(q, k, v, dropout_p=self.dropout.p if self.training else 0.0)
            return self.out_proj(merge_heads(out)), None
        if mask is not None and mask.dim() == query.dim():
            mask = mask.unsqueeze(-3)
        weights = self.dropout(masked_softmax(q @ k.mT / math.sqrt(q.shape[-1]), mask))
        return self.out_proj(merge_heads(weights @ v)), weights

# %% 3.6 wrong | with need_weights=False returns the output alone instead of the output and None
import course.heads
from course.attention import masked_softmax
from course.heads import merge_heads, split_heads




@exercise("3.6")
class MultiHeadAttention(course.heads.MultiHeadAttention):
    def forward(
        self,
        query: Float[Tensor, "*batch query d_model"],
        key: Float[Tensor, "*batch key d_model"] | None = None,
        value: Float[Tensor, "*batch key d_model"] | None = None,
        mask: Bool[Tensor, "..."] | None = None,
        need_weights: bool = True,
    ) -> tuple[Float[Tensor, "*batch query d_model"], Float[Tensor, "*batch heads query key"] | None]:
        key = query if key is None else key
        value = key if value is None else value
        q = split_heads(self.q_proj(query), self.n_heads)
        k = split_heads(self.k_proj(key), self.n_heads)
        v = split_heads(self.v_proj(value), self.n_heads)
        if mask is not None and mask.dim() == query.dim():
            mask = mask.unsqueeze(-3)
        weights = self.dropout(masked_softmax(q @ k.mT / math.sqrt(q.shape[-1]), mask))
        output = self.out_proj(merge_heads(weights @ v))
        if need_weights:
            return output, weights
        return output

# %% 3.6 wrong | the softmax runs over the heads (dim -3) instead of the keys
import course.heads
from course.heads import merge_heads, split_heads




@exercise("3.6")
class MultiHeadAttention(course.heads.MultiHeadAttention):
    def forward(
        self,
        query: Float[Tensor, "*batch query d_model"],
        key: Float[Tensor, "*batch key d_model"] | None = None,
        value: Float[Tensor, "*batch key d_model"] | None = None,
        mask: Bool[Tensor, "..."] | None = None,
        need_weights: bool = True,
    ) -> tuple[Float[Tensor, "*batch query d_model"], Float[Tensor, "*batch heads query key"] | None]:
        key = query if key is None else key
        value = key if value is None else value
        q = split_heads(self.q_proj(query), self.n_heads)
        k = split_heads(self.k_proj(key), self.n_heads)
        v = split_heads(self.v_proj(value), self.n_heads)
        scores = q @ k.mT / math.sqrt(q.shape[-1])
        if mask is not None:
            if mask.dim() == query.dim():
                mask = mask.unsqueeze(-3)
            scores = scores.masked_fill(~mask, -1e30)
        weights = self.dropout(scores.softmax(-3))
        return self.out_proj(merge_heads(weights @ v)), weights if need_weights else None

# %% 3.6 wrong | a query that may attend nowhere gets NaN
import course.heads
from course.heads import merge_heads, split_heads




@exercise("3.6")
class MultiHeadAttention(course.heads.MultiHeadAttention):
    def forward(
        self,
        query: Float[Tensor, "*batch query d_model"],
        key: Float[Tensor, "*batch key d_model"] | None = None,
        value: Float[Tensor, "*batch key d_model"] | None = None,
        mask: Bool[Tensor, "..."] | None = None,
        need_weights: bool = True,
    ) -> tuple[Float[Tensor, "*batch query d_model"], Float[Tensor, "*batch heads query key"] | None]:
        key = query if key is None else key
        value = key if value is None else value
        q = split_heads(self.q_proj(query), self.n_heads)
        k = split_heads(self.k_proj(key), self.n_heads)
        v = split_heads(self.v_proj(value), self.n_heads)
        scores = q @ k.mT / math.sqrt(q.shape[-1])
        if mask is not None:
            if mask.dim() == query.dim():
                mask = mask.unsqueeze(-3)
            scores = scores.masked_fill(~mask, float("-inf"))
        weights = self.dropout(scores.softmax(-1))
        return self.out_proj(merge_heads(weights @ v)), weights if need_weights else None

# %% 3.6 wrong | a mask of 0 and 1 that is not boolean is taken without a TypeError
import course.heads
from course.attention import masked_softmax
from course.heads import merge_heads, split_heads




@exercise("3.6")
class MultiHeadAttention(course.heads.MultiHeadAttention):
    def forward(
        self,
        query: Float[Tensor, "*batch query d_model"],
        key: Float[Tensor, "*batch key d_model"] | None = None,
        value: Float[Tensor, "*batch key d_model"] | None = None,
        mask: Bool[Tensor, "..."] | None = None,
        need_weights: bool = True,
    ) -> tuple[Float[Tensor, "*batch query d_model"], Float[Tensor, "*batch heads query key"] | None]:
        key = query if key is None else key
        value = key if value is None else value
        if query.shape[-1] != self.d_model or key.shape[-1] != self.d_model or value.shape[-1] != self.d_model:
            raise ValueError("width")
        if key.shape[-2] != value.shape[-2]:
            raise ValueError("number")
        q = split_heads(self.q_proj(query), self.n_heads)
        k = split_heads(self.k_proj(key), self.n_heads)
        v = split_heads(self.v_proj(value), self.n_heads)
        if mask is not None:
            mask = mask.bool()
            if mask.dim() == query.dim():
                mask = mask.unsqueeze(-3)
        weights = self.dropout(masked_softmax(q @ k.mT / math.sqrt(q.shape[-1]), mask))
        return self.out_proj(merge_heads(weights @ v)), weights if need_weights else None

# %% 3.6 right | masked softmax on all heads at once
import course.heads
from course.attention import masked_softmax
from course.heads import merge_heads, split_heads




@exercise("3.6")
class MultiHeadAttention(course.heads.MultiHeadAttention):
    def forward(
        self,
        query: Float[Tensor, "*batch query d_model"],
        key: Float[Tensor, "*batch key d_model"] | None = None,
        value: Float[Tensor, "*batch key d_model"] | None = None,
        mask: Bool[Tensor, "..."] | None = None,
        need_weights: bool = True,
    ) -> tuple[Float[Tensor, "*batch query d_model"], Float[Tensor, "*batch heads query key"] | None]:
        key = query if key is None else key
        value = key if value is None else value
        if any(x.shape[-1] != self.d_model for x in (query, key, value)):
            raise ValueError(f"the width must be {self.d_model}")
        if key.shape[-2] != value.shape[-2]:
            raise ValueError("keys and values differ in number")
        q = split_heads(self.q_proj(query), self.n_heads)
        k = split_heads(self.k_proj(key), self.n_heads)
        v = split_heads(self.v_proj(value), self.n_heads)
        if mask is not None and mask.dim() == query.dim():
            mask = mask.unsqueeze(-3)
        weights = self.dropout(masked_softmax(q @ k.mT / math.sqrt(q.shape[-1]), mask))
        output = self.out_proj(merge_heads(weights @ v))
        return output, weights if need_weights else None

# %% 3.6 right | a loop over the heads with slices of the features
import course.heads
from course.attention import masked_softmax




@exercise("3.6")
class MultiHeadAttention(course.heads.MultiHeadAttention):
    def forward(
        self,
        query: Float[Tensor, "*batch query d_model"],
        key: Float[Tensor, "*batch key d_model"] | None = None,
        value: Float[Tensor, "*batch key d_model"] | None = None,
        mask: Bool[Tensor, "..."] | None = None,
        need_weights: bool = True,
    ) -> tuple[Float[Tensor, "*batch query d_model"], Float[Tensor, "*batch heads query key"] | None]:
        if key is None:
            key = query
        if value is None:
            value = key
        for x in (query, key, value):
            if x.shape[-1] != self.d_model:
                raise ValueError("a width is not d_model")
        if key.shape[-2] != value.shape[-2]:
            raise ValueError("one value for each key")
        q, k, v = self.q_proj(query), self.k_proj(key), self.v_proj(value)
        d_head = self.d_model // self.n_heads
        scores = torch.stack(
            [q[..., i : i + d_head] @ k[..., i : i + d_head].mT for i in range(0, self.d_model, d_head)], dim=-3
        )
        if mask is not None and mask.ndim == query.ndim:
            mask = mask[..., None, :, :]
        weights = self.dropout(masked_softmax(scores * d_head**-0.5, mask))
        heads = [weights[..., h, :, :] @ v[..., h * d_head : (h + 1) * d_head] for h in range(self.n_heads)]
        return self.out_proj(torch.cat(heads, -1)), (weights if need_weights else None)

# %% 3.6 right | einsum, own mask handling
import course.heads
def with_heads(mask, query, scores_shape):
    if mask.dtype != torch.bool:
        raise TypeError(f"the mask is {mask.dtype}, not boolean")
    if mask.dim() == query.dim():
        mask = mask.unsqueeze(-3)
    try:
        return mask.expand(scores_shape)
    except RuntimeError:
        raise ValueError("the mask does not fit") from None




@exercise("3.6")
class MultiHeadAttention(course.heads.MultiHeadAttention):
    def forward(
        self,
        query: Float[Tensor, "*batch query d_model"],
        key: Float[Tensor, "*batch key d_model"] | None = None,
        value: Float[Tensor, "*batch key d_model"] | None = None,
        mask: Bool[Tensor, "..."] | None = None,
        need_weights: bool = True,
    ) -> tuple[Float[Tensor, "*batch query d_model"], Float[Tensor, "*batch heads query key"] | None]:
        key = query if key is None else key
        value = key if value is None else value
        if not (query.shape[-1] == key.shape[-1] == value.shape[-1] == self.d_model):
            raise ValueError("width")
        if key.shape[-2] != value.shape[-2]:
            raise ValueError("number of keys and values")
        h = self.n_heads
        q = self.q_proj(query).unflatten(-1, (h, -1))
        k = self.k_proj(key).unflatten(-1, (h, -1))
        v = self.v_proj(value).unflatten(-1, (h, -1))
        scores = torch.einsum("...qhd,...khd->...hqk", q, k) / q.shape[-1] ** 0.5
        if mask is None:
            weights = scores.softmax(-1)
        else:
            mask = with_heads(mask, query, scores.shape)
            weights = scores.masked_fill(~mask, torch.finfo(scores.dtype).min).softmax(-1) * mask
        weights = self.dropout(weights)
        merged = torch.einsum("...hqk,...khd->...qhd", weights, v).flatten(-2)
        return self.out_proj(merged), weights if need_weights else None

# %% 3.6 right | scaled_dot_product_attention of 3.3, dropout by F.dropout on its weights
import course.heads
from course.attention import scaled_dot_product_attention
from course.heads import split_heads




@exercise("3.6")
class MultiHeadAttention(course.heads.MultiHeadAttention):
    def forward(
        self,
        query: Float[Tensor, "*batch query d_model"],
        key: Float[Tensor, "*batch key d_model"] | None = None,
        value: Float[Tensor, "*batch key d_model"] | None = None,
        mask: Bool[Tensor, "..."] | None = None,
        need_weights: bool = True,
    ) -> tuple[Float[Tensor, "*batch query d_model"], Float[Tensor, "*batch heads query key"] | None]:
        key = query if key is None else key
        value = value if value is not None else key
        if {query.size(-1), key.size(-1), value.size(-1)} != {self.d_model}:
            raise ValueError("all widths must be d_model")
        if key.size(-2) != value.size(-2):
            raise ValueError("as many values as keys")
        q, k, v = (
            split_heads(project(x), self.n_heads)
            for project, x in ((self.q_proj, query), (self.k_proj, key), (self.v_proj, value))
        )
        if mask is not None and mask.dim() == query.dim():
            mask = mask.unsqueeze(-3)
        output, weights = scaled_dot_product_attention(q, k, v, mask)
        if self.training and self.dropout.p > 0:
            weights = F.dropout(weights, self.dropout.p, training=True)
            output = weights @ v
        output = self.out_proj(output.transpose(-3, -2).flatten(-2))
        if not need_weights:
            weights = None
        return output, weights
