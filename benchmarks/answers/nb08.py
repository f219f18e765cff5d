"""Answers to the exercises of notebook 08, as people write them; none was made with a look at the checks."""


# %% 8.1 wrong | rows and columns are swapped while counting: the row is the token that follows, the column the one that was read
@exercise("8.1")
def bigram_probabilities(
    ids: Int[Tensor, "n"], vocab_size: int, alpha: float = 1.0
) -> Float[Tensor, "vocab vocab"]:
    counts = torch.full((vocab_size, vocab_size), float(alpha))
    for a, b in zip(ids[:-1].tolist(), ids[1:].tolist()):
        counts[b, a] += 1
    return counts / counts.sum(1, keepdim=True)


# %% 8.1 wrong | divides by the column sums, so the columns add up to 1 in place of the rows
@exercise("8.1")
def bigram_probabilities(
    ids: Int[Tensor, "n"], vocab_size: int, alpha: float = 1.0
) -> Float[Tensor, "vocab vocab"]:
    counts = torch.full((vocab_size, vocab_size), float(alpha))
    for a, b in zip(ids[:-1].tolist(), ids[1:].tolist()):
        counts[a, b] += 1
    return counts / counts.sum(0, keepdim=True)


# %% 8.1 wrong | divides by the row sums without keepdim, so column b is divided by the sum of row b and not row a by its own
@exercise("8.1")
def bigram_probabilities(
    ids: Int[Tensor, "n"], vocab_size: int, alpha: float = 1.0
) -> Float[Tensor, "vocab vocab"]:
    counts = torch.full((vocab_size, vocab_size), float(alpha))
    for a, b in zip(ids[:-1].tolist(), ids[1:].tolist()):
        counts[a, b] += 1
    return counts / counts.sum(1)


# %% 8.1 wrong | += at index tensors counts a pair that occurs several times only once
@exercise("8.1")
def bigram_probabilities(
    ids: Int[Tensor, "n"], vocab_size: int, alpha: float = 1.0
) -> Float[Tensor, "vocab vocab"]:
    counts = torch.zeros(vocab_size, vocab_size)
    counts[ids[:-1], ids[1:]] += 1
    counts = counts + alpha
    return counts / counts.sum(-1, keepdim=True)


# %% 8.1 wrong | alpha is added to the counts but not to the row's total, so rows sum to more than 1 (and a token never read gives inf)
@exercise("8.1")
def bigram_probabilities(
    ids: Int[Tensor, "n"], vocab_size: int, alpha: float = 1.0
) -> Float[Tensor, "vocab vocab"]:
    counts = torch.zeros(vocab_size, vocab_size)
    for a, b in zip(ids[:-1].tolist(), ids[1:].tolist()):
        counts[a, b] += 1
    return (counts + alpha) / counts.sum(-1, keepdim=True)


# %% 8.1 wrong | adds alpha once to the row's total in place of alpha times the size of the vocabulary
@exercise("8.1")
def bigram_probabilities(
    ids: Int[Tensor, "n"], vocab_size: int, alpha: float = 1.0
) -> Float[Tensor, "vocab vocab"]:
    counts = torch.zeros(vocab_size, vocab_size)
    for i in range(len(ids) - 1):
        counts[ids[i], ids[i + 1]] += 1
    return (counts + alpha) / (counts.sum(-1, keepdim=True) + alpha)


# %% 8.1 wrong | alpha is not used: what was never seen has probability 0, and a row of a token never read is NaN
@exercise("8.1")
def bigram_probabilities(
    ids: Int[Tensor, "n"], vocab_size: int, alpha: float = 1.0
) -> Float[Tensor, "vocab vocab"]:
    counts = torch.zeros(vocab_size, vocab_size)
    for i in range(len(ids) - 1):
        counts[ids[i], ids[i + 1]] += 1
    return counts / counts.sum(-1, keepdim=True)


# %% 8.1 wrong | always adds 1, whatever alpha is
@exercise("8.1")
def bigram_probabilities(
    ids: Int[Tensor, "n"], vocab_size: int, alpha: float = 1.0
) -> Float[Tensor, "vocab vocab"]:
    counts = torch.ones(vocab_size, vocab_size)
    for i in range(len(ids) - 1):
        counts[ids[i], ids[i + 1]] += 1
    return counts / counts.sum(-1, keepdim=True)


# %% 8.1 wrong | alpha is added only to pairs that were never seen and not to every count
@exercise("8.1")
def bigram_probabilities(
    ids: Int[Tensor, "n"], vocab_size: int, alpha: float = 1.0
) -> Float[Tensor, "vocab vocab"]:
    counts = torch.zeros(vocab_size, vocab_size)
    for i in range(len(ids) - 1):
        counts[ids[i], ids[i + 1]] += 1
    counts[counts == 0] = alpha
    return counts / counts.sum(-1, keepdim=True)


# %% 8.1 wrong | divides by the sum of the whole table: joint probabilities of pairs, not what follows a given token
@exercise("8.1")
def bigram_probabilities(
    ids: Int[Tensor, "n"], vocab_size: int, alpha: float = 1.0
) -> Float[Tensor, "vocab vocab"]:
    counts = torch.full((vocab_size, vocab_size), float(alpha))
    counts.index_put_((ids[:-1], ids[1:]), torch.ones(len(ids) - 1), accumulate=True)
    return counts / counts.sum()


# %% 8.1 wrong | the text is taken for a ring: the first token is counted as following the last one
@exercise("8.1")
def bigram_probabilities(
    ids: Int[Tensor, "n"], vocab_size: int, alpha: float = 1.0
) -> Float[Tensor, "vocab vocab"]:
    after = torch.roll(ids, -1)
    counts = torch.bincount(ids * vocab_size + after, minlength=vocab_size**2).view(vocab_size, vocab_size)
    counts = counts + alpha
    return counts / counts.sum(-1, keepdim=True)


# %% 8.1 wrong | each pair is counted in both directions, a after b as well as b after a
@exercise("8.1")
def bigram_probabilities(
    ids: Int[Tensor, "n"], vocab_size: int, alpha: float = 1.0
) -> Float[Tensor, "vocab vocab"]:
    counts = torch.full((vocab_size, vocab_size), float(alpha))
    for a, b in zip(ids[:-1].tolist(), ids[1:].tolist()):
        counts[a, b] += 1
        counts[b, a] += 1
    return counts / counts.sum(-1, keepdim=True)


# %% 8.1 wrong | the last pair of the text is left out (the loop ends one too early)
@exercise("8.1")
def bigram_probabilities(
    ids: Int[Tensor, "n"], vocab_size: int, alpha: float = 1.0
) -> Float[Tensor, "vocab vocab"]:
    counts = torch.full((vocab_size, vocab_size), float(alpha))
    for i in range(len(ids) - 2):
        counts[ids[i], ids[i + 1]] += 1
    return counts / counts.sum(-1, keepdim=True)


# %% 8.1 wrong | the table is as large as the greatest id in the text and not vocab_size
@exercise("8.1")
def bigram_probabilities(
    ids: Int[Tensor, "n"], vocab_size: int, alpha: float = 1.0
) -> Float[Tensor, "vocab vocab"]:
    size = int(ids.max()) + 1
    counts = torch.full((size, size), float(alpha))
    for i in range(len(ids) - 1):
        counts[ids[i], ids[i + 1]] += 1
    return counts / counts.sum(-1, keepdim=True)


# %% 8.1 wrong | adds a float in place to whole-number counts, which torch refuses with an error
@exercise("8.1")
def bigram_probabilities(
    ids: Int[Tensor, "n"], vocab_size: int, alpha: float = 1.0
) -> Float[Tensor, "vocab vocab"]:
    counts = torch.bincount(ids[:-1] * vocab_size + ids[1:], minlength=vocab_size**2).view(
        vocab_size, vocab_size
    )
    counts += alpha
    return counts / counts.sum(-1, keepdim=True)


# %% 8.1 wrong | returns the logarithms of the probabilities
@exercise("8.1")
def bigram_probabilities(
    ids: Int[Tensor, "n"], vocab_size: int, alpha: float = 1.0
) -> Float[Tensor, "vocab vocab"]:
    counts = torch.full((vocab_size, vocab_size), float(alpha))
    for i in range(len(ids) - 1):
        counts[ids[i], ids[i + 1]] += 1
    return (counts / counts.sum(-1, keepdim=True)).log()


# %% 8.1 wrong | softmax of the counts in place of counts divided by their sum
@exercise("8.1")
def bigram_probabilities(
    ids: Int[Tensor, "n"], vocab_size: int, alpha: float = 1.0
) -> Float[Tensor, "vocab vocab"]:
    counts = torch.full((vocab_size, vocab_size), float(alpha))
    for i in range(len(ids) - 1):
        counts[ids[i], ids[i + 1]] += 1
    return counts.softmax(-1)


# %% 8.1 right | a loop over neighbours
@exercise("8.1")
def bigram_probabilities(
    ids: Int[Tensor, "n"], vocab_size: int, alpha: float = 1.0
) -> Float[Tensor, "vocab vocab"]:
    counts = torch.full((vocab_size, vocab_size), float(alpha))
    for a, b in zip(ids[:-1].tolist(), ids[1:].tolist()):
        counts[a, b] += 1
    return counts / counts.sum(dim=1, keepdim=True)


# %% 8.1 right | bincount of pair numbers
@exercise("8.1")
def bigram_probabilities(
    ids: Int[Tensor, "n"], vocab_size: int, alpha: float = 1.0
) -> Float[Tensor, "vocab vocab"]:
    pairs = ids[:-1] * vocab_size + ids[1:]
    counts = torch.bincount(pairs, minlength=vocab_size * vocab_size).reshape(vocab_size, vocab_size).float()
    return (counts + alpha) / (counts.sum(-1, keepdim=True) + alpha * vocab_size)


# %% 8.1 right | product of one-hot matrices
@exercise("8.1")
def bigram_probabilities(
    ids: Int[Tensor, "n"], vocab_size: int, alpha: float = 1.0
) -> Float[Tensor, "vocab vocab"]:
    one_hot = F.one_hot(ids, vocab_size).float()
    counts = one_hot[:-1].T @ one_hot[1:] + alpha
    return F.normalize(counts, p=1, dim=1)


# %% 8.1 right | np.add.at
@exercise("8.1")
def bigram_probabilities(
    ids: Int[Tensor, "n"], vocab_size: int, alpha: float = 1.0
) -> Float[Tensor, "vocab vocab"]:
    import numpy as np

    counts = np.full((vocab_size, vocab_size), alpha, dtype=np.float64)
    np.add.at(counts, (ids[:-1].numpy(), ids[1:].numpy()), 1)
    return torch.tensor(counts / counts.sum(1, keepdims=True), dtype=torch.float32)


