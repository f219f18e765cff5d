"""Right answers to the exercises of notebook 07, written otherwise than the package does."""

from collections import Counter

import torch
import torch.nn.functional as F
from torch import nn

from course.text.bpe import Merge


def looked_up(ids, table):
    if ((ids < 0) | (ids >= len(table))).any():
        raise IndexError("no such row")
    return F.embedding(ids, table)


def pairs_by_comprehension(sentences, window):
    found = []
    for s in sentences:
        for i in range(len(s)):
            found += [[s[i], s[j]] for j in range(len(s)) if 0 < abs(i - j) <= window]
    return torch.tensor(found).long().view(len(found), 2)


def by_binary_cross_entropy(centre, context, negatives):
    scores = torch.cat(
        [(centre * context).sum(-1)[:, None], torch.einsum("bd,bkd->bk", centre, negatives)], 1
    )
    wanted = torch.zeros_like(scores)
    wanted[:, 0] = 1
    return F.binary_cross_entropy_with_logits(scores, wanted, reduction="sum") / len(centre)


def kept_word_by_word(counts, threshold=1e-3):
    total, found = counts.sum().item(), []
    for n in counts.tolist():
        f = n / total
        found.append(1.0 if f == 0 else min(1.0, ((f / threshold) ** 0.5 + 1) * threshold / f))
    return torch.tensor(found)


def cbow_by_autograd(contexts, present, centre, negatives):
    with torch.enable_grad():
        x = contexts.detach().clone().requires_grad_()
        mean = x.mul(present.unsqueeze(-1)).sum(1) / present.sum(1, keepdim=True)
        false = torch.einsum("bd,bkd->bk", mean, negatives)
        loss = -F.logsigmoid((mean * centre).sum(-1)).sum() - F.logsigmoid(-false).sum()
        return torch.autograd.grad(loss, x)[0]


def counted_in_a_dictionary(sentences, vocab_size, window):
    found = Counter()
    for s in sentences:
        for i, a in enumerate(s):
            for j, b in enumerate(s):
                if i != j and abs(i - j) <= window:
                    found[a, b] += 1 / abs(i - j)
    counts = torch.zeros(vocab_size, vocab_size)
    for (a, b), n in found.items():
        counts[a, b] = n
    return counts


def glove_of_seen_pairs(words, contexts, word_bias, context_bias, counts, x_max=10.0):
    seen = counts > 0
    w, c, b, d, x = (t[seen] for t in (words, contexts, word_bias, context_bias, counts))
    error = torch.einsum("nd,nd->n", w, c) + b + d - x.log()
    return torch.sum(torch.minimum(x / x_max, torch.ones_like(x)).pow(0.75) * error.square())


def analogy_by_cosine_similarity(vectors, a, b, c, leave_out=True):
    unit = vectors / vectors.norm(dim=1, keepdim=True)
    scores = F.cosine_similarity(unit, (unit[b] - unit[a] + unit[c])[None], dim=1)
    if leave_out:
        for i in {a, b, c}:
            scores[i] = float("-inf")
    return scores


def merges_by_lists(counts, n_merges, alphabet=(), least=2):
    words = [(list(w), n) for w, n in counts.items()]
    order = sorted(set("".join(counts)) | set(alphabet))
    merges = []
    for _ in range(n_merges):
        pairs = {}
        for w, n in words:
            for i in range(len(w) - 1):
                pairs[w[i], w[i + 1]] = pairs.get((w[i], w[i + 1]), 0) + n
        if not pairs or max(pairs.values()) < least:
            return merges
        top = max(pairs.values())
        tied = [p for p in pairs if pairs[p] == top]
        a, b = min(tied, key=lambda p: (order.index(p[0]), order.index(p[1])))
        merges.append(Merge((a, b), top))
        if a + b not in order:
            order.append(a + b)
        for w, _ in words:
            i = 0
            while i < len(w) - 1:
                if (w[i], w[i + 1]) == (a, b):
                    w[i : i + 2] = [a + b]
                i += 1
    return merges


def merge_by_merge(word, ranks):
    """Through all merges in order, each wherever it stands: a merge never makes an earlier one possible."""
    symbols = list(word)
    for a, b in sorted(ranks, key=ranks.get):
        i = 0
        while i < len(symbols) - 1:
            if symbols[i] == a and symbols[i + 1] == b:
                symbols[i : i + 2] = [a + b]
            i += 1
    return symbols


def pieces_by_shrinking(word, vocabulary, unknown="[UNK]", most=100):
    found, rest = [], word
    if len(word) > most:
        return [unknown]
    while rest:
        piece = rest
        while piece and ("##" * bool(found) + piece) not in vocabulary:
            piece = piece[:-1]
        if not piece:
            return [unknown]
        found.append("##" * bool(found) + piece)
        rest = rest[len(piece) :]
    return found


def by_a_layer(ids, table):
    if ids.min() < 0 or ids.max() >= len(table):
        raise IndexError("no such row")
    hot = torch.zeros(*ids.shape, len(table), dtype=table.dtype).scatter_(-1, ids[..., None], 1)
    return nn.functional.linear(hot, table.T)


ANSWERS = [
    ("7.1", looked_up),
    ("7.1", by_a_layer),
    ("7.2", pairs_by_comprehension),
    ("7.3", by_binary_cross_entropy),
    ("7.4", kept_word_by_word),
    ("7.5", cbow_by_autograd),
    ("7.6", counted_in_a_dictionary),
    ("7.7", glove_of_seen_pairs),
    ("7.8", analogy_by_cosine_similarity),
    ("7.9", merges_by_lists),
    ("7.10", merge_by_merge),
    ("7.11", pieces_by_shrinking),
]
