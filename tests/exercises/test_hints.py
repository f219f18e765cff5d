"""Whoever follows the third hint, the nearly whole answer, is right: hints, docstrings and parts agree."""

import pytest
import torch
import torch.nn.functional as F

import course.exercises  # noqa: F401  makes the banks known
from course.attention import scaled_dot_product_attention
from course.blocks import DecoderBlock, EncoderBlock, residual
from course.heads import MultiHeadAttention, merge_heads, split_heads
from course.masks import check_boolean, window_mask
from course.positions import frequencies
from course.text.decoding import Hypothesis, length_penalty
from course.workbook.judge import judge
from course.workbook.record import find


def soft_lookup(query, key, value, temperature=1.0):
    if temperature < 0:
        raise ValueError("temperature")
    scores = query @ key.mT
    if temperature == 0:
        weights = F.one_hot(scores.argmax(-1), scores.shape[-1]).to(scores.dtype)
    else:
        weights = (scores / temperature).softmax(-1)
    return weights @ value, weights


def attention(query, key, value, mask=None, scale=None):
    scores = query @ key.mT * (scale if scale is not None else query.shape[-1] ** -0.5)
    if mask is not None:
        scores.masked_fill_(~mask, torch.finfo(scores.dtype).min)
    weights = scores.softmax(-1)
    if mask is not None:
        weights = weights.masked_fill(~mask, 0.0)
    return weights @ value, weights


class ManyHeads(MultiHeadAttention):
    def forward(self, query, key=None, value=None, mask=None, need_weights=True):
        key = query if key is None else key
        value = key if value is None else value
        q = split_heads(self.q_proj(query), self.n_heads)
        k = split_heads(self.k_proj(key), self.n_heads)
        v = split_heads(self.v_proj(value), self.n_heads)
        if mask is not None and mask.dim() == query.dim():
            mask = mask.unsqueeze(-3)
        _, weights = scaled_dot_product_attention(q, k, v, mask)
        weights = self.dropout(weights)
        return self.out_proj(merge_heads(weights @ v)), weights if need_weights else None


def positions(n, d_model):
    w = 10000 ** (-torch.arange(0, d_model, 2) / d_model)
    angle = torch.arange(n)[:, None] * w
    table = torch.zeros(n, d_model)
    table[:, 0::2] = angle.sin()
    table[:, 1::2] = angle.cos()
    return table


def shift(k, d_model):
    blocks = []
    for w in frequencies(d_model):
        c, s = torch.cos(k * w), torch.sin(k * w)
        blocks.append(torch.tensor([[c, s], [-s, c]]))
    return torch.block_diag(*blocks)


def masked_softmax(scores, mask=None):
    if mask is None:
        return scores.softmax(-1)
    mask = mask.expand(scores.shape)
    return scores.masked_fill(~mask, torch.finfo(scores.dtype).min).softmax(-1).masked_fill(~mask, 0.0)


def padding(lengths, n):
    lengths = torch.as_tensor(lengths)
    if lengths.is_floating_point():
        raise TypeError("whole numbers")
    if (lengths < 0).any() or (lengths > n).any():
        raise ValueError("between 0 and n")
    return torch.arange(n) < lengths[:, None, None]


class Encoder(EncoderBlock):
    def forward(self, x, mask=None):
        x = residual(
            x, lambda y: self.dropout(self.self_attention(y, mask=mask)[0]), self.norm1, pre=self.pre
        )
        return residual(x, lambda y: self.dropout(self.feed_forward(y)), self.norm2, pre=self.pre)


class Decoder(DecoderBlock):
    def forward(self, x, memory, mask=None, memory_mask=None):
        def consult(y):
            return self.dropout(self.cross_attention(y, memory, mask=memory_mask)[0])

        x = residual(
            x, lambda y: self.dropout(self.self_attention(y, mask=mask)[0]), self.norm1, pre=self.pre
        )
        x = residual(x, consult, self.norm2, pre=self.pre)
        return residual(x, lambda y: self.dropout(self.feed_forward(y)), self.norm3, pre=self.pre)


def smoothed(logits, labels, smoothing=0.0, padding=0):
    real = labels != padding
    log_p = logits[real].log_softmax(-1)
    of_label = log_p.gather(-1, labels[real].unsqueeze(-1)).squeeze(-1)
    return (-(1 - smoothing) * of_label - smoothing * log_p.mean(dim=-1)).mean()


def greedy(step, sentences, bos, eos, max_length):
    if max_length < 1:
        raise ValueError("max_length")
    token, rows = torch.full((sentences,), bos), torch.arange(sentences)
    written, log_p, going = [], torch.zeros(sentences), torch.ones(sentences, dtype=torch.bool)
    while len(written) < max_length and going.any():
        best, token = step(token, rows).max(dim=-1)
        log_p = log_p + torch.where(going, best, 0.0)
        going = going & (token != eos)
        written.append(token)
    found = []
    for row, total in zip(torch.stack(written, -1).tolist(), log_p, strict=True):
        ids = row[: row.index(eos) + 1] if eos in row else row
        found.append(Hypothesis(ids, total.item(), ended=eos in ids))
    return found