# %% 8.2 wrong | padding stays among the targets and is not set to -100
@exercise("8.2")
def inputs_and_targets(
    ids: Int[Tensor, "batch n"], padding: int
) -> tuple[Int[Tensor, "batch m"], Int[Tensor, "batch m"]]:
    return ids[:, :-1], ids[:, 1:]


# %% 8.2 wrong | ignores where the input is padding and not where the target is: the last real token is asked for padding
@exercise("8.2")
def inputs_and_targets(
    ids: Int[Tensor, "batch n"], padding: int
) -> tuple[Int[Tensor, "batch m"], Int[Tensor, "batch m"]]:
    inputs, targets = ids[:, :-1], ids[:, 1:]
    return inputs, targets.masked_fill(inputs == padding, -100)


# %% 8.2 wrong | targets are not shifted: each token is to predict itself
@exercise("8.2")
def inputs_and_targets(
    ids: Int[Tensor, "batch n"], padding: int
) -> tuple[Int[Tensor, "batch m"], Int[Tensor, "batch m"]]:
    inputs = ids[:, :-1]
    return inputs, inputs.masked_fill(inputs == padding, -100)


# %% 8.2 wrong | shifted the wrong way: the model reads the later token and is to predict the one before
@exercise("8.2")
def inputs_and_targets(
    ids: Int[Tensor, "batch n"], padding: int
) -> tuple[Int[Tensor, "batch m"], Int[Tensor, "batch m"]]:
    inputs, targets = ids[:, 1:], ids[:, :-1]
    return inputs, targets.masked_fill(targets == padding, -100)


# %% 8.2 wrong | the two are returned in the wrong order, targets first
@exercise("8.2")
def inputs_and_targets(
    ids: Int[Tensor, "batch n"], padding: int
) -> tuple[Int[Tensor, "batch m"], Int[Tensor, "batch m"]]:
    targets = ids[:, 1:].masked_fill(ids[:, 1:] == padding, -100)
    return targets, ids[:, :-1]


# %% 8.2 wrong | writes -100 into a view, so the caller's ids, and the inputs with them, are changed
@exercise("8.2")
def inputs_and_targets(
    ids: Int[Tensor, "batch n"], padding: int
) -> tuple[Int[Tensor, "batch m"], Int[Tensor, "batch m"]]:
    inputs, targets = ids[:, :-1], ids[:, 1:]
    targets[targets == padding] = -100
    return inputs, targets


# %% 8.2 wrong | padding becomes -100 in the inputs as well, where no embedding can read it
@exercise("8.2")
def inputs_and_targets(
    ids: Int[Tensor, "batch n"], padding: int
) -> tuple[Int[Tensor, "batch m"], Int[Tensor, "batch m"]]:
    filled = ids.masked_fill(ids == padding, -100)
    return filled[:, :-1], filled[:, 1:]


# %% 8.2 wrong | takes 0 for the padding and does not look at the argument
@exercise("8.2")
def inputs_and_targets(
    ids: Int[Tensor, "batch n"], padding: int
) -> tuple[Int[Tensor, "batch m"], Int[Tensor, "batch m"]]:
    targets = ids[:, 1:].clone()
    targets[targets == 0] = -100
    return ids[:, :-1], targets


# %% 8.2 wrong | nothing is cut off: n positions in place of n - 1, and the last is to predict the first token of its text
@exercise("8.2")
def inputs_and_targets(
    ids: Int[Tensor, "batch n"], padding: int
) -> tuple[Int[Tensor, "batch m"], Int[Tensor, "batch m"]]:
    targets = torch.roll(ids, -1, dims=1)
    return ids, targets.masked_fill(targets == padding, -100)


# %% 8.2 wrong | padding becomes -1 and not IGNORED, -100
@exercise("8.2")
def inputs_and_targets(
    ids: Int[Tensor, "batch n"], padding: int
) -> tuple[Int[Tensor, "batch m"], Int[Tensor, "batch m"]]:
    targets = ids[:, 1:]
    return ids[:, :-1], torch.where(targets == padding, -1, targets)


# %% 8.2 wrong | shifts along the batch: the target is the same place of the next text
@exercise("8.2")
def inputs_and_targets(
    ids: Int[Tensor, "batch n"], padding: int
) -> tuple[Int[Tensor, "batch m"], Int[Tensor, "batch m"]]:
    targets = ids[1:]
    return ids[:-1], targets.masked_fill(targets == padding, -100)


# %% 8.2 wrong | the mask is upside down: real targets are ignored and padding is asked for
@exercise("8.2")
def inputs_and_targets(
    ids: Int[Tensor, "batch n"], padding: int
) -> tuple[Int[Tensor, "batch m"], Int[Tensor, "batch m"]]:
    targets = ids[:, 1:]
    return ids[:, :-1], torch.where(targets == padding, targets, torch.full_like(targets, -100))


# %% 8.2 wrong | the targets come out as floats
@exercise("8.2")
def inputs_and_targets(
    ids: Int[Tensor, "batch n"], padding: int
) -> tuple[Int[Tensor, "batch m"], Int[Tensor, "batch m"]]:
    targets = ids[:, 1:].float()
    targets[targets == padding] = -100
    return ids[:, :-1], targets


# %% 8.2 wrong | the target is the token after the next one, so both have n - 2 columns
@exercise("8.2")
def inputs_and_targets(
    ids: Int[Tensor, "batch n"], padding: int
) -> tuple[Int[Tensor, "batch m"], Int[Tensor, "batch m"]]:
    targets = ids[:, 2:]
    return ids[:, :-2], targets.masked_fill(targets == padding, -100)


# %% 8.2 wrong | everything from the shortest text's end on is ignored, in every row and not only where there is padding
@exercise("8.2")
def inputs_and_targets(
    ids: Int[Tensor, "batch n"], padding: int
) -> tuple[Int[Tensor, "batch m"], Int[Tensor, "batch m"]]:
    targets = ids[:, 1:].clone()
    targets[:, (targets == padding).any(0)] = -100
    return ids[:, :-1], targets


# %% 8.2 wrong | ignores the last real token's position too: the target before padding is lost with it
@exercise("8.2")
def inputs_and_targets(
    ids: Int[Tensor, "batch n"], padding: int
) -> tuple[Int[Tensor, "batch m"], Int[Tensor, "batch m"]]:
    targets = ids[:, 1:].clone()
    after = torch.cat([targets[:, 1:], targets[:, -1:]], 1)
    targets[(targets == padding) | (after == padding)] = -100
    return ids[:, :-1], targets


# %% 8.2 right | masked_fill
@exercise("8.2")
def inputs_and_targets(
    ids: Int[Tensor, "batch n"], padding: int
) -> tuple[Int[Tensor, "batch m"], Int[Tensor, "batch m"]]:
    targets = ids[:, 1:]
    return ids[:, :-1], targets.masked_fill(targets == padding, -100)


# %% 8.2 right | clone, then write
@exercise("8.2")
def inputs_and_targets(
    ids: Int[Tensor, "batch n"], padding: int
) -> tuple[Int[Tensor, "batch m"], Int[Tensor, "batch m"]]:
    inputs = ids[..., :-1].clone()
    targets = ids[..., 1:].clone()
    targets[targets == padding] = -100
    return inputs, targets


# %% 8.2 right | lists, one text at a time
@exercise("8.2")
def inputs_and_targets(
    ids: Int[Tensor, "batch n"], padding: int
) -> tuple[Int[Tensor, "batch m"], Int[Tensor, "batch m"]]:
    inputs, targets = [], []
    for row in ids.tolist():
        inputs.append(row[:-1])
        targets.append([-100 if token == padding else token for token in row[1:]])
    return torch.tensor(inputs), torch.tensor(targets)


# %% 8.2 right | narrow and where
@exercise("8.2")
def inputs_and_targets(
    ids: Int[Tensor, "batch n"], padding: int
) -> tuple[Int[Tensor, "batch m"], Int[Tensor, "batch m"]]:
    n = ids.shape[1]
    targets = ids.narrow(1, 1, n - 1)
    return ids.narrow(1, 0, n - 1), torch.where(targets.eq(padding), torch.tensor(-100), targets)


# %% 8.3 wrong | divides by the number of all targets, the ignored ones included
@exercise("8.3")
def next_token_loss(
    logits: Float[Tensor, "*batch vocab"], targets: Int[Tensor, "*batch"]
) -> Float[Tensor, ""]:
    log_p = logits.log_softmax(-1)
    keep = targets != -100
    loss = -log_p.gather(-1, targets.clamp(min=0)[..., None])[..., 0]
    return (loss * keep).mean()


# %% 8.3 wrong | the sum over the targets and not their mean
@exercise("8.3")
def next_token_loss(
    logits: Float[Tensor, "*batch vocab"], targets: Int[Tensor, "*batch"]
) -> Float[Tensor, ""]:
    return F.cross_entropy(logits.flatten(0, -2), targets.flatten(), reduction="sum")


# %% 8.3 wrong | forgets the logarithm: the mean of -p
@exercise("8.3")
def next_token_loss(
    logits: Float[Tensor, "*batch vocab"], targets: Int[Tensor, "*batch"]
) -> Float[Tensor, ""]:
    p = logits.softmax(-1)
    keep = targets != -100
    return -p[keep][torch.arange(int(keep.sum())), targets[keep]].mean()


# %% 8.3 wrong | forgets the minus: the mean of ln p
@exercise("8.3")
def next_token_loss(
    logits: Float[Tensor, "*batch vocab"], targets: Int[Tensor, "*batch"]
) -> Float[Tensor, ""]:
    log_p = F.log_softmax(logits, dim=-1)
    keep = targets != -100
    return log_p[keep].gather(-1, targets[keep].unsqueeze(-1)).mean()


# %% 8.3 wrong | the softmax runs over the first axis, the positions, and not over the vocabulary
@exercise("8.3")
def next_token_loss(
    logits: Float[Tensor, "*batch vocab"], targets: Int[Tensor, "*batch"]
) -> Float[Tensor, ""]:
    log_p = logits.log_softmax(0)
    keep = targets != -100
    return -log_p[keep].gather(-1, targets[keep].unsqueeze(-1)).mean()


# %% 8.3 wrong | in bits (log2), not in nats
@exercise("8.3")
def next_token_loss(
    logits: Float[Tensor, "*batch vocab"], targets: Int[Tensor, "*batch"]
) -> Float[Tensor, ""]:
    log_p = logits.softmax(-1).log2()
    keep = targets != -100
    return -log_p[keep].gather(-1, targets[keep].unsqueeze(-1)).mean()


# %% 8.3 wrong | ignored targets are taken for token 0 and count
@exercise("8.3")
def next_token_loss(
    logits: Float[Tensor, "*batch vocab"], targets: Int[Tensor, "*batch"]
) -> Float[Tensor, ""]:
    log_p = logits.log_softmax(-1)
    return -log_p.gather(-1, targets.clamp(min=0).unsqueeze(-1)).mean()


# %% 8.3 wrong | ignored targets are not left out: -100 goes into gather, which raises an error
@exercise("8.3")
def next_token_loss(
    logits: Float[Tensor, "*batch vocab"], targets: Int[Tensor, "*batch"]
) -> Float[Tensor, ""]:
    log_p = logits.log_softmax(-1)
    return -log_p.gather(-1, targets.unsqueeze(-1)).mean()


# %% 8.3 wrong | -100 is used as an index from the end or out of range: nothing is ignored, and a small vocabulary gives an error
@exercise("8.3")
def next_token_loss(
    logits: Float[Tensor, "*batch vocab"], targets: Int[Tensor, "*batch"]
) -> Float[Tensor, ""]:
    flat, wanted = logits.reshape(-1, logits.shape[-1]).log_softmax(-1), targets.reshape(-1)
    return -flat[torch.arange(len(wanted)), wanted].mean()


# %% 8.3 wrong | the exponentials are taken of the raw logits, so a logit above 88 overflows and gives NaN
@exercise("8.3")
def next_token_loss(
    logits: Float[Tensor, "*batch vocab"], targets: Int[Tensor, "*batch"]
) -> Float[Tensor, ""]:
    e = logits.exp()
    p = e / e.sum(-1, keepdim=True)
    keep = targets != -100
    return -p[keep].gather(-1, targets[keep].unsqueeze(-1)).log().mean()


# %% 8.3 wrong | the mean of each text's mean, so that the tokens of short texts weigh more
@exercise("8.3")
def next_token_loss(
    logits: Float[Tensor, "*batch vocab"], targets: Int[Tensor, "*batch"]
) -> Float[Tensor, ""]:
    log_p = logits.log_softmax(-1)
    keep = (targets != -100).float()
    loss = -log_p.gather(-1, targets.clamp(min=0).unsqueeze(-1)).squeeze(-1)
    return ((loss * keep).sum(-1) / keep.sum(-1)).mean()


# %% 8.3 wrong | batches are not flattened: cross_entropy takes the second axis for the vocabulary
@exercise("8.3")
def next_token_loss(
    logits: Float[Tensor, "*batch vocab"], targets: Int[Tensor, "*batch"]
) -> Float[Tensor, ""]:
    return F.cross_entropy(logits, targets)


# %% 8.3 wrong | cross_entropy is given probabilities, so the softmax is taken twice
@exercise("8.3")
def next_token_loss(
    logits: Float[Tensor, "*batch vocab"], targets: Int[Tensor, "*batch"]
) -> Float[Tensor, ""]:
    p = logits.softmax(-1)
    return F.cross_entropy(p.reshape(-1, p.shape[-1]), targets.reshape(-1))


# %% 8.3 wrong | gives a Python float, through which no gradient runs
@exercise("8.3")
def next_token_loss(
    logits: Float[Tensor, "*batch vocab"], targets: Int[Tensor, "*batch"]
) -> Float[Tensor, ""]:
    loss = F.cross_entropy(logits.flatten(0, -2), targets.flatten())
    return loss.item()


# %% 8.3 wrong | the exponential of the loss, the perplexity
@exercise("8.3")
def next_token_loss(
    logits: Float[Tensor, "*batch vocab"], targets: Int[Tensor, "*batch"]
) -> Float[Tensor, ""]:
    return F.cross_entropy(logits.flatten(0, -2), targets.flatten()).exp()


# %% 8.3 wrong | one loss for each target and not their mean
@exercise("8.3")
def next_token_loss(
    logits: Float[Tensor, "*batch vocab"], targets: Int[Tensor, "*batch"]
) -> Float[Tensor, ""]:
    return F.cross_entropy(logits.flatten(0, -2), targets.flatten(), reduction="none")


# %% 8.3 wrong | token 0 is left out as well, as though it were padding
@exercise("8.3")
def next_token_loss(
    logits: Float[Tensor, "*batch vocab"], targets: Int[Tensor, "*batch"]
) -> Float[Tensor, ""]:
    log_p = logits.log_softmax(-1)
    keep = targets > 0
    return -log_p[keep].gather(-1, targets[keep].unsqueeze(-1)).mean()


# %% 8.3 wrong | nll_loss is given the logits as they are, without the log-softmax
@exercise("8.3")
def next_token_loss(
    logits: Float[Tensor, "*batch vocab"], targets: Int[Tensor, "*batch"]
) -> Float[Tensor, ""]:
    return F.nll_loss(logits.reshape(-1, logits.shape[-1]), targets.reshape(-1), ignore_index=-100)


# %% 8.3 wrong | the probability is divided by the greatest and not by the sum: ln of the normaliser is missing
@exercise("8.3")
def next_token_loss(
    logits: Float[Tensor, "*batch vocab"], targets: Int[Tensor, "*batch"]
) -> Float[Tensor, ""]:
    keep = targets != -100
    chosen, wanted = logits[keep], targets[keep]
    shifted = chosen - chosen.max(-1, keepdim=True).values
    return -shifted.gather(-1, wanted.unsqueeze(-1)).mean()


# %% 8.3 right | torch's own, flattened
@exercise("8.3")
def next_token_loss(
    logits: Float[Tensor, "*batch vocab"], targets: Int[Tensor, "*batch"]
) -> Float[Tensor, ""]:
    return F.cross_entropy(logits.reshape(-1, logits.shape[-1]), targets.reshape(-1), ignore_index=-100)


# %% 8.3 right | logsumexp minus the logit that came
@exercise("8.3")
def next_token_loss(
    logits: Float[Tensor, "*batch vocab"], targets: Int[Tensor, "*batch"]
) -> Float[Tensor, ""]:
    keep = targets != -100
    chosen, wanted = logits[keep], targets[keep]
    return (chosen.logsumexp(-1) - chosen.gather(-1, wanted[:, None])[:, 0]).mean()


# %% 8.3 right | masked sum over the count
@exercise("8.3")
def next_token_loss(
    logits: Float[Tensor, "*batch vocab"], targets: Int[Tensor, "*batch"]
) -> Float[Tensor, ""]:
    log_p = logits - logits.logsumexp(dim=-1, keepdim=True)
    keep = targets != -100
    loss = -log_p.gather(-1, targets.masked_fill(~keep, 0).unsqueeze(-1)).squeeze(-1)
    return torch.where(keep, loss, 0.0).sum() / keep.sum()


# %% 8.3 right | a loop over positions
@exercise("8.3")
def next_token_loss(
    logits: Float[Tensor, "*batch vocab"], targets: Int[Tensor, "*batch"]
) -> Float[Tensor, ""]:
    rows = logits.reshape(-1, logits.shape[-1]).log_softmax(1)
    losses = [-row[t] for row, t in zip(rows, targets.reshape(-1).tolist()) if t != -100]
    return torch.stack(losses).mean()