def continuations(log_p, following, k):
    best, index = (log_p[..., None] + following).flatten(1).topk(k)
    v = following.shape[-1]
    return best, index // v, index % v


def walked(links):
    check_boolean(links)
    if links.shape[0] != links.shape[1]:
        raise ValueError("square")
    last = reached = torch.eye(len(links), dtype=torch.bool)
    steps, step = torch.where(reached, 0, -1), 0
    while last.any():
        step += 1
        last = ((links.float() @ last.float()) > 0) & ~reached
        steps = steps.masked_fill(last, step)
        reached = reached | last
    return steps


def fitted_line(n, cost):
    if len(n) < 3 or (n <= 0).any() or (cost <= 0).any():
        raise ValueError("three points above 0")
    x, y = n.double().log(), cost.double().log()
    x, y = x - x.mean(), y - y.mean()
    slope = (x * y).sum() / (x**2).sum()
    error = (((y - slope * x) ** 2).sum() / (len(n) - 2) / (x**2).sum()).sqrt()
    return slope.item(), error.item()


def pattern(n, width, n_global, picks):
    if picks.shape[0] != n or not 0 <= n_global <= n:
        raise ValueError("picks or n_global")
    pattern = window_mask(n, width)
    pattern[:n_global] = True
    pattern[:, :n_global] = True
    return pattern.scatter(1, picks, True)


def projected(query, key, value, e, f):
    if e.shape[-1] != key.shape[-2] or e.shape != f.shape:
        raise ValueError("E and F")
    return scaled_dot_product_attention(query, e @ key, f @ value)


def turned_and_back(x, rotations):
    if x.shape[-1] != rotations.shape[-2]:
        raise ValueError("width")
    turned = x.unsqueeze(-3) @ rotations
    return torch.cat([turned, -turned], dim=-1).argmax(dim=-1)


def undone(y1, y2, f, g):
    x2 = y2 - g(y1)
    x1 = y1 - f(x2)
    return x1, x2


def in_tiles(query, key, value, tile):
    if tile < 1:
        raise ValueError("tile")
    query = query / query.shape[-1] ** 0.5
    m = torch.full((*query.shape[:-1], 1), -torch.inf, dtype=query.dtype)
    total = output = 0.0
    for k, v in zip(key.split(tile, -2), value.split(tile, -2), strict=True):
        scores = query @ k.mT
        new = torch.maximum(m, scores.amax(-1, keepdim=True))
        shrink, w = (m - new).exp(), (scores - new).exp()
        total = total * shrink + w.sum(-1, keepdim=True)
        output = output * shrink + w @ v
        m = new
    return output / total


def prompted(turns, encode, marks, room):
    written = [[marks.of(role), *encode(text), marks.end] for role, text in turns]
    if not turns or len(written[-1]) + 1 > room:
        raise ValueError("turns")
    while sum(map(len, written)) + 1 > room:
        written = written[1:]
    return [id for turn in written for id in turn] + [marks.assistant]


def operations(n_layers, d_model, d_ff, vocab_size, length, tokens):
    block = 8 * d_model**2 + 4 * d_model * length + 4 * d_model * d_ff
    return 3.0 * tokens * (n_layers * block + 2 * d_model * vocab_size)


FOLLOWED = {
    "6.1": walked,
    "6.2": fitted_line,
    "6.3": pattern,
    "6.4": projected,
    "6.5": turned_and_back,
    "6.6": lambda outputs, log_sums: (log_sums.softmax(dim=-2).unsqueeze(-1) * outputs).sum(dim=-3),
    "6.7": undone,
    "6.8": in_tiles,
    "3.1": soft_lookup,
    "3.2": lambda query, key: query @ key.mT / query.shape[-1] ** 0.5,
    "3.3": attention,
    "3.4": lambda p: torch.diag_embed(p) - p.unsqueeze(-1) * p.unsqueeze(-2),
    "3.5": lambda x, n_heads: x.unflatten(-1, (n_heads, -1)).transpose(-3, -2),
    "3.6": ManyHeads,
    "4.1": positions,
    "4.2": shift,
    "4.3": lambda x, w1, b1, w2, b2: torch.relu(x @ w1.mT + b1) @ w2.mT + b2,
    "4.4": lambda n: torch.ones(n, n, dtype=torch.bool).tril(),
    "4.5": masked_softmax,
    "4.6": padding,
    "4.7": Encoder,
    "5.1": lambda x, sublayer, norm, *, pre: x + sublayer(norm(x)) if pre else norm(x + sublayer(x)),
    "5.2": Decoder,
    "5.3": lambda target: (target[:, :-1], target[:, 1:]),
    "5.4": smoothed,
    "5.5": greedy,
    "5.6": continuations,
    "5.7": lambda hypotheses, alpha: sorted(
        hypotheses, key=lambda h: -h.log_p / length_penalty(len(h.ids), alpha)
    ),
    "13.4": prompted,
    "13.5": lambda chosen, rejected: -F.logsigmoid(chosen - rejected).mean(),
    "13.6": operations,
}


@pytest.mark.parametrize("id", FOLLOWED)
def test_the_third_hint_leads_to_a_right_answer(id):
    result = judge(find(id), FOLLOWED[id])
    assert result.state == "right", result.diagnosis