# %% 8.4 wrong | in nats and not in bits
@exercise("8.4")
def surprise(logits: Float[Tensor, "*batch vocab"], ids: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    return -logits.log_softmax(-1).gather(-1, ids.unsqueeze(-1)).squeeze(-1)


# %% 8.4 wrong | in decimal digits: the logarithm of base 10
@exercise("8.4")
def surprise(logits: Float[Tensor, "*batch vocab"], ids: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    return -logits.softmax(-1).log10().gather(-1, ids.unsqueeze(-1)).squeeze(-1)


# %% 8.4 wrong | the minus is missing
@exercise("8.4")
def surprise(logits: Float[Tensor, "*batch vocab"], ids: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    return logits.log_softmax(-1).gather(-1, ids.unsqueeze(-1)).squeeze(-1) / math.log(2)


# %% 8.4 wrong | the mean over all tokens and not one number each
@exercise("8.4")
def surprise(logits: Float[Tensor, "*batch vocab"], ids: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    return F.cross_entropy(logits.reshape(-1, logits.shape[-1]), ids.reshape(-1)) / math.log(2)


# %% 8.4 wrong | 1 - p in place of -log2 p
@exercise("8.4")
def surprise(logits: Float[Tensor, "*batch vocab"], ids: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    return 1 - logits.softmax(-1).gather(-1, ids.unsqueeze(-1)).squeeze(-1)


# %% 8.4 wrong | the softmax runs over the positions and not over the vocabulary
@exercise("8.4")
def surprise(logits: Float[Tensor, "*batch vocab"], ids: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    return -logits.softmax(0).log2().gather(-1, ids.unsqueeze(-1)).squeeze(-1)


# %% 8.4 wrong | indexes every position with all ids: a square table and not one number a token
@exercise("8.4")
def surprise(logits: Float[Tensor, "*batch vocab"], ids: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    log_p = logits.softmax(-1).log2()
    return -log_p[..., ids]


# %% 8.4 wrong | the entropy of each prediction, whatever token came
@exercise("8.4")
def surprise(logits: Float[Tensor, "*batch vocab"], ids: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    p = logits.softmax(-1)
    return -(p * p.log2()).sum(-1)


# %% 8.4 wrong | works for a single row of tokens only; batches raise an error
@exercise("8.4")
def surprise(logits: Float[Tensor, "*batch vocab"], ids: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    log_p = logits.softmax(-1).log2()
    return -torch.stack([log_p[i, token] for i, token in enumerate(ids.tolist())])


# %% 8.4 wrong | multiplies the nats by ln 2 where it should divide
@exercise("8.4")
def surprise(logits: Float[Tensor, "*batch vocab"], ids: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    return -logits.log_softmax(-1).gather(-1, ids.unsqueeze(-1)).squeeze(-1) * math.log(2)


# %% 8.4 wrong | shifts once more, though the logits are already those that predicted the tokens: one number too few
@exercise("8.4")
def surprise(logits: Float[Tensor, "*batch vocab"], ids: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    log_p = logits[..., :-1, :].log_softmax(-1) / math.log(2)
    return -log_p.gather(-1, ids[..., 1:].unsqueeze(-1)).squeeze(-1)


# %% 8.4 wrong | the axis of the vocabulary stays behind, with length 1
@exercise("8.4")
def surprise(logits: Float[Tensor, "*batch vocab"], ids: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    return -logits.log_softmax(-1).gather(-1, ids.unsqueeze(-1)) / math.log(2)


# %% 8.4 wrong | squeeze() without an axis also drops a batch or a text of length 1
@exercise("8.4")
def surprise(logits: Float[Tensor, "*batch vocab"], ids: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    return (-logits.log_softmax(-1).gather(-1, ids.unsqueeze(-1)) / math.log(2)).squeeze()


# %% 8.4 wrong | returns a list of Python floats and no tensor
@exercise("8.4")
def surprise(logits: Float[Tensor, "*batch vocab"], ids: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    bits = -logits.log_softmax(-1).gather(-1, ids.unsqueeze(-1)).squeeze(-1) / math.log(2)
    return bits.tolist()


# %% 8.4 wrong | the surprise of the likeliest token and not of the one that came
@exercise("8.4")
def surprise(logits: Float[Tensor, "*batch vocab"], ids: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    return -logits.log_softmax(-1).max(-1).values / math.log(2)


# %% 8.4 wrong | -log2 of the logit itself, without a softmax: NaN where it is negative
@exercise("8.4")
def surprise(logits: Float[Tensor, "*batch vocab"], ids: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    return -logits.gather(-1, ids.unsqueeze(-1)).squeeze(-1).log2()


# %% 8.4 wrong | -p log2 p, the token's share of the entropy, in place of -log2 p
@exercise("8.4")
def surprise(logits: Float[Tensor, "*batch vocab"], ids: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    p = logits.softmax(-1).gather(-1, ids.unsqueeze(-1)).squeeze(-1)
    return -p * p.log2()


# %% 8.4 right | log_softmax over ln 2
@exercise("8.4")
def surprise(logits: Float[Tensor, "*batch vocab"], ids: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    return -logits.log_softmax(-1).gather(-1, ids[..., None])[..., 0] / math.log(2)


# %% 8.4 right | torch's cross_entropy without reduction
@exercise("8.4")
def surprise(logits: Float[Tensor, "*batch vocab"], ids: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    flat = F.cross_entropy(logits.reshape(-1, logits.shape[-1]), ids.reshape(-1), reduction="none")
    return flat.reshape(ids.shape) / torch.log(torch.tensor(2.0))


# %% 8.4 right | logits of base 2, by logsumexp
@exercise("8.4")
def surprise(logits: Float[Tensor, "*batch vocab"], ids: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    came = torch.take_along_dim(logits, ids.unsqueeze(-1), dim=-1).squeeze(-1)
    return (logits.logsumexp(-1) - came) * 1.4426950408889634


# %% 8.4 right | one-hot and a sum
@exercise("8.4")
def surprise(logits: Float[Tensor, "*batch vocab"], ids: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    log_p = logits.log_softmax(-1) / math.log(2)
    return -(F.one_hot(ids, logits.shape[-1]) * log_p).sum(-1)


# %% 8.5 wrong | exactly k stay: what ties with the k-th greatest is thrown out
@exercise("8.5")
def keep_top_k(logits: Float[Tensor, "*batch vocab"], k: int) -> Float[Tensor, "*batch vocab"]:
    if k < 1:
        raise ValueError("k must be at least 1")
    values, index = logits.topk(min(k, logits.shape[-1]))
    return torch.full_like(logits, -math.inf).scatter(-1, index, values)


# %% 8.5 wrong | the others become 0 and not -inf
@exercise("8.5")
def keep_top_k(logits: Float[Tensor, "*batch vocab"], k: int) -> Float[Tensor, "*batch vocab"]:
    if k < 1:
        raise ValueError("k must be at least 1")
    least = logits.topk(min(k, logits.shape[-1])).values[..., -1:]
    return torch.where(logits >= least, logits, torch.zeros_like(logits))


# %% 8.5 wrong | keeps the k smallest logits
@exercise("8.5")
def keep_top_k(logits: Float[Tensor, "*batch vocab"], k: int) -> Float[Tensor, "*batch vocab"]:
    if k < 1:
        raise ValueError("k must be at least 1")
    most = logits.topk(min(k, logits.shape[-1]), largest=False).values[..., -1:]
    return logits.masked_fill(logits > most, -math.inf)


# %% 8.5 wrong | a k greater than the vocabulary makes topk raise an error where everything should stay
@exercise("8.5")
def keep_top_k(logits: Float[Tensor, "*batch vocab"], k: int) -> Float[Tensor, "*batch vocab"]:
    if k < 1:
        raise ValueError("k must be at least 1")
    least = logits.topk(k).values[..., -1:]
    return logits.masked_fill(logits < least, -math.inf)


# %% 8.5 wrong | k less than 1 raises no ValueError: -inf or everything comes back
@exercise("8.5")
def keep_top_k(logits: Float[Tensor, "*batch vocab"], k: int) -> Float[Tensor, "*batch vocab"]:
    k = min(k, logits.shape[-1])
    least = logits.sort(-1, descending=True).values[..., k - 1 : k]
    if k < 1:
        return torch.full_like(logits, -math.inf)
    return logits.masked_fill(logits < least, -math.inf)


# %% 8.5 wrong | strictly greater: the k-th greatest itself is thrown out, so k - 1 stay
@exercise("8.5")
def keep_top_k(logits: Float[Tensor, "*batch vocab"], k: int) -> Float[Tensor, "*batch vocab"]:
    if k < 1:
        raise ValueError("k must be at least 1")
    least = logits.topk(min(k, logits.shape[-1])).values[..., -1:]
    return logits.masked_fill(logits <= least, -math.inf)


# %% 8.5 wrong | the k greatest of the whole batch and not of each row
@exercise("8.5")
def keep_top_k(logits: Float[Tensor, "*batch vocab"], k: int) -> Float[Tensor, "*batch vocab"]:
    if k < 1:
        raise ValueError("k must be at least 1")
    least = logits.flatten().topk(min(k, logits.numel())).values[-1]
    return logits.masked_fill(logits < least, -math.inf)


# %% 8.5 wrong | returns the k greatest values alone: the axis of the vocabulary is k long
@exercise("8.5")
def keep_top_k(logits: Float[Tensor, "*batch vocab"], k: int) -> Float[Tensor, "*batch vocab"]:
    if k < 1:
        raise ValueError("k must be at least 1")
    return logits.topk(min(k, logits.shape[-1])).values


# %% 8.5 wrong | writes -inf into the caller's logits
@exercise("8.5")
def keep_top_k(logits: Float[Tensor, "*batch vocab"], k: int) -> Float[Tensor, "*batch vocab"]:
    if k < 1:
        raise ValueError("k must be at least 1")
    least = logits.topk(min(k, logits.shape[-1])).values[..., -1:]
    logits[logits < least] = -math.inf
    return logits


# %% 8.5 wrong | off by one in the sorted logits: k + 1 stay
@exercise("8.5")
def keep_top_k(logits: Float[Tensor, "*batch vocab"], k: int) -> Float[Tensor, "*batch vocab"]:
    if k < 1:
        raise ValueError("k must be at least 1")
    if k >= logits.shape[-1]:
        return logits
    least = logits.sort(-1, descending=True).values[..., k, None]
    return logits.masked_fill(logits < least, -math.inf)


# %% 8.5 wrong | returns which stay, a boolean mask, and not the logits
@exercise("8.5")
def keep_top_k(logits: Float[Tensor, "*batch vocab"], k: int) -> Float[Tensor, "*batch vocab"]:
    if k < 1:
        raise ValueError("k must be at least 1")
    least = logits.topk(min(k, logits.shape[-1])).values[..., -1:]
    return logits >= least


# %% 8.5 wrong | returns probabilities: a softmax is taken at the end
@exercise("8.5")
def keep_top_k(logits: Float[Tensor, "*batch vocab"], k: int) -> Float[Tensor, "*batch vocab"]:
    if k < 1:
        raise ValueError("k must be at least 1")
    least = logits.topk(min(k, logits.shape[-1])).values[..., -1:]
    return logits.masked_fill(logits < least, -math.inf).softmax(-1)


# %% 8.5 wrong | the k-th greatest of the first row serves as the limit of all rows of a batch
@exercise("8.5")
def keep_top_k(logits: Float[Tensor, "*batch vocab"], k: int) -> Float[Tensor, "*batch vocab"]:
    if k < 1:
        raise ValueError("k must be at least 1")
    first = logits.reshape(-1, logits.shape[-1])[0]
    least = first.topk(min(k, len(first))).values[-1]
    return logits.masked_fill(logits < least, -math.inf)


# %% 8.5 wrong | the others become -1e9, a finite number, and not -inf
@exercise("8.5")
def keep_top_k(logits: Float[Tensor, "*batch vocab"], k: int) -> Float[Tensor, "*batch vocab"]:
    if k < 1:
        raise ValueError("k must be at least 1")
    least = logits.topk(min(k, logits.shape[-1])).values[..., -1:]
    return torch.where(logits < least, torch.tensor(-1e9), logits)


# %% 8.5 wrong | the greatest along the first axis, so in a batch tokens compete with other rows
@exercise("8.5")
def keep_top_k(logits: Float[Tensor, "*batch vocab"], k: int) -> Float[Tensor, "*batch vocab"]:
    if k < 1:
        raise ValueError("k must be at least 1")
    least = logits.topk(min(k, logits.shape[0]), dim=0).values[-1:]
    return logits.masked_fill(logits < least, -math.inf)


# %% 8.5 wrong | a k greater than the vocabulary is refused with a ValueError where it should keep everything
@exercise("8.5")
def keep_top_k(logits: Float[Tensor, "*batch vocab"], k: int) -> Float[Tensor, "*batch vocab"]:
    if k < 1 or k > logits.shape[-1]:
        raise ValueError("k is out of range")
    least = logits.topk(k).values[..., -1:]
    return logits.masked_fill(logits < least, -math.inf)


# %% 8.5 wrong | the k greatest by absolute value: very negative logits stay
@exercise("8.5")
def keep_top_k(logits: Float[Tensor, "*batch vocab"], k: int) -> Float[Tensor, "*batch vocab"]:
    if k < 1:
        raise ValueError("k must be at least 1")
    size = logits.abs()
    least = size.topk(min(k, logits.shape[-1])).values[..., -1:]
    return logits.masked_fill(size < least, -math.inf)


# %% 8.5 right | topk's last value as the limit
@exercise("8.5")
def keep_top_k(logits: Float[Tensor, "*batch vocab"], k: int) -> Float[Tensor, "*batch vocab"]:
    if k < 1:
        raise ValueError(f"k must be at least 1, not {k}")
    least = logits.topk(min(k, logits.shape[-1]), dim=-1).values[..., -1:]
    return torch.where(logits >= least, logits, -math.inf)


# %% 8.5 right | kthvalue from below
@exercise("8.5")
def keep_top_k(logits: Float[Tensor, "*batch vocab"], k: int) -> Float[Tensor, "*batch vocab"]:
    if not k >= 1:
        raise ValueError("top-k must be 1 or more")
    n = logits.shape[-1]
    if k >= n:
        return logits.clone()
    least = logits.kthvalue(n - k + 1, dim=-1, keepdim=True).values
    return logits.masked_fill(logits < least, float("-inf"))


# %% 8.5 right | counting how many are greater
@exercise("8.5")
def keep_top_k(logits: Float[Tensor, "*batch vocab"], k: int) -> Float[Tensor, "*batch vocab"]:
    if k < 1:
        raise ValueError("k < 1")
    greater = (logits.unsqueeze(-2) > logits.unsqueeze(-1)).sum(-1)
    return logits.masked_fill(greater >= k, -torch.inf)


# %% 8.5 right | sorted, row by row
@exercise("8.5")
def keep_top_k(logits: Float[Tensor, "*batch vocab"], k: int) -> Float[Tensor, "*batch vocab"]:
    if k <= 0:
        raise ValueError("k must be positive")
    rows = []
    for row in logits.reshape(-1, logits.shape[-1]):
        least = sorted(row.tolist(), reverse=True)[:k][-1]
        rows.append(torch.where(row < least, torch.tensor(-math.inf), row))
    return torch.stack(rows).reshape(logits.shape)


# %% 8.6 wrong | the token that crosses p is thrown out; where the likeliest alone reaches p nothing stays
@exercise("8.6")
def keep_top_p(logits: Float[Tensor, "*batch vocab"], p: float) -> Float[Tensor, "*batch vocab"]:
    if not 0 < p <= 1:
        raise ValueError("p must be in (0, 1]")
    values, index = logits.sort(-1, descending=True)
    values = values.masked_fill(values.softmax(-1).cumsum(-1) > p, -math.inf)
    return torch.empty_like(logits).scatter(-1, index, values)


# %% 8.6 wrong | the result stays in sorted order: it is not put back to the tokens' places
@exercise("8.6")
def keep_top_p(logits: Float[Tensor, "*batch vocab"], p: float) -> Float[Tensor, "*batch vocab"]:
    if not 0 < p <= 1:
        raise ValueError("p must be in (0, 1]")
    values, _ = logits.sort(-1, descending=True)
    probabilities = values.softmax(-1)
    before = probabilities.cumsum(-1) - probabilities
    return values.masked_fill(before >= p, -math.inf)


# %% 8.6 wrong | the mask, made in sorted order, is laid on the unsorted logits
@exercise("8.6")
def keep_top_p(logits: Float[Tensor, "*batch vocab"], p: float) -> Float[Tensor, "*batch vocab"]:
    if not 0 < p <= 1:
        raise ValueError("p must be in (0, 1]")
    probabilities = logits.softmax(-1).sort(-1, descending=True).values
    before = probabilities.cumsum(-1) - probabilities
    return logits.masked_fill(before >= p, -math.inf)


# %% 8.6 wrong | sorted from the least likely up, so the least likely tokens are kept
@exercise("8.6")
def keep_top_p(logits: Float[Tensor, "*batch vocab"], p: float) -> Float[Tensor, "*batch vocab"]:
    if not 0 < p <= 1:
        raise ValueError("p must be in (0, 1]")
    values, index = logits.sort(-1)
    probabilities = values.softmax(-1)
    before = probabilities.cumsum(-1) - probabilities
    values = values.masked_fill(before >= p, -math.inf)
    return torch.empty_like(logits).scatter(-1, index, values)


# %% 8.6 wrong | adds up logits and not probabilities
@exercise("8.6")
def keep_top_p(logits: Float[Tensor, "*batch vocab"], p: float) -> Float[Tensor, "*batch vocab"]:
    if not 0 < p <= 1:
        raise ValueError("p must be in (0, 1]")
    values, index = logits.sort(-1, descending=True)
    before = values.cumsum(-1) - values
    values = values.masked_fill(before >= p, -math.inf)
    return torch.empty_like(logits).scatter(-1, index, values)


# %% 8.6 wrong | keeps the tokens that have probability p or more each, not those that reach p together
@exercise("8.6")
def keep_top_p(logits: Float[Tensor, "*batch vocab"], p: float) -> Float[Tensor, "*batch vocab"]:
    if not 0 < p <= 1:
        raise ValueError("p must be in (0, 1]")
    return logits.masked_fill(logits.softmax(-1) < p, -math.inf)


# %% 8.6 wrong | keeps tokens with at least p times the greatest probability (min-p)
@exercise("8.6")
def keep_top_p(logits: Float[Tensor, "*batch vocab"], p: float) -> Float[Tensor, "*batch vocab"]:
    if not 0 < p <= 1:
        raise ValueError("p must be in (0, 1]")
    probabilities = logits.softmax(-1)
    return logits.masked_fill(probabilities < p * probabilities.amax(-1, keepdim=True), -math.inf)


# %% 8.6 wrong | the others become 0 and not -inf
@exercise("8.6")
def keep_top_p(logits: Float[Tensor, "*batch vocab"], p: float) -> Float[Tensor, "*batch vocab"]:
    if not 0 < p <= 1:
        raise ValueError("p must be in (0, 1]")
    values, index = logits.sort(-1, descending=True)
    probabilities = values.softmax(-1)
    before = probabilities.cumsum(-1) - probabilities
    values = values.masked_fill(before >= p, 0.0)
    return torch.empty_like(logits).scatter(-1, index, values)


# %% 8.6 wrong | raises no ValueError for a p out of range
@exercise("8.6")
def keep_top_p(logits: Float[Tensor, "*batch vocab"], p: float) -> Float[Tensor, "*batch vocab"]:
    values, index = logits.sort(-1, descending=True)
    probabilities = values.softmax(-1)
    before = probabilities.cumsum(-1) - probabilities
    values = values.masked_fill(before >= p, -math.inf)
    return torch.empty_like(logits).scatter(-1, index, values)


# %% 8.6 wrong | p = 1, which is allowed, is refused
@exercise("8.6")
def keep_top_p(logits: Float[Tensor, "*batch vocab"], p: float) -> Float[Tensor, "*batch vocab"]:
    if not 0 < p < 1:
        raise ValueError("p must be in (0, 1)")
    values, index = logits.sort(-1, descending=True)
    probabilities = values.softmax(-1)
    before = probabilities.cumsum(-1) - probabilities
    values = values.masked_fill(before >= p, -math.inf)
    return torch.empty_like(logits).scatter(-1, index, values)


# %% 8.6 wrong | returns probabilities and not logits
@exercise("8.6")
def keep_top_p(logits: Float[Tensor, "*batch vocab"], p: float) -> Float[Tensor, "*batch vocab"]:
    if not 0 < p <= 1:
        raise ValueError("p must be in (0, 1]")
    values, index = logits.sort(-1, descending=True)
    probabilities = values.softmax(-1)
    before = probabilities.cumsum(-1) - probabilities
    values = values.masked_fill(before >= p, -math.inf)
    return torch.empty_like(logits).scatter(-1, index, values).softmax(-1)


# %% 8.6 wrong | sorts and adds along the first axis, so a batch mixes its rows
@exercise("8.6")
def keep_top_p(logits: Float[Tensor, "*batch vocab"], p: float) -> Float[Tensor, "*batch vocab"]:
    if not 0 < p <= 1:
        raise ValueError("p must be in (0, 1]")
    values, index = logits.sort(0, descending=True)
    probabilities = values.softmax(0)
    before = probabilities.cumsum(0) - probabilities
    values = values.masked_fill(before >= p, -math.inf)
    return torch.empty_like(logits).scatter(0, index, values)


# %% 8.6 wrong | one token too many stays: the one after that which crosses p
@exercise("8.6")
def keep_top_p(logits: Float[Tensor, "*batch vocab"], p: float) -> Float[Tensor, "*batch vocab"]:
    if not 0 < p <= 1:
        raise ValueError("p must be in (0, 1]")
    values, index = logits.sort(-1, descending=True)
    reached = values.softmax(-1).cumsum(-1) >= p
    drop = torch.zeros_like(reached)
    drop[..., 2:] = reached[..., :-2]
    return torch.empty_like(logits).scatter(-1, index, values.masked_fill(drop, -math.inf))


# %% 8.6 wrong | the order of the first row of a batch is used for all rows
@exercise("8.6")
def keep_top_p(logits: Float[Tensor, "*batch vocab"], p: float) -> Float[Tensor, "*batch vocab"]:
    if not 0 < p <= 1:
        raise ValueError("p must be in (0, 1]")
    first = logits.reshape(-1, logits.shape[-1])[0]
    order = first.argsort(descending=True)
    probabilities = first[order].softmax(-1)
    drop = torch.empty(len(first), dtype=torch.bool)
    drop[order] = probabilities.cumsum(-1) - probabilities >= p
    return logits.masked_fill(drop, -math.inf)


# %% 8.6 wrong | throws out the tail that holds less than p in place of the tail that holds less than 1 - p
@exercise("8.6")
def keep_top_p(logits: Float[Tensor, "*batch vocab"], p: float) -> Float[Tensor, "*batch vocab"]:
    if not 0 < p <= 1:
        raise ValueError("p must be in (0, 1]")
    values, index = logits.sort(-1)
    drop = values.softmax(-1).cumsum(-1) < p
    drop[..., -1] = False
    return torch.empty_like(logits).scatter(-1, index, values.masked_fill(drop, -math.inf))


# %% 8.6 wrong | keeps a share p of the number of tokens, however probable they are
@exercise("8.6")
def keep_top_p(logits: Float[Tensor, "*batch vocab"], p: float) -> Float[Tensor, "*batch vocab"]:
    if not 0 < p <= 1:
        raise ValueError("p must be in (0, 1]")
    k = max(1, math.ceil(p * logits.shape[-1]))
    least = logits.topk(k).values[..., -1:]
    return logits.masked_fill(logits < least, -math.inf)


# %% 8.6 wrong | writes -inf into the caller's logits
@exercise("8.6")
def keep_top_p(logits: Float[Tensor, "*batch vocab"], p: float) -> Float[Tensor, "*batch vocab"]:
    if not 0 < p <= 1:
        raise ValueError("p must be in (0, 1]")
    values, index = logits.sort(-1, descending=True)
    probabilities = values.softmax(-1)
    drop = probabilities.cumsum(-1) - probabilities >= p
    logits[drop.gather(-1, index.argsort(-1))] = -math.inf
    return logits


# %% 8.6 wrong | scatters with the order itself where its inverse is needed: the mask lands on wrong tokens
@exercise("8.6")
def keep_top_p(logits: Float[Tensor, "*batch vocab"], p: float) -> Float[Tensor, "*batch vocab"]:
    if not 0 < p <= 1:
        raise ValueError("p must be in (0, 1]")
    values, index = logits.sort(-1, descending=True)
    probabilities = values.softmax(-1)
    drop = probabilities.cumsum(-1) - probabilities >= p
    return logits.masked_fill(drop.gather(-1, index), -math.inf)


# %% 8.6 right | sorted, filled and scattered back
@exercise("8.6")
def keep_top_p(logits: Float[Tensor, "*batch vocab"], p: float) -> Float[Tensor, "*batch vocab"]:
    if not 0 < p <= 1:
        raise ValueError(f"p must be above 0 and at most 1, not {p}")
    values, index = logits.sort(dim=-1, descending=True)
    probabilities = values.softmax(-1)
    before = probabilities.cumsum(-1) - probabilities
    values = values.masked_fill(before >= p, -math.inf)
    return torch.zeros_like(logits).scatter(-1, index, values)


# %% 8.6 right | the mask shifted by one and put back by the inverse order
@exercise("8.6")
def keep_top_p(logits: Float[Tensor, "*batch vocab"], p: float) -> Float[Tensor, "*batch vocab"]:
    if p <= 0 or p > 1:
        raise ValueError("p must be in (0, 1]")
    order = logits.argsort(dim=-1, descending=True)
    reached = logits.gather(-1, order).softmax(-1).cumsum(-1) >= p
    drop = F.pad(reached[..., :-1], (1, 0), value=False)
    return logits.masked_fill(drop.gather(-1, order.argsort(-1)), -math.inf)


# %% 8.6 right | the sum of those likelier, pair by pair
@exercise("8.6")
def keep_top_p(logits: Float[Tensor, "*batch vocab"], p: float) -> Float[Tensor, "*batch vocab"]:
    if not 0.0 < p <= 1.0:
        raise ValueError("p out of range")
    q = logits.softmax(-1)
    likelier = (q.unsqueeze(-2) > q.unsqueeze(-1)).to(q.dtype)
    before = (likelier * q.unsqueeze(-2)).sum(-1)
    return torch.where(before < p, logits, -math.inf)


# %% 8.6 right | a loop over rows and tokens
@exercise("8.6")
def keep_top_p(logits: Float[Tensor, "*batch vocab"], p: float) -> Float[Tensor, "*batch vocab"]:
    if not (0 < p <= 1):
        raise ValueError("p must be in (0, 1]")
    out = torch.full_like(logits, -math.inf)
    rows, kept = logits.reshape(-1, logits.shape[-1]), out.view(-1, logits.shape[-1])
    for row, to in zip(rows, kept):
        q, total = row.softmax(-1), 0.0
        for token in row.argsort(descending=True).tolist():
            to[token] = row[token]
            total += float(q[token])
            if total >= p:
                break
    return out


# %% 8.7 wrong | the softmax comes first, and probabilities are divided by the temperature
from course.text.sampling import check_sampling, keep_top_k, keep_top_p


@exercise("8.7")
def next_token_probabilities(
    logits: Float[Tensor, "*batch vocab"],
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Float[Tensor, "*batch vocab"]:
    check_sampling(temperature, top_k, top_p)
    if temperature == 0:
        return F.one_hot(logits.argmax(-1), logits.shape[-1]).to(logits.dtype)
    x = logits.softmax(-1) / temperature
    if top_k is not None:
        x = keep_top_k(x, top_k)
    if top_p is not None:
        x = keep_top_p(x, top_p)
    return x.softmax(-1)


# %% 8.7 wrong | top-p comes before top-k
from course.text.sampling import check_sampling, keep_top_k, keep_top_p


@exercise("8.7")
def next_token_probabilities(
    logits: Float[Tensor, "*batch vocab"],
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Float[Tensor, "*batch vocab"]:
    check_sampling(temperature, top_k, top_p)
    if temperature == 0:
        return F.one_hot(logits.argmax(-1), logits.shape[-1]).to(logits.dtype)
    x = logits / temperature
    if top_p is not None:
        x = keep_top_p(x, top_p)
    if top_k is not None:
        x = keep_top_k(x, top_k)
    return x.softmax(-1)


# %% 8.7 wrong | multiplies the logits by the temperature
from course.text.sampling import check_sampling, keep_top_k, keep_top_p


@exercise("8.7")
def next_token_probabilities(
    logits: Float[Tensor, "*batch vocab"],
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Float[Tensor, "*batch vocab"]:
    check_sampling(temperature, top_k, top_p)
    if temperature == 0:
        return F.one_hot(logits.argmax(-1), logits.shape[-1]).to(logits.dtype)
    x = logits * temperature
    if top_k is not None:
        x = keep_top_k(x, top_k)
    if top_p is not None:
        x = keep_top_p(x, top_p)
    return x.softmax(-1)


# %% 8.7 wrong | temperature 0 is not treated apart: division by zero gives NaN
from course.text.sampling import check_sampling, keep_top_k, keep_top_p


@exercise("8.7")
def next_token_probabilities(
    logits: Float[Tensor, "*batch vocab"],
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Float[Tensor, "*batch vocab"]:
    check_sampling(temperature, top_k, top_p)
    x = logits / temperature
    if top_k is not None:
        x = keep_top_k(x, top_k)
    if top_p is not None:
        x = keep_top_p(x, top_p)
    return x.softmax(-1)


# %% 8.7 wrong | at temperature 0 equal greatest logits share the probability; the first should have it all
from course.text.sampling import check_sampling, keep_top_k, keep_top_p


@exercise("8.7")
def next_token_probabilities(
    logits: Float[Tensor, "*batch vocab"],
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Float[Tensor, "*batch vocab"]:
    check_sampling(temperature, top_k, top_p)
    if temperature == 0:
        best = (logits == logits.amax(-1, keepdim=True)).to(logits.dtype)
        return best / best.sum(-1, keepdim=True)
    x = logits / temperature
    if top_k is not None:
        x = keep_top_k(x, top_k)
    if top_p is not None:
        x = keep_top_p(x, top_p)
    return x.softmax(-1)


# %% 8.7 wrong | the temperature acts after the filters, so the nucleus is that of temperature 1
from course.text.sampling import check_sampling, keep_top_k, keep_top_p


@exercise("8.7")
def next_token_probabilities(
    logits: Float[Tensor, "*batch vocab"],
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Float[Tensor, "*batch vocab"]:
    check_sampling(temperature, top_k, top_p)
    if temperature == 0:
        return F.one_hot(logits.argmax(-1), logits.shape[-1]).to(logits.dtype)
    x = logits
    if top_k is not None:
        x = keep_top_k(x, top_k)
    if top_p is not None:
        x = keep_top_p(x, top_p)
    return (x / temperature).softmax(-1)


# %% 8.7 wrong | what is left after the filters is not brought back to a sum of 1
from course.text.sampling import check_sampling, keep_top_k, keep_top_p


@exercise("8.7")
def next_token_probabilities(
    logits: Float[Tensor, "*batch vocab"],
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Float[Tensor, "*batch vocab"]:
    check_sampling(temperature, top_k, top_p)
    if temperature == 0:
        return F.one_hot(logits.argmax(-1), logits.shape[-1]).to(logits.dtype)
    x = logits / temperature
    p = x.softmax(-1)
    if top_k is not None:
        x = keep_top_k(x, top_k)
    if top_p is not None:
        x = keep_top_p(x, top_p)
    return p.masked_fill(x == -math.inf, 0.0)


# %% 8.7 wrong | at temperature 0 the settings are not checked: top_k = 0 or top_p = 2 raises nothing
from course.text.sampling import check_sampling, keep_top_k, keep_top_p


@exercise("8.7")
def next_token_probabilities(
    logits: Float[Tensor, "*batch vocab"],
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Float[Tensor, "*batch vocab"]:
    if temperature == 0:
        return F.one_hot(logits.argmax(-1), logits.shape[-1]).to(logits.dtype)
    check_sampling(temperature, top_k, top_p)
    x = logits / temperature
    if top_k is not None:
        x = keep_top_k(x, top_k)
    if top_p is not None:
        x = keep_top_p(x, top_p)
    return x.softmax(-1)


# %% 8.7 wrong | a negative temperature is not refused
from course.text.sampling import check_sampling, keep_top_k, keep_top_p


@exercise("8.7")
def next_token_probabilities(
    logits: Float[Tensor, "*batch vocab"],
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Float[Tensor, "*batch vocab"]:
    if temperature == 0:
        return F.one_hot(logits.argmax(-1), logits.shape[-1]).to(logits.dtype)
    x = logits / temperature
    if top_k is not None:
        x = keep_top_k(x, top_k)
    if top_p is not None:
        x = keep_top_p(x, top_p)
    return x.softmax(-1)


# %% 8.7 wrong | returns the filtered logits, without the softmax
from course.text.sampling import check_sampling, keep_top_k, keep_top_p


@exercise("8.7")
def next_token_probabilities(
    logits: Float[Tensor, "*batch vocab"],
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Float[Tensor, "*batch vocab"]:
    check_sampling(temperature, top_k, top_p)
    if temperature == 0:
        return F.one_hot(logits.argmax(-1), logits.shape[-1]).to(logits.dtype)
    x = logits / temperature
    if top_k is not None:
        x = keep_top_k(x, top_k)
    if top_p is not None:
        x = keep_top_p(x, top_p)
    return x


# %% 8.7 wrong | "if top_k" takes 0 for "off", so top_k = 0 and top_p = 0 raise no ValueError
from course.text.sampling import check_sampling, keep_top_k, keep_top_p


@exercise("8.7")
def next_token_probabilities(
    logits: Float[Tensor, "*batch vocab"],
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Float[Tensor, "*batch vocab"]:
    if temperature < 0:
        raise ValueError("temperature must not be negative")
    if temperature == 0:
        return F.one_hot(logits.argmax(-1), logits.shape[-1]).to(logits.dtype)
    x = logits / temperature
    if top_k:
        x = keep_top_k(x, top_k)
    if top_p:
        x = keep_top_p(x, top_p)
    return x.softmax(-1)


# %% 8.7 wrong | at temperature 0 returns the number of the token and not its probabilities
from course.text.sampling import check_sampling, keep_top_k, keep_top_p


@exercise("8.7")
def next_token_probabilities(
    logits: Float[Tensor, "*batch vocab"],
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Float[Tensor, "*batch vocab"]:
    check_sampling(temperature, top_k, top_p)
    if temperature == 0:
        return logits.argmax(-1)
    x = logits / temperature
    if top_k is not None:
        x = keep_top_k(x, top_k)
    if top_p is not None:
        x = keep_top_p(x, top_p)
    return x.softmax(-1)


# %% 8.7 wrong | at temperature 0 the probabilities are whole numbers (long) and not floats
from course.text.sampling import check_sampling, keep_top_k, keep_top_p


@exercise("8.7")
def next_token_probabilities(
    logits: Float[Tensor, "*batch vocab"],
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Float[Tensor, "*batch vocab"]:
    check_sampling(temperature, top_k, top_p)
    if temperature == 0:
        return F.one_hot(logits.argmax(-1), logits.shape[-1])
    x = logits / temperature
    if top_k is not None:
        x = keep_top_k(x, top_k)
    if top_p is not None:
        x = keep_top_p(x, top_p)
    return x.softmax(-1)


# %% 8.7 wrong | top_p is ignored where top_k is given too (elif)
from course.text.sampling import check_sampling, keep_top_k, keep_top_p


@exercise("8.7")
def next_token_probabilities(
    logits: Float[Tensor, "*batch vocab"],
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Float[Tensor, "*batch vocab"]:
    check_sampling(temperature, top_k, top_p)
    if temperature == 0:
        return F.one_hot(logits.argmax(-1), logits.shape[-1]).to(logits.dtype)
    x = logits / temperature
    if top_k is not None:
        x = keep_top_k(x, top_k)
    elif top_p is not None:
        x = keep_top_p(x, top_p)
    return x.softmax(-1)


# %% 8.7 wrong | the last softmax runs over the first axis
from course.text.sampling import check_sampling, keep_top_k, keep_top_p


@exercise("8.7")
def next_token_probabilities(
    logits: Float[Tensor, "*batch vocab"],
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Float[Tensor, "*batch vocab"]:
    check_sampling(temperature, top_k, top_p)
    if temperature == 0:
        return F.one_hot(logits.argmax(-1), logits.shape[-1]).to(logits.dtype)
    x = logits / temperature
    if top_k is not None:
        x = keep_top_k(x, top_k)
    if top_p is not None:
        x = keep_top_p(x, top_p)
    return x.softmax(0)


# %% 8.7 wrong | at temperature 0 the greatest logit of the whole batch is taken: the other rows get no probability at all
from course.text.sampling import check_sampling, keep_top_k, keep_top_p


@exercise("8.7")
def next_token_probabilities(
    logits: Float[Tensor, "*batch vocab"],
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Float[Tensor, "*batch vocab"]:
    check_sampling(temperature, top_k, top_p)
    if temperature == 0:
        p = torch.zeros_like(logits)
        p.view(-1)[logits.argmax()] = 1.0
        return p
    x = logits / temperature
    if top_k is not None:
        x = keep_top_k(x, top_k)
    if top_p is not None:
        x = keep_top_p(x, top_p)
    return x.softmax(-1)


# %% 8.7 wrong | temperature 0 is replaced by a small number: near ties still share
from course.text.sampling import check_sampling, keep_top_k, keep_top_p


@exercise("8.7")
def next_token_probabilities(
    logits: Float[Tensor, "*batch vocab"],
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Float[Tensor, "*batch vocab"]:
    check_sampling(temperature, top_k, top_p)
    x = logits / max(temperature, 0.1)
    if top_k is not None:
        x = keep_top_k(x, top_k)
    if top_p is not None:
        x = keep_top_p(x, top_p)
    return x.softmax(-1)


# %% 8.7 right | in the order of the docstring, one-hot at 0
from course.text.sampling import check_sampling, keep_top_k, keep_top_p


@exercise("8.7")
def next_token_probabilities(
    logits: Float[Tensor, "*batch vocab"],
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Float[Tensor, "*batch vocab"]:
    check_sampling(temperature, top_k, top_p)
    if temperature == 0:
        return F.one_hot(logits.argmax(-1), logits.shape[-1]).to(logits.dtype)
    x = logits / temperature
    if top_k is not None:
        x = keep_top_k(x, top_k)
    if top_p is not None:
        x = keep_top_p(x, top_p)
    return x.softmax(dim=-1)


# %% 8.7 right | checked by hand, scatter at 0
from course.text.sampling import check_sampling, keep_top_k, keep_top_p


@exercise("8.7")
def next_token_probabilities(
    logits: Float[Tensor, "*batch vocab"],
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Float[Tensor, "*batch vocab"]:
    if temperature < 0:
        raise ValueError("temperature must be 0 or more")
    if top_k is not None and top_k < 1:
        raise ValueError("top_k must be 1 or more")
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError("top_p must be in (0, 1]")
    if temperature == 0:
        best = logits.argmax(-1, keepdim=True)
        return torch.zeros_like(logits).scatter(-1, best, 1.0)
    x = logits * (1 / temperature)
    x = x if top_k is None else keep_top_k(x, top_k)
    x = x if top_p is None else keep_top_p(x, top_p)
    e = (x - x.amax(-1, keepdim=True)).exp()
    return e / e.sum(-1, keepdim=True)


# %% 8.7 right | no setting left out: k of all, p of 1
from course.text.sampling import check_sampling, keep_top_k, keep_top_p


@exercise("8.7")
def next_token_probabilities(
    logits: Float[Tensor, "*batch vocab"],
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Float[Tensor, "*batch vocab"]:
    check_sampling(temperature, top_k, top_p)
    vocab = logits.shape[-1]
    if temperature == 0:
        first = (logits == logits.max(-1, keepdim=True).values).int().argmax(-1, keepdim=True)
        return (torch.arange(vocab) == first).float()
    x = keep_top_k(logits / temperature, vocab if top_k is None else top_k)
    if top_p is not None and top_p < 1:
        x = keep_top_p(x, top_p)
    return F.softmax(x, dim=-1)


# %% 8.8 wrong | start is ignored: positions always begin at 0
import course.models.gpt


@exercise("8.8")
class GPT(course.models.gpt.GPT):
    def embed(self, ids: Int[Tensor, "*batch n"], start: int = 0) -> Float[Tensor, "*batch n d_model"]:
        return self.embedding(ids) + self.positions(ids.shape[-1])


# %% 8.8 wrong | positions are one too high: start + 1, start + 2, ...
import course.models.gpt


@exercise("8.8")
class GPT(course.models.gpt.GPT):
    def embed(self, ids: Int[Tensor, "*batch n"], start: int = 0) -> Float[Tensor, "*batch n d_model"]:
        n = ids.shape[-1]
        return self.embedding(ids) + self.positions(start + n + 1)[start + 1 :]


# %% 8.8 wrong | the two vectors are multiplied and not added
import course.models.gpt


@exercise("8.8")
class GPT(course.models.gpt.GPT):
    def embed(self, ids: Int[Tensor, "*batch n"], start: int = 0) -> Float[Tensor, "*batch n d_model"]:
        return self.embedding(ids) * self.positions(start + ids.shape[-1])[start:]


# %% 8.8 wrong | returns the positions' vectors alone, without the tokens'
import course.models.gpt


@exercise("8.8")
class GPT(course.models.gpt.GPT):
    def embed(self, ids: Int[Tensor, "*batch n"], start: int = 0) -> Float[Tensor, "*batch n d_model"]:
        n = ids.shape[-1]
        return self.positions(start + n)[start:].expand(*ids.shape, -1)


# %% 8.8 wrong | adds the number start to vectors 0, 1, ... in place of taking those from start on
import course.models.gpt


@exercise("8.8")
class GPT(course.models.gpt.GPT):
    def embed(self, ids: Int[Tensor, "*batch n"], start: int = 0) -> Float[Tensor, "*batch n d_model"]:
        return self.embedding(ids) + self.positions(ids.shape[-1]) + start


# %% 8.8 wrong | takes the size of the batch for the length of the text
import course.models.gpt


@exercise("8.8")
class GPT(course.models.gpt.GPT):
    def embed(self, ids: Int[Tensor, "*batch n"], start: int = 0) -> Float[Tensor, "*batch n d_model"]:
        return self.embedding(ids) + self.positions(start + len(ids))[start:]


# %% 8.8 wrong | takes the second axis for the length, so a single text without a batch raises an error
import course.models.gpt


@exercise("8.8")
class GPT(course.models.gpt.GPT):
    def embed(self, ids: Int[Tensor, "*batch n"], start: int = 0) -> Float[Tensor, "*batch n d_model"]:
        return self.embedding(ids) + self.positions(start + ids.shape[1])[start:]


# %% 8.8 wrong | cuts from the front: of start + n vectors the first n and not the last
import course.models.gpt


@exercise("8.8")
class GPT(course.models.gpt.GPT):
    def embed(self, ids: Int[Tensor, "*batch n"], start: int = 0) -> Float[Tensor, "*batch n d_model"]:
        n = ids.shape[-1]
        return self.embedding(ids) + self.positions(start + n)[:n]


# %% 8.8 wrong | scales the tokens' vectors by the square root of d_model, which GPT does not
import course.models.gpt


@exercise("8.8")
class GPT(course.models.gpt.GPT):
    def embed(self, ids: Int[Tensor, "*batch n"], start: int = 0) -> Float[Tensor, "*batch n d_model"]:
        d = self.embedding.embedding_dim
        return self.embedding(ids) * math.sqrt(d) + self.positions(start + ids.shape[-1])[start:]


# %% 8.8 wrong | looks the positions up by the token's id and not by its place
import course.models.gpt


@exercise("8.8")
class GPT(course.models.gpt.GPT):
    def embed(self, ids: Int[Tensor, "*batch n"], start: int = 0) -> Float[Tensor, "*batch n d_model"]:
        return self.embedding(ids) + self.positions.embedding(ids % self.config.max_length)


# %% 8.8 wrong | positions beyond max_length share the last vector, and no ValueError is raised
import course.models.gpt


@exercise("8.8")
class GPT(course.models.gpt.GPT):
    def embed(self, ids: Int[Tensor, "*batch n"], start: int = 0) -> Float[Tensor, "*batch n d_model"]:
        places = torch.arange(start, start + ids.shape[-1]).clamp(max=self.config.max_length - 1)
        return self.embedding(ids) + self.positions.embedding(places)


# %% 8.8 wrong | too many positions raise torch's RuntimeError or IndexError and not the promised ValueError
import course.models.gpt


@exercise("8.8")
class GPT(course.models.gpt.GPT):
    def embed(self, ids: Int[Tensor, "*batch n"], start: int = 0) -> Float[Tensor, "*batch n d_model"]:
        n = ids.shape[-1]
        places = torch.arange(start, start + n)
        return self.embedding(ids) + self.positions.embedding(places)


# %% 8.8 wrong | every token gets the vector of position start; the place does not move on
import course.models.gpt


@exercise("8.8")
class GPT(course.models.gpt.GPT):
    def embed(self, ids: Int[Tensor, "*batch n"], start: int = 0) -> Float[Tensor, "*batch n d_model"]:
        return self.embedding(ids) + self.positions(start + 1)[start]


# %% 8.8 wrong | beyond max_length it begins again at position 0 in place of raising a ValueError
import course.models.gpt


@exercise("8.8")
class GPT(course.models.gpt.GPT):
    def embed(self, ids: Int[Tensor, "*batch n"], start: int = 0) -> Float[Tensor, "*batch n d_model"]:
        places = (start + torch.arange(ids.shape[-1])) % self.config.max_length
        return self.embedding(ids) + self.positions.embedding(places)


# %% 8.8 wrong | the positions run backwards, the last token has position start
import course.models.gpt


@exercise("8.8")
class GPT(course.models.gpt.GPT):
    def embed(self, ids: Int[Tensor, "*batch n"], start: int = 0) -> Float[Tensor, "*batch n d_model"]:
        return self.embedding(ids) + self.positions(start + ids.shape[-1])[start:].flip(0)


# %% 8.8 wrong | the positions are detached, so their vectors never learn
import course.models.gpt


@exercise("8.8")
class GPT(course.models.gpt.GPT):
    def embed(self, ids: Int[Tensor, "*batch n"], start: int = 0) -> Float[Tensor, "*batch n d_model"]:
        return self.embedding(ids) + self.positions(start + ids.shape[-1])[start:].detach()


# %% 8.8 wrong | asks for n positions and cuts start of them away: too few are left when start is not 0
import course.models.gpt


@exercise("8.8")
class GPT(course.models.gpt.GPT):
    def embed(self, ids: Int[Tensor, "*batch n"], start: int = 0) -> Float[Tensor, "*batch n d_model"]:
        return self.embedding(ids) + self.positions(ids.shape[-1])[start:]


# %% 8.8 right | positions up to the end, the read ones cut off
import course.models.gpt


@exercise("8.8")
class GPT(course.models.gpt.GPT):
    def embed(self, ids: Int[Tensor, "*batch n"], start: int = 0) -> Float[Tensor, "*batch n d_model"]:
        end = start + ids.shape[-1]
        return self.embedding(ids) + self.positions(end)[start:end]


# %% 8.8 right | a look-up by place, with its own check
import course.models.gpt


@exercise("8.8")
class GPT(course.models.gpt.GPT):
    def embed(self, ids: Int[Tensor, "*batch n"], start: int = 0) -> Float[Tensor, "*batch n d_model"]:
        n = ids.shape[-1]
        if start + n > self.config.max_length:
            raise ValueError(f"{start + n} positions, and max_length is {self.config.max_length}")
        places = torch.arange(start, start + n)
        return self.positions.embedding(places) + F.embedding(ids, self.embedding.weight)


# %% 8.8 right | place by place, stacked
import course.models.gpt


@exercise("8.8")
class GPT(course.models.gpt.GPT):
    def embed(self, ids: Int[Tensor, "*batch n"], start: int = 0) -> Float[Tensor, "*batch n d_model"]:
        table = self.positions(start + ids.size(-1))
        tokens = self.embedding(ids)
        return torch.stack([tokens[..., i, :] + table[start + i] for i in range(ids.size(-1))], dim=-2)


# %% 8.9 wrong | takes the last position, which in short texts is padding
@exercise("8.9")
def last_token(
    states: Float[Tensor, "batch n d_model"], lengths: Int[Tensor, "batch"]
) -> Float[Tensor, "batch d_model"]:
    return states[:, -1]


# %% 8.9 wrong | indexes every text with all lengths: [batch, batch, d_model]
@exercise("8.9")
def last_token(
    states: Float[Tensor, "batch n d_model"], lengths: Int[Tensor, "batch"]
) -> Float[Tensor, "batch d_model"]:
    return states[:, lengths - 1]


# %% 8.9 wrong | off by one: the token behind the last real one (an error where the text fills the row)
@exercise("8.9")
def last_token(
    states: Float[Tensor, "batch n d_model"], lengths: Int[Tensor, "batch"]
) -> Float[Tensor, "batch d_model"]:
    return states[torch.arange(len(states)), lengths]


# %% 8.9 wrong | takes the first token, as BERT does
@exercise("8.9")
def last_token(
    states: Float[Tensor, "batch n d_model"], lengths: Int[Tensor, "batch"]
) -> Float[Tensor, "batch d_model"]:
    return states[:, 0]


# %% 8.9 wrong | the mean over the real tokens and not the last of them
@exercise("8.9")
def last_token(
    states: Float[Tensor, "batch n d_model"], lengths: Int[Tensor, "batch"]
) -> Float[Tensor, "batch d_model"]:
    real = torch.arange(states.shape[1]) < lengths[:, None]
    return (states * real[..., None]).sum(1) / lengths[:, None]


# %% 8.9 wrong | gather with an index of width 1 returns one number a text and not the vector
@exercise("8.9")
def last_token(
    states: Float[Tensor, "batch n d_model"], lengths: Int[Tensor, "batch"]
) -> Float[Tensor, "batch d_model"]:
    return states.gather(1, (lengths - 1)[:, None, None])[:, 0]


# %% 8.9 wrong | returns a list of vectors and no tensor
@exercise("8.9")
def last_token(
    states: Float[Tensor, "batch n d_model"], lengths: Int[Tensor, "batch"]
) -> Float[Tensor, "batch d_model"]:
    return [states[i, length - 1] for i, length in enumerate(lengths.tolist())]


# %% 8.9 wrong | one too early: the last but one real token
@exercise("8.9")
def last_token(
    states: Float[Tensor, "batch n d_model"], lengths: Int[Tensor, "batch"]
) -> Float[Tensor, "batch d_model"]:
    return states[torch.arange(len(states)), lengths - 2]


# %% 8.9 wrong | takes the longest text's last position for every text
@exercise("8.9")
def last_token(
    states: Float[Tensor, "batch n d_model"], lengths: Int[Tensor, "batch"]
) -> Float[Tensor, "batch d_model"]:
    return states[:, int(lengths.max()) - 1]


# %% 8.9 wrong | the axis of the tokens stays, with length 1
@exercise("8.9")
def last_token(
    states: Float[Tensor, "batch n d_model"], lengths: Int[Tensor, "batch"]
) -> Float[Tensor, "batch d_model"]:
    index = (lengths - 1)[:, None, None].expand(-1, 1, states.shape[2])
    return states.gather(1, index)


# %% 8.9 wrong | detached: nothing below the classifier can learn
@exercise("8.9")
def last_token(
    states: Float[Tensor, "batch n d_model"], lengths: Int[Tensor, "batch"]
) -> Float[Tensor, "batch d_model"]:
    return states.detach()[torch.arange(len(states)), lengths - 1]


# %% 8.9 wrong | counts the length from the end of the row
@exercise("8.9")
def last_token(
    states: Float[Tensor, "batch n d_model"], lengths: Int[Tensor, "batch"]
) -> Float[Tensor, "batch d_model"]:
    return states[torch.arange(len(states)), -lengths]


# %% 8.9 wrong | subtracts 1 in place, which changes the caller's lengths
@exercise("8.9")
def last_token(
    states: Float[Tensor, "batch n d_model"], lengths: Int[Tensor, "batch"]
) -> Float[Tensor, "batch d_model"]:
    lengths -= 1
    return states[torch.arange(len(states)), lengths]


# %% 8.9 wrong | flattens as though there were no padding between the texts
@exercise("8.9")
def last_token(
    states: Float[Tensor, "batch n d_model"], lengths: Int[Tensor, "batch"]
) -> Float[Tensor, "batch d_model"]:
    return states.flatten(0, 1)[lengths.cumsum(0) - 1]


# %% 8.9 wrong | the two axes are swapped: indexes the batch by length and the place by text
@exercise("8.9")
def last_token(
    states: Float[Tensor, "batch n d_model"], lengths: Int[Tensor, "batch"]
) -> Float[Tensor, "batch d_model"]:
    return states[lengths - 1, torch.arange(len(lengths))]


# %% 8.9 wrong | squeeze() drops the batch axis when there is one text
@exercise("8.9")
def last_token(
    states: Float[Tensor, "batch n d_model"], lengths: Int[Tensor, "batch"]
) -> Float[Tensor, "batch d_model"]:
    index = (lengths - 1)[:, None, None].expand(-1, 1, states.shape[2])
    return states.gather(1, index).squeeze()


# %% 8.9 wrong | the length of the first text is used for all
@exercise("8.9")
def last_token(
    states: Float[Tensor, "batch n d_model"], lengths: Int[Tensor, "batch"]
) -> Float[Tensor, "batch d_model"]:
    return states[:, lengths[0] - 1]


# %% 8.9 right | one index for the text, one for the place
@exercise("8.9")
def last_token(
    states: Float[Tensor, "batch n d_model"], lengths: Int[Tensor, "batch"]
) -> Float[Tensor, "batch d_model"]:
    return states[torch.arange(states.shape[0]), lengths - 1]


# %% 8.9 right | gather along the tokens
@exercise("8.9")
def last_token(
    states: Float[Tensor, "batch n d_model"], lengths: Int[Tensor, "batch"]
) -> Float[Tensor, "batch d_model"]:
    index = (lengths - 1).view(-1, 1, 1).expand(-1, 1, states.shape[-1])
    return states.gather(dim=1, index=index).squeeze(1)


# %% 8.9 right | a loop, stacked
@exercise("8.9")
def last_token(
    states: Float[Tensor, "batch n d_model"], lengths: Int[Tensor, "batch"]
) -> Float[Tensor, "batch d_model"]:
    return torch.stack([text[int(n) - 1] for text, n in zip(states, lengths)])


# %% 8.9 right | one-hot weights over the places
@exercise("8.9")
def last_token(
    states: Float[Tensor, "batch n d_model"], lengths: Int[Tensor, "batch"]
) -> Float[Tensor, "batch d_model"]:
    chosen = F.one_hot(lengths - 1, states.shape[1]).to(states.dtype)
    return torch.einsum("bn,bnd->bd", chosen, states)
