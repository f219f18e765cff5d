"""Answers to the exercises of notebook 11, as people write them; none was made with a look at the checks."""

# %% 11.1 wrong | the last token is read and not [CLS], the first
import course.models.bert


@exercise("11.1")
class Bert(course.models.bert.Bert):
    def pool(self, x: Float[Tensor, "batch n d_model"]) -> Float[Tensor, "batch d_model"]:
        return torch.tanh(self.pooler(x[:, -1]))


# %% 11.1 wrong | the mean over all tokens is read and not [CLS]
import course.models.bert


@exercise("11.1")
class Bert(course.models.bert.Bert):
    def pool(self, x: Float[Tensor, "batch n d_model"]) -> Float[Tensor, "batch d_model"]:
        return torch.tanh(self.pooler(x.mean(1)))


# %% 11.1 wrong | the greatest value over all tokens is read and not [CLS]
import course.models.bert


@exercise("11.1")
class Bert(course.models.bert.Bert):
    def pool(self, x: Float[Tensor, "batch n d_model"]) -> Float[Tensor, "batch d_model"]:
        return torch.tanh(self.pooler(x.amax(1)))


# %% 11.1 wrong | the tanh is left out
import course.models.bert


@exercise("11.1")
class Bert(course.models.bert.Bert):
    def pool(self, x: Float[Tensor, "batch n d_model"]) -> Float[Tensor, "batch d_model"]:
        return self.pooler(x[:, 0])


# %% 11.1 wrong | the linear map is left out
import course.models.bert


@exercise("11.1")
class Bert(course.models.bert.Bert):
    def pool(self, x: Float[Tensor, "batch n d_model"]) -> Float[Tensor, "batch d_model"]:
        return torch.tanh(x[:, 0])


# %% 11.1 wrong | [CLS]'s vector as it is, neither mapped nor squashed
import course.models.bert


@exercise("11.1")
class Bert(course.models.bert.Bert):
    def pool(self, x: Float[Tensor, "batch n d_model"]) -> Float[Tensor, "batch d_model"]:
        return x[:, 0]


# %% 11.1 wrong | the tanh comes before the linear map
import course.models.bert


@exercise("11.1")
class Bert(course.models.bert.Bert):
    def pool(self, x: Float[Tensor, "batch n d_model"]) -> Float[Tensor, "batch d_model"]:
        return self.pooler(torch.tanh(x[:, 0]))


# %% 11.1 wrong | the first text of the batch is read: one vector a token, none for the other texts
import course.models.bert


@exercise("11.1")
class Bert(course.models.bert.Bert):
    def pool(self, x: Float[Tensor, "batch n d_model"]) -> Float[Tensor, "batch d_model"]:
        return torch.tanh(self.pooler(x[0]))


# %% 11.1 wrong | sigmoid in place of tanh
import course.models.bert


@exercise("11.1")
class Bert(course.models.bert.Bert):
    def pool(self, x: Float[Tensor, "batch n d_model"]) -> Float[Tensor, "batch d_model"]:
        return torch.sigmoid(self.pooler(x[:, 0]))


# %% 11.1 wrong | GELU in place of tanh
import course.models.bert


@exercise("11.1")
class Bert(course.models.bert.Bert):
    def pool(self, x: Float[Tensor, "batch n d_model"]) -> Float[Tensor, "batch d_model"]:
        return F.gelu(self.pooler(x[:, 0]))


# %% 11.1 wrong | ReLU in place of tanh
import course.models.bert


@exercise("11.1")
class Bert(course.models.bert.Bert):
    def pool(self, x: Float[Tensor, "batch n d_model"]) -> Float[Tensor, "batch d_model"]:
        return torch.relu(self.pooler(x[:, 0]))


# %% 11.1 wrong | all tokens are mapped and squashed, then averaged
import course.models.bert


@exercise("11.1")
class Bert(course.models.bert.Bert):
    def pool(self, x: Float[Tensor, "batch n d_model"]) -> Float[Tensor, "batch d_model"]:
        return torch.tanh(self.pooler(x)).mean(1)


# %% 11.1 wrong | the second token is read, the first word, and not [CLS]
import course.models.bert


@exercise("11.1")
class Bert(course.models.bert.Bert):
    def pool(self, x: Float[Tensor, "batch n d_model"]) -> Float[Tensor, "batch d_model"]:
        return torch.tanh(self.pooler(x[:, 1 if x.shape[1] > 1 else 0]))


# %% 11.1 wrong | the axis of the tokens stays, with length 1
import course.models.bert


@exercise("11.1")
class Bert(course.models.bert.Bert):
    def pool(self, x: Float[Tensor, "batch n d_model"]) -> Float[Tensor, "batch d_model"]:
        return torch.tanh(self.pooler(x[:, :1]))


# %% 11.1 wrong | detached: fine-tuning does not reach the encoder
import course.models.bert


@exercise("11.1")
class Bert(course.models.bert.Bert):
    def pool(self, x: Float[Tensor, "batch n d_model"]) -> Float[Tensor, "batch d_model"]:
        return torch.tanh(self.pooler(x[:, 0].detach()))


# %% 11.1 wrong | the bias of the linear map is left out
import course.models.bert


@exercise("11.1")
class Bert(course.models.bert.Bert):
    def pool(self, x: Float[Tensor, "batch n d_model"]) -> Float[Tensor, "batch d_model"]:
        return torch.tanh(x[:, 0] @ self.pooler.weight.T)


# %% 11.1 wrong | the weights are not transposed: x W in place of x Wᵀ
import course.models.bert


@exercise("11.1")
class Bert(course.models.bert.Bert):
    def pool(self, x: Float[Tensor, "batch n d_model"]) -> Float[Tensor, "batch d_model"]:
        return torch.tanh(x[:, 0] @ self.pooler.weight + self.pooler.bias)


# %% 11.1 wrong | squeeze() drops the batch axis when there is one text
import course.models.bert


@exercise("11.1")
class Bert(course.models.bert.Bert):
    def pool(self, x: Float[Tensor, "batch n d_model"]) -> Float[Tensor, "batch d_model"]:
        return torch.tanh(self.pooler(x[:, :1])).squeeze()


# %% 11.1 wrong | the tanh is taken twice
import course.models.bert


@exercise("11.1")
class Bert(course.models.bert.Bert):
    def pool(self, x: Float[Tensor, "batch n d_model"]) -> Float[Tensor, "batch d_model"]:
        return torch.tanh(torch.tanh(self.pooler(x[:, 0])))


# %% 11.1 wrong | the norm of the embeddings is applied once more before the map
import course.models.bert


@exercise("11.1")
class Bert(course.models.bert.Bert):
    def pool(self, x: Float[Tensor, "batch n d_model"]) -> Float[Tensor, "batch d_model"]:
        return torch.tanh(self.pooler(self.norm(x[:, 0])))


# %% 11.1 right | the first token, mapped and squashed
import course.models.bert


@exercise("11.1")
class Bert(course.models.bert.Bert):
    def pool(self, x: Float[Tensor, "batch n d_model"]) -> Float[Tensor, "batch d_model"]:
        return torch.tanh(self.pooler(x[:, 0]))


# %% 11.1 right | mapped first, then the first token taken
import course.models.bert


@exercise("11.1")
class Bert(course.models.bert.Bert):
    def pool(self, x: Float[Tensor, "batch n d_model"]) -> Float[Tensor, "batch d_model"]:
        return self.pooler(x).tanh()[:, 0, :]


# %% 11.1 right | F.linear and select
import course.models.bert


@exercise("11.1")
class Bert(course.models.bert.Bert):
    def pool(self, x: Float[Tensor, "batch n d_model"]) -> Float[Tensor, "batch d_model"]:
        cls = x.select(1, 0)
        return F.linear(cls, self.pooler.weight, self.pooler.bias).tanh()


# %% 11.1 right | tanh by exponentials
import course.models.bert


@exercise("11.1")
class Bert(course.models.bert.Bert):
    def pool(self, x: Float[Tensor, "batch n d_model"]) -> Float[Tensor, "batch d_model"]:
        e = torch.exp(-2 * self.pooler(x[:, 0, :]))
        return (1 - e) / (1 + e)


# %% 11.2 wrong | everything is frozen, the head too: nothing learns
@exercise("11.2")
def freeze_encoder(model: nn.Module) -> nn.Module:
    for parameter in model.parameters():
        parameter.requires_grad = False
    return model


# %% 11.2 wrong | the pooler is frozen with the encoder
@exercise("11.2")
def freeze_encoder(model: nn.Module) -> nn.Module:
    for parameter in model.bert.parameters():
        parameter.requires_grad = False
    return model


# %% 11.2 wrong | only the blocks are frozen; the embeddings go on learning
@exercise("11.2")
def freeze_encoder(model: nn.Module) -> nn.Module:
    for parameter in model.bert.layers.parameters():
        parameter.requires_grad = False
    return model


# %% 11.2 wrong | only the tokens' embeddings are frozen; positions, segments and blocks go on learning
@exercise("11.2")
def freeze_encoder(model: nn.Module) -> nn.Module:
    model.bert.tokens.weight.requires_grad = False
    return model


# %% 11.2 wrong | the embeddings' norm is forgotten and goes on learning
@exercise("11.2")
def freeze_encoder(model: nn.Module) -> nn.Module:
    for part in (model.bert.tokens, model.bert.positions, model.bert.segments, model.bert.layers):
        part.requires_grad_(False)
    return model


# %% 11.2 wrong | returns nothing
@exercise("11.2")
def freeze_encoder(model: nn.Module) -> nn.Module:
    model.bert.requires_grad_(False)
    if model.bert.pooler is not None:
        model.bert.pooler.requires_grad_(True)


# %% 11.2 wrong | returns a frozen copy; the model that was given goes on learning
@exercise("11.2")
def freeze_encoder(model: nn.Module) -> nn.Module:
    import copy

    model = copy.deepcopy(model)
    model.bert.requires_grad_(False)
    if model.bert.pooler is not None:
        model.bert.pooler.requires_grad_(True)
    return model


# %% 11.2 wrong | upside down: the encoder learns and what is above it is frozen
@exercise("11.2")
def freeze_encoder(model: nn.Module) -> nn.Module:
    for name, parameter in model.named_parameters():
        parameter.requires_grad = name.startswith("bert.") and not name.startswith("bert.pooler")
    return model


# %% 11.2 wrong | a model without a pooler raises an error
@exercise("11.2")
def freeze_encoder(model: nn.Module) -> nn.Module:
    for parameter in model.bert.parameters():
        parameter.requires_grad = False
    for parameter in model.bert.pooler.parameters():
        parameter.requires_grad = True
    return model


# %% 11.2 wrong | sets an attribute of the module, which does nothing to its parameters
@exercise("11.2")
def freeze_encoder(model: nn.Module) -> nn.Module:
    model.bert.requires_grad = False
    return model


# %% 11.2 wrong | eval() switches dropout off, and no weight is frozen
@exercise("11.2")
def freeze_encoder(model: nn.Module) -> nn.Module:
    model.bert.eval()
    return model


# %% 11.2 wrong | no_grad around a loop has no effect on later training
@exercise("11.2")
def freeze_encoder(model: nn.Module) -> nn.Module:
    with torch.no_grad():
        for parameter in model.bert.parameters():
            parameter.detach()
    return model


# %% 11.2 wrong | only a head called "classifier" learns; heads of other names are frozen, and the pooler
@exercise("11.2")
def freeze_encoder(model: nn.Module) -> nn.Module:
    for name, parameter in model.named_parameters():
        parameter.requires_grad = "classifier" in name
    return model


# %% 11.2 wrong | what is above is not switched on: a head that was frozen before stays so
@exercise("11.2")
def freeze_encoder(model: nn.Module) -> nn.Module:
    for name, parameter in model.named_parameters():
        if name.startswith("bert.") and "pooler" not in name:
            parameter.requires_grad = False
    return model


# %% 11.2 wrong | only the weights are frozen; biases go on learning
@exercise("11.2")
def freeze_encoder(model: nn.Module) -> nn.Module:
    for name, parameter in model.bert.named_parameters():
        if name.endswith("weight") and not name.startswith("pooler"):
            parameter.requires_grad = False
    return model


# %% 11.2 wrong | the last block is left to learn
@exercise("11.2")
def freeze_encoder(model: nn.Module) -> nn.Module:
    for name, parameter in model.bert.named_parameters():
        last = f"layers.{len(model.bert.layers) - 1}."
        parameter.requires_grad = name.startswith("pooler") or name.startswith(last)
    return model


# %% 11.2 wrong | returns the encoder and not the whole model
@exercise("11.2")
def freeze_encoder(model: nn.Module) -> nn.Module:
    model.bert.requires_grad_(False)
    if model.bert.pooler is not None:
        model.bert.pooler.requires_grad_(True)
    return model.bert


# %% 11.2 wrong | sets the gradients to None, which freezes nothing
@exercise("11.2")
def freeze_encoder(model: nn.Module) -> nn.Module:
    for parameter in model.bert.parameters():
        parameter.grad = None
    return model


# %% 11.2 wrong | the weights of the encoder are set to 0 as well
@exercise("11.2")
def freeze_encoder(model: nn.Module) -> nn.Module:
    for name, parameter in model.named_parameters():
        inside = name.startswith("bert.") and not name.startswith("bert.pooler")
        parameter.requires_grad = not inside
        if inside:
            parameter.data.zero_()
    return model


# %% 11.2 right | by name
@exercise("11.2")
def freeze_encoder(model: nn.Module) -> nn.Module:
    for name, parameter in model.named_parameters():
        parameter.requires_grad = not name.startswith("bert.") or name.startswith("bert.pooler.")
    return model


# %% 11.2 right | all on, the encoder off, the pooler on
@exercise("11.2")
def freeze_encoder(model: nn.Module) -> nn.Module:
    model.requires_grad_(True)
    model.bert.requires_grad_(False)
    if model.bert.pooler is not None:
        model.bert.pooler.requires_grad_(True)
    return model


# %% 11.2 right | by identity of the parameters
@exercise("11.2")
def freeze_encoder(model: nn.Module) -> nn.Module:
    pooler = getattr(model.bert, "pooler", None)
    above = set() if pooler is None else {id(p) for p in pooler.parameters()}
    encoder = {id(p) for p in model.bert.parameters()} - above
    for p in model.parameters():
        p.requires_grad_(id(p) not in encoder)
    return model


# %% 11.3 wrong | first and last are chosen each for itself: the end can stand before the start
@exercise("11.3")
def best_span(
    start: Float[Tensor, "batch n"],
    end: Float[Tensor, "batch n"],
    allowed: Bool[Tensor, "batch n"],
    longest: int = 30,
) -> tuple[Int[Tensor, "batch"], Int[Tensor, "batch"]]:
    first = start.masked_fill(~allowed, -math.inf).argmax(-1)
    last = end.masked_fill(~allowed, -math.inf).argmax(-1)
    return first, last


# %% 11.3 wrong | the best start first, then the best end behind it, and not the best pair
@exercise("11.3")
def best_span(
    start: Float[Tensor, "batch n"],
    end: Float[Tensor, "batch n"],
    allowed: Bool[Tensor, "batch n"],
    longest: int = 30,
) -> tuple[Int[Tensor, "batch"], Int[Tensor, "batch"]]:
    n = start.shape[1]
    place = torch.arange(n)
    first = start.masked_fill(~allowed, -math.inf).argmax(-1)
    ok = allowed & (place >= first[:, None]) & (place < first[:, None] + longest)
    last = end.masked_fill(~ok, -math.inf).argmax(-1)
    return first, last


# %% 11.3 wrong | the best end first, then the best start before it, and not the best pair
@exercise("11.3")
def best_span(
    start: Float[Tensor, "batch n"],
    end: Float[Tensor, "batch n"],
    allowed: Bool[Tensor, "batch n"],
    longest: int = 30,
) -> tuple[Int[Tensor, "batch"], Int[Tensor, "batch"]]:
    n = start.shape[1]
    place = torch.arange(n)
    last = end.masked_fill(~allowed, -math.inf).argmax(-1)
    ok = allowed & (place <= last[:, None]) & (place > last[:, None] - longest)
    first = start.masked_fill(~ok, -math.inf).argmax(-1)
    return first, last


# %% 11.3 wrong | longest is off by one: spans of longest + 1 tokens are let through
@exercise("11.3")
def best_span(
    start: Float[Tensor, "batch n"],
    end: Float[Tensor, "batch n"],
    allowed: Bool[Tensor, "batch n"],
    longest: int = 30,
) -> tuple[Int[Tensor, "batch"], Int[Tensor, "batch"]]:
    n = start.shape[1]
    gap = torch.arange(n)[None, :] - torch.arange(n)[:, None]
    ok = allowed[:, :, None] & allowed[:, None, :] & (gap >= 0) & (gap <= longest)
    scores = (start[:, :, None] + end[:, None, :]).masked_fill(~ok, -math.inf)
    best = scores.flatten(1).argmax(-1)
    return best // n, best % n


# %% 11.3 wrong | longest is off by one the other way: spans of exactly longest tokens are refused
@exercise("11.3")
def best_span(
    start: Float[Tensor, "batch n"],
    end: Float[Tensor, "batch n"],
    allowed: Bool[Tensor, "batch n"],
    longest: int = 30,
) -> tuple[Int[Tensor, "batch"], Int[Tensor, "batch"]]:
    n = start.shape[1]
    gap = torch.arange(n)[None, :] - torch.arange(n)[:, None]
    ok = allowed[:, :, None] & allowed[:, None, :] & (gap >= 0) & (gap < max(longest - 1, 1))
    scores = (start[:, :, None] + end[:, None, :]).masked_fill(~ok, -math.inf)
    best = scores.flatten(1).argmax(-1)
    return best // n, best % n


# %% 11.3 wrong | longest is ignored
@exercise("11.3")
def best_span(
    start: Float[Tensor, "batch n"],
    end: Float[Tensor, "batch n"],
    allowed: Bool[Tensor, "batch n"],
    longest: int = 30,
) -> tuple[Int[Tensor, "batch"], Int[Tensor, "batch"]]:
    n = start.shape[1]
    gap = torch.arange(n)[None, :] - torch.arange(n)[:, None]
    ok = allowed[:, :, None] & allowed[:, None, :] & (gap >= 0)
    scores = (start[:, :, None] + end[:, None, :]).masked_fill(~ok, -math.inf)
    best = scores.flatten(1).argmax(-1)
    return best // n, best % n


# %% 11.3 wrong | longest is always 30, whatever is given
@exercise("11.3")
def best_span(
    start: Float[Tensor, "batch n"],
    end: Float[Tensor, "batch n"],
    allowed: Bool[Tensor, "batch n"],
    longest: int = 30,
) -> tuple[Int[Tensor, "batch"], Int[Tensor, "batch"]]:
    n = start.shape[1]
    gap = torch.arange(n)[None, :] - torch.arange(n)[:, None]
    ok = allowed[:, :, None] & allowed[:, None, :] & (gap >= 0) & (gap < 30)
    scores = (start[:, :, None] + end[:, None, :]).masked_fill(~ok, -math.inf)
    best = scores.flatten(1).argmax(-1)
    return best // n, best % n


# %% 11.3 wrong | only the start has to be allowed: an answer can end outside the context
@exercise("11.3")
def best_span(
    start: Float[Tensor, "batch n"],
    end: Float[Tensor, "batch n"],
    allowed: Bool[Tensor, "batch n"],
    longest: int = 30,
) -> tuple[Int[Tensor, "batch"], Int[Tensor, "batch"]]:
    n = start.shape[1]
    gap = torch.arange(n)[None, :] - torch.arange(n)[:, None]
    ok = allowed[:, :, None] & (gap >= 0) & (gap < longest)
    scores = (start[:, :, None] + end[:, None, :]).masked_fill(~ok, -math.inf)
    best = scores.flatten(1).argmax(-1)
    return best // n, best % n


# %% 11.3 wrong | only the end has to be allowed: an answer can begin outside the context
@exercise("11.3")
def best_span(
    start: Float[Tensor, "batch n"],
    end: Float[Tensor, "batch n"],
    allowed: Bool[Tensor, "batch n"],
    longest: int = 30,
) -> tuple[Int[Tensor, "batch"], Int[Tensor, "batch"]]:
    n = start.shape[1]
    gap = torch.arange(n)[None, :] - torch.arange(n)[:, None]
    ok = allowed[:, None, :] & (gap >= 0) & (gap < longest)
    scores = (start[:, :, None] + end[:, None, :]).masked_fill(~ok, -math.inf)
    best = scores.flatten(1).argmax(-1)
    return best // n, best % n


# %% 11.3 wrong | allowed is upside down: the answer is sought in the question
@exercise("11.3")
def best_span(
    start: Float[Tensor, "batch n"],
    end: Float[Tensor, "batch n"],
    allowed: Bool[Tensor, "batch n"],
    longest: int = 30,
) -> tuple[Int[Tensor, "batch"], Int[Tensor, "batch"]]:
    n = start.shape[1]
    gap = torch.arange(n)[None, :] - torch.arange(n)[:, None]
    ok = ~allowed[:, :, None] & ~allowed[:, None, :] & (gap >= 0) & (gap < longest)
    scores = (start[:, :, None] + end[:, None, :]).masked_fill(~ok, -math.inf)
    best = scores.flatten(1).argmax(-1)
    return best // n, best % n


# %% 11.3 wrong | allowed is not used at all
@exercise("11.3")
def best_span(
    start: Float[Tensor, "batch n"],
    end: Float[Tensor, "batch n"],
    allowed: Bool[Tensor, "batch n"],
    longest: int = 30,
) -> tuple[Int[Tensor, "batch"], Int[Tensor, "batch"]]:
    n = start.shape[1]
    gap = torch.arange(n)[None, :] - torch.arange(n)[:, None]
    ok = ((gap >= 0) & (gap < longest)).expand(len(start), n, n)
    scores = (start[:, :, None] + end[:, None, :]).masked_fill(~ok, -math.inf)
    best = scores.flatten(1).argmax(-1)
    return best // n, best % n


# %% 11.3 wrong | answers of a single token are refused: the end must come after the start
@exercise("11.3")
def best_span(
    start: Float[Tensor, "batch n"],
    end: Float[Tensor, "batch n"],
    allowed: Bool[Tensor, "batch n"],
    longest: int = 30,
) -> tuple[Int[Tensor, "batch"], Int[Tensor, "batch"]]:
    n = start.shape[1]
    gap = torch.arange(n)[None, :] - torch.arange(n)[:, None]
    ok = allowed[:, :, None] & allowed[:, None, :] & (gap > 0) & (gap < longest)
    scores = (start[:, :, None] + end[:, None, :]).masked_fill(~ok, -math.inf)
    best = scores.flatten(1).argmax(-1)
    return best // n, best % n


# %% 11.3 wrong | what is not allowed scores 0 and not -inf: where all scores are negative it wins
@exercise("11.3")
def best_span(
    start: Float[Tensor, "batch n"],
    end: Float[Tensor, "batch n"],
    allowed: Bool[Tensor, "batch n"],
    longest: int = 30,
) -> tuple[Int[Tensor, "batch"], Int[Tensor, "batch"]]:
    n = start.shape[1]
    gap = torch.arange(n)[None, :] - torch.arange(n)[:, None]
    ok = allowed[:, :, None] & allowed[:, None, :] & (gap >= 0) & (gap < longest)
    scores = (start[:, :, None] + end[:, None, :]) * ok
    best = scores.flatten(1).argmax(-1)
    return best // n, best % n


# %% 11.3 wrong | adds probabilities of start and end and not their scores
@exercise("11.3")
def best_span(
    start: Float[Tensor, "batch n"],
    end: Float[Tensor, "batch n"],
    allowed: Bool[Tensor, "batch n"],
    longest: int = 30,
) -> tuple[Int[Tensor, "batch"], Int[Tensor, "batch"]]:
    start = start.masked_fill(~allowed, -1e9).softmax(-1)
    end = end.masked_fill(~allowed, -1e9).softmax(-1)
    n = start.shape[1]
    gap = torch.arange(n)[None, :] - torch.arange(n)[:, None]
    ok = allowed[:, :, None] & allowed[:, None, :] & (gap >= 0) & (gap < longest)
    scores = (start[:, :, None] + end[:, None, :]).masked_fill(~ok, -math.inf)
    best = scores.flatten(1).argmax(-1)
    return best // n, best % n


# %% 11.3 wrong | multiplies the scores of start and end and does not add them
@exercise("11.3")
def best_span(
    start: Float[Tensor, "batch n"],
    end: Float[Tensor, "batch n"],
    allowed: Bool[Tensor, "batch n"],
    longest: int = 30,
) -> tuple[Int[Tensor, "batch"], Int[Tensor, "batch"]]:
    n = start.shape[1]
    gap = torch.arange(n)[None, :] - torch.arange(n)[:, None]
    ok = allowed[:, :, None] & allowed[:, None, :] & (gap >= 0) & (gap < longest)
    scores = (start[:, :, None] * end[:, None, :]).masked_fill(~ok, -math.inf)
    best = scores.flatten(1).argmax(-1)
    return best // n, best % n


# %% 11.3 wrong | of equals the latest and not the earliest
@exercise("11.3")
def best_span(
    start: Float[Tensor, "batch n"],
    end: Float[Tensor, "batch n"],
    allowed: Bool[Tensor, "batch n"],
    longest: int = 30,
) -> tuple[Int[Tensor, "batch"], Int[Tensor, "batch"]]:
    n = start.shape[1]
    gap = torch.arange(n)[None, :] - torch.arange(n)[:, None]
    ok = allowed[:, :, None] & allowed[:, None, :] & (gap >= 0) & (gap < longest)
    scores = (start[:, :, None] + end[:, None, :]).masked_fill(~ok, -math.inf).flatten(1)
    best = scores.shape[1] - 1 - scores.flip(1).argmax(-1)
    none = ~ok.flatten(1).any(1)
    return (best // n).masked_fill(none, 0), (best % n).masked_fill(none, 0)


# %% 11.3 wrong | where nothing is allowed -1 comes out, not (0, 0)
@exercise("11.3")
def best_span(
    start: Float[Tensor, "batch n"],
    end: Float[Tensor, "batch n"],
    allowed: Bool[Tensor, "batch n"],
    longest: int = 30,
) -> tuple[Int[Tensor, "batch"], Int[Tensor, "batch"]]:
    n = start.shape[1]
    gap = torch.arange(n)[None, :] - torch.arange(n)[:, None]
    ok = allowed[:, :, None] & allowed[:, None, :] & (gap >= 0) & (gap < longest)
    scores = (start[:, :, None] + end[:, None, :]).masked_fill(~ok, -math.inf).flatten(1)
    best, none = scores.argmax(-1), ~ok.flatten(1).any(1)
    return (best // n).masked_fill(none, -1), (best % n).masked_fill(none, -1)


# %% 11.3 wrong | where nothing is allowed the best span of all comes out, not (0, 0)
@exercise("11.3")
def best_span(
    start: Float[Tensor, "batch n"],
    end: Float[Tensor, "batch n"],
    allowed: Bool[Tensor, "batch n"],
    longest: int = 30,
) -> tuple[Int[Tensor, "batch"], Int[Tensor, "batch"]]:
    allowed = allowed | ~allowed.any(-1, keepdim=True)
    n = start.shape[1]
    gap = torch.arange(n)[None, :] - torch.arange(n)[:, None]
    ok = allowed[:, :, None] & allowed[:, None, :] & (gap >= 0) & (gap < longest)
    scores = (start[:, :, None] + end[:, None, :]).masked_fill(~ok, -math.inf)
    best = scores.flatten(1).argmax(-1)
    return best // n, best % n


# %% 11.3 wrong | the last token comes first
@exercise("11.3")
def best_span(
    start: Float[Tensor, "batch n"],
    end: Float[Tensor, "batch n"],
    allowed: Bool[Tensor, "batch n"],
    longest: int = 30,
) -> tuple[Int[Tensor, "batch"], Int[Tensor, "batch"]]:
    n = start.shape[1]
    gap = torch.arange(n)[None, :] - torch.arange(n)[:, None]
    ok = allowed[:, :, None] & allowed[:, None, :] & (gap >= 0) & (gap < longest)
    scores = (start[:, :, None] + end[:, None, :]).masked_fill(~ok, -math.inf).flatten(1)
    best = scores.argmax(-1)
    return best % n, best // n


# %% 11.3 wrong | the second number is the length of the answer and not its last token
@exercise("11.3")
def best_span(
    start: Float[Tensor, "batch n"],
    end: Float[Tensor, "batch n"],
    allowed: Bool[Tensor, "batch n"],
    longest: int = 30,
) -> tuple[Int[Tensor, "batch"], Int[Tensor, "batch"]]:
    n = start.shape[1]
    gap = torch.arange(n)[None, :] - torch.arange(n)[:, None]
    ok = allowed[:, :, None] & allowed[:, None, :] & (gap >= 0) & (gap < longest)
    scores = (start[:, :, None] + end[:, None, :]).masked_fill(~ok, -math.inf).flatten(1)
    best = scores.argmax(-1)
    return best // n, best % n - best // n + 1


# %% 11.3 wrong | one pair for the whole batch, that of the best text
@exercise("11.3")
def best_span(
    start: Float[Tensor, "batch n"],
    end: Float[Tensor, "batch n"],
    allowed: Bool[Tensor, "batch n"],
    longest: int = 30,
) -> tuple[Int[Tensor, "batch"], Int[Tensor, "batch"]]:
    n = start.shape[1]
    gap = torch.arange(n)[None, :] - torch.arange(n)[:, None]
    ok = allowed[:, :, None] & allowed[:, None, :] & (gap >= 0) & (gap < longest)
    scores = (start[:, :, None] + end[:, None, :]).masked_fill(~ok, -math.inf)
    best = scores.amax(0).flatten().argmax()
    return (best // n).expand(len(start)), (best % n).expand(len(start))


# %% 11.3 wrong | writes -inf into the caller's scores
@exercise("11.3")
def best_span(
    start: Float[Tensor, "batch n"],
    end: Float[Tensor, "batch n"],
    allowed: Bool[Tensor, "batch n"],
    longest: int = 30,
) -> tuple[Int[Tensor, "batch"], Int[Tensor, "batch"]]:
    start[~allowed] = -math.inf
    end[~allowed] = -math.inf
    n = start.shape[1]
    gap = torch.arange(n)[None, :] - torch.arange(n)[:, None]
    ok = allowed[:, :, None] & allowed[:, None, :] & (gap >= 0) & (gap < longest)
    scores = (start[:, :, None] + end[:, None, :]).masked_fill(~ok, -math.inf)
    best = scores.flatten(1).argmax(-1)
    return best // n, best % n


# %% 11.3 wrong | lists of Python numbers and no tensors
@exercise("11.3")
def best_span(
    start: Float[Tensor, "batch n"],
    end: Float[Tensor, "batch n"],
    allowed: Bool[Tensor, "batch n"],
    longest: int = 30,
) -> tuple[Int[Tensor, "batch"], Int[Tensor, "batch"]]:
    n = start.shape[1]
    gap = torch.arange(n)[None, :] - torch.arange(n)[:, None]
    ok = allowed[:, :, None] & allowed[:, None, :] & (gap >= 0) & (gap < longest)
    scores = (start[:, :, None] + end[:, None, :]).masked_fill(~ok, -math.inf).flatten(1)
    best = scores.argmax(-1)
    return (best // n).tolist(), (best % n).tolist()


# %% 11.3 wrong | all tokens in between must be allowed too, not only first and last
@exercise("11.3")
def best_span(
    start: Float[Tensor, "batch n"],
    end: Float[Tensor, "batch n"],
    allowed: Bool[Tensor, "batch n"],
    longest: int = 30,
) -> tuple[Int[Tensor, "batch"], Int[Tensor, "batch"]]:
    n = start.shape[1]
    gap = torch.arange(n)[None, :] - torch.arange(n)[:, None]
    bad = F.pad((~allowed).long().cumsum(-1), (1, 0))
    clean = bad[:, None, 1:] - bad[:, :-1, None] == 0
    ok = clean & (gap >= 0) & (gap < longest)
    scores = (start[:, :, None] + end[:, None, :]).masked_fill(~ok, -math.inf)
    best = scores.flatten(1).argmax(-1)
    return best // n, best % n


# %% 11.3 wrong | the score is divided by the length of the answer: short ones are preferred
@exercise("11.3")
def best_span(
    start: Float[Tensor, "batch n"],
    end: Float[Tensor, "batch n"],
    allowed: Bool[Tensor, "batch n"],
    longest: int = 30,
) -> tuple[Int[Tensor, "batch"], Int[Tensor, "batch"]]:
    n = start.shape[1]
    gap = torch.arange(n)[None, :] - torch.arange(n)[:, None]
    ok = allowed[:, :, None] & allowed[:, None, :] & (gap >= 0) & (gap < longest)
    scores = (start[:, :, None] + end[:, None, :]) / (gap + 1).clamp(min=1)
    best = scores.masked_fill(~ok, -math.inf).flatten(1).argmax(-1)
    return best // n, best % n


# %% 11.3 right | a table of all pairs
@exercise("11.3")
def best_span(
    start: Float[Tensor, "batch n"],
    end: Float[Tensor, "batch n"],
    allowed: Bool[Tensor, "batch n"],
    longest: int = 30,
) -> tuple[Int[Tensor, "batch"], Int[Tensor, "batch"]]:
    n = start.shape[1]
    gap = torch.arange(n)[None, :] - torch.arange(n)[:, None]
    ok = allowed[:, :, None] & allowed[:, None, :] & (gap >= 0) & (gap < longest)
    scores = (start[:, :, None] + end[:, None, :]).masked_fill(~ok, -math.inf)
    best = scores.flatten(1).argmax(-1)
    return best // n, best % n


# %% 11.3 right | loops over starts and ends
@exercise("11.3")
def best_span(
    start: Float[Tensor, "batch n"],
    end: Float[Tensor, "batch n"],
    allowed: Bool[Tensor, "batch n"],
    longest: int = 30,
) -> tuple[Int[Tensor, "batch"], Int[Tensor, "batch"]]:
    firsts, lasts = [], []
    for s, e, a in zip(start.tolist(), end.tolist(), allowed.tolist()):
        best, first, last = -math.inf, 0, 0
        for i in range(len(s)):
            for j in range(i, min(len(s), i + longest)):
                if a[i] and a[j] and s[i] + e[j] > best:
                    best, first, last = s[i] + e[j], i, j
        firsts.append(first)
        lasts.append(last)
    return torch.tensor(firsts), torch.tensor(lasts)


# %% 11.3 right | triu and tril
@exercise("11.3")
def best_span(
    start: Float[Tensor, "batch n"],
    end: Float[Tensor, "batch n"],
    allowed: Bool[Tensor, "batch n"],
    longest: int = 30,
) -> tuple[Int[Tensor, "batch"], Int[Tensor, "batch"]]:
    n = start.size(-1)
    table = torch.where(allowed, start, -torch.inf).unsqueeze(2) + torch.where(
        allowed, end, -torch.inf
    ).unsqueeze(1)
    inside = torch.ones(n, n, dtype=torch.bool).triu().tril(longest - 1)
    best = table.masked_fill(~inside, -torch.inf).reshape(-1, n * n).max(dim=1).indices
    return torch.div(best, n, rounding_mode="floor"), best.remainder(n)


# %% 11.4 wrong | nothing is normalised: case, punctuation and articles count
from collections.abc import Sequence


@exercise("11.4")
def answer_f1(given: str, answers: Sequence[str]) -> float:
    from collections import Counter

    best = 0.0
    for answer in answers:
        a, b = given.split(), answer.split()
        common = sum((Counter(a) & Counter(b)).values())
        if common:
            best = max(best, 2 * common / (len(a) + len(b)))
    return best


# %% 11.4 wrong | only lower case; punctuation and articles stay
from collections.abc import Sequence


@exercise("11.4")
def answer_f1(given: str, answers: Sequence[str]) -> float:
    from collections import Counter

    best = 0.0
    for answer in answers:
        a, b = given.lower().split(), answer.lower().split()
        common = sum((Counter(a) & Counter(b)).values())
        if common:
            best = max(best, 2 * common / (len(a) + len(b)))
    return best


# %% 11.4 wrong | only the answer given is normalised and not those that it is compared with
from collections.abc import Sequence


@exercise("11.4")
def answer_f1(given: str, answers: Sequence[str]) -> float:
    from collections import Counter
    from course.studies.metrics import normalise_answer

    best = 0.0
    for answer in answers:
        a, b = normalise_answer(given).split(), answer.split()
        common = sum((Counter(a) & Counter(b)).values())
        if common:
            best = max(best, 2 * common / (len(a) + len(b)))
    return best


# %% 11.4 wrong | sets of words: repetition does not count
from collections.abc import Sequence


@exercise("11.4")
def answer_f1(given: str, answers: Sequence[str]) -> float:
    from course.studies.metrics import normalise_answer

    best = 0.0
    for answer in answers:
        a, b = set(normalise_answer(given).split()), set(normalise_answer(answer).split())
        if a & b:
            best = max(best, 2 * len(a & b) / (len(a) + len(b)))
    return best


# %% 11.4 wrong | a word counts as often as it is given, however often the answer has it
from collections.abc import Sequence


@exercise("11.4")
def answer_f1(given: str, answers: Sequence[str]) -> float:
    from course.studies.metrics import normalise_answer

    best = 0.0
    for answer in answers:
        a, b = normalise_answer(given).split(), normalise_answer(answer).split()
        common = sum(word in b for word in a)
        if common:
            best = max(best, 2 * common / (len(a) + len(b)))
    return best


# %% 11.4 wrong | precision alone: the share of the given words that are right
from collections.abc import Sequence


@exercise("11.4")
def answer_f1(given: str, answers: Sequence[str]) -> float:
    from collections import Counter
    from course.studies.metrics import normalise_answer

    def words(text):
        return normalise_answer(text).split()

    best = 0.0
    for answer in answers:
        a, b = words(given), words(answer)
        common = sum((Counter(a) & Counter(b)).values())
        if common:
            best = max(best, common / len(a))
    return best


# %% 11.4 wrong | recall alone: the share of the answer's words that were given
from collections.abc import Sequence


@exercise("11.4")
def answer_f1(given: str, answers: Sequence[str]) -> float:
    from collections import Counter
    from course.studies.metrics import normalise_answer

    def words(text):
        return normalise_answer(text).split()

    best = 0.0
    for answer in answers:
        a, b = words(given), words(answer)
        common = sum((Counter(a) & Counter(b)).values())
        if common:
            best = max(best, common / len(b))
    return best


# %% 11.4 wrong | the mean over the answers and not the one that suits best
from collections.abc import Sequence


@exercise("11.4")
def answer_f1(given: str, answers: Sequence[str]) -> float:
    from collections import Counter
    from course.studies.metrics import normalise_answer

    def words(text):
        return normalise_answer(text).split()

    scores = []
    for answer in answers:
        a, b = words(given), words(answer)
        common = sum((Counter(a) & Counter(b)).values())
        scores.append(2 * common / (len(a) + len(b)) if common else 0.0)
    return sum(scores) / len(scores)


# %% 11.4 wrong | only the first of the answers is looked at
from collections.abc import Sequence


@exercise("11.4")
def answer_f1(given: str, answers: Sequence[str]) -> float:
    from collections import Counter
    from course.studies.metrics import normalise_answer

    def words(text):
        return normalise_answer(text).split()

    a, b = words(given), words(answers[0])
    common = sum((Counter(a) & Counter(b)).values())
    return 2 * common / (len(a) + len(b)) if common else 0.0


# %% 11.4 wrong | the worst answer and not the best
from collections.abc import Sequence


@exercise("11.4")
def answer_f1(given: str, answers: Sequence[str]) -> float:
    from collections import Counter
    from course.studies.metrics import normalise_answer

    def words(text):
        return normalise_answer(text).split()

    scores = []
    for answer in answers:
        a, b = words(given), words(answer)
        common = sum((Counter(a) & Counter(b)).values())
        scores.append(2 * common / (len(a) + len(b)) if common else 0.0)
    return min(scores)


# %% 11.4 wrong | exact match: 1 or 0
from collections.abc import Sequence


@exercise("11.4")
def answer_f1(given: str, answers: Sequence[str]) -> float:
    from course.studies.metrics import normalise_answer

    return float(any(normalise_answer(given) == normalise_answer(answer) for answer in answers))


# %% 11.4 wrong | characters in common and not words
from collections.abc import Sequence


@exercise("11.4")
def answer_f1(given: str, answers: Sequence[str]) -> float:
    from collections import Counter
    from course.studies.metrics import normalise_answer

    best = 0.0
    for answer in answers:
        a, b = normalise_answer(given), normalise_answer(answer)
        common = sum((Counter(a) & Counter(b)).values())
        if common:
            best = max(best, 2 * common / (len(a) + len(b)))
    return best


# %% 11.4 wrong | the 2 is forgotten: p·r/(p + r), at most one half
from collections.abc import Sequence


@exercise("11.4")
def answer_f1(given: str, answers: Sequence[str]) -> float:
    from collections import Counter
    from course.studies.metrics import normalise_answer

    def words(text):
        return normalise_answer(text).split()

    best = 0.0
    for answer in answers:
        a, b = words(given), words(answer)
        common = sum((Counter(a) & Counter(b)).values())
        if common:
            p, r = common / len(a), common / len(b)
            best = max(best, p * r / (p + r))
    return best


# %% 11.4 wrong | the arithmetic mean of precision and recall and not the harmonic one
from collections.abc import Sequence


@exercise("11.4")
def answer_f1(given: str, answers: Sequence[str]) -> float:
    from collections import Counter
    from course.studies.metrics import normalise_answer

    def words(text):
        return normalise_answer(text).split()

    best = 0.0
    for answer in answers:
        a, b = words(given), words(answer)
        common = sum((Counter(a) & Counter(b)).values())
        if common:
            best = max(best, (common / len(a) + common / len(b)) / 2)
    return best


# %% 11.4 wrong | nothing in common is a division by zero
from collections.abc import Sequence


@exercise("11.4")
def answer_f1(given: str, answers: Sequence[str]) -> float:
    from collections import Counter
    from course.studies.metrics import normalise_answer

    def words(text):
        return normalise_answer(text).split()

    scores = []
    for answer in answers:
        a, b = words(given), words(answer)
        common = sum((Counter(a) & Counter(b)).values())
        p, r = common / max(len(a), 1), common / max(len(b), 1)
        scores.append(2 * p * r / (p + r))
    return max(scores)


# %% 11.4 wrong | common words over all words (Jaccard) and not F1
from collections.abc import Sequence


@exercise("11.4")
def answer_f1(given: str, answers: Sequence[str]) -> float:
    from collections import Counter
    from course.studies.metrics import normalise_answer

    def words(text):
        return normalise_answer(text).split()

    best = 0.0
    for answer in answers:
        a, b = Counter(words(given)), Counter(words(answer))
        if a | b:
            best = max(best, sum((a & b).values()) / sum((a | b).values()))
    return best


# %% 11.4 wrong | the words of all answers are thrown together and compared as one
from collections.abc import Sequence


@exercise("11.4")
def answer_f1(given: str, answers: Sequence[str]) -> float:
    from collections import Counter
    from course.studies.metrics import normalise_answer

    def words(text):
        return normalise_answer(text).split()

    a, b = words(given), words(" ".join(answers))
    common = sum((Counter(a) & Counter(b)).values())
    return 2 * common / (len(a) + len(b)) if common else 0.0


# %% 11.4 wrong | of several answers the best precision and the best recall are joined, though from different ones
from collections.abc import Sequence


@exercise("11.4")
def answer_f1(given: str, answers: Sequence[str]) -> float:
    from collections import Counter
    from course.studies.metrics import normalise_answer

    def words(text):
        return normalise_answer(text).split()

    p = r = 0.0
    for answer in answers:
        a, b = words(given), words(answer)
        common = sum((Counter(a) & Counter(b)).values())
        if common:
            p, r = max(p, common / len(a)), max(r, common / len(b))
    return 2 * p * r / (p + r) if p + r else 0.0


# %% 11.4 wrong | in per cent, from 0 to 100
from collections.abc import Sequence


@exercise("11.4")
def answer_f1(given: str, answers: Sequence[str]) -> float:
    from collections import Counter
    from course.studies.metrics import normalise_answer

    def words(text):
        return normalise_answer(text).split()

    best = 0.0
    for answer in answers:
        a, b = words(given), words(answer)
        common = sum((Counter(a) & Counter(b)).values())
        if common:
            best = max(best, 200 * common / (len(a) + len(b)))
    return best


# %% 11.4 wrong | the words must stand at the same place: zip in place of counting
from collections.abc import Sequence


@exercise("11.4")
def answer_f1(given: str, answers: Sequence[str]) -> float:
    from collections import Counter
    from course.studies.metrics import normalise_answer

    def words(text):
        return normalise_answer(text).split()

    best = 0.0
    for answer in answers:
        a, b = words(given), words(answer)
        common = sum(x == y for x, y in zip(a, b))
        if common:
            best = max(best, 2 * common / (len(a) + len(b)))
    return best


# %% 11.4 right | precision and recall
from collections.abc import Sequence


@exercise("11.4")
def answer_f1(given: str, answers: Sequence[str]) -> float:
    from collections import Counter
    from course.studies.metrics import normalise_answer

    def words(text):
        return normalise_answer(text).split()

    def f1(answer):
        a, b = words(given), words(answer)
        common = sum((Counter(a) & Counter(b)).values())
        if common == 0:
            return 0.0
        precision, recall = common / len(a), common / len(b)
        return 2 * precision * recall / (precision + recall)

    return max(f1(answer) for answer in answers)


# %% 11.4 right | twice the common words over all
from collections.abc import Sequence


@exercise("11.4")
def answer_f1(given: str, answers: Sequence[str]) -> float:
    from collections import Counter
    from course.studies.metrics import normalise_answer

    def words(text):
        return normalise_answer(text).split()

    best = 0.0
    mine = Counter(words(given))
    for answer in answers:
        theirs = Counter(words(answer))
        common = (mine & theirs).total()
        if common > 0:
            best = max(best, 2 * common / (mine.total() + theirs.total()))
    return best


# %% 11.4 right | crossing words off a list
from collections.abc import Sequence


@exercise("11.4")
def answer_f1(given: str, answers: Sequence[str]) -> float:
    from course.studies.metrics import normalise_answer

    best = 0.0
    mine = normalise_answer(given).split()
    for answer in answers:
        left = normalise_answer(answer).split()
        total, found = len(mine) + len(left), 0
        for word in mine:
            if word in left:
                left.remove(word)
                found += 1
        if found and 2 * found / total > best:
            best = 2 * found / total
    return float(best)


# %% 11.5 wrong | every piece of a word gets its label and not the first alone
from collections.abc import Sequence


@exercise("11.5")
def first_piece_labels(words: Sequence[int], labels: Sequence[int]) -> list[int]:
    return [labels[word] if word >= 0 else -100 for word in words]


# %% 11.5 wrong | the last piece of a word is labelled and not the first
from collections.abc import Sequence


@exercise("11.5")
def first_piece_labels(words: Sequence[int], labels: Sequence[int]) -> list[int]:
    out = []
    for i, word in enumerate(words):
        last = i + 1 == len(words) or words[i + 1] != word
        out.append(labels[word] if word >= 0 and last else -100)
    return out


# %% 11.5 wrong | special tokens get the label of the last word: -1 is used as an index
from collections.abc import Sequence


@exercise("11.5")
def first_piece_labels(words: Sequence[int], labels: Sequence[int]) -> list[int]:
    out, before = [], None
    for word in words:
        out.append(labels[word] if word != before else -100)
        before = word
    return out


# %% 11.5 wrong | special tokens get 0, the number of a real label, and not -100
from collections.abc import Sequence


@exercise("11.5")
def first_piece_labels(words: Sequence[int], labels: Sequence[int]) -> list[int]:
    out, before = [], None
    for word in words:
        out.append(0 if word < 0 else labels[word] if word != before else -100)
        before = word
    return out


# %% 11.5 wrong | the other pieces get 0, the number of a real label, and not -100
from collections.abc import Sequence


@exercise("11.5")
def first_piece_labels(words: Sequence[int], labels: Sequence[int]) -> list[int]:
    out, before = [], None
    for word in words:
        out.append(-100 if word < 0 else labels[word] if word != before else 0)
        before = word
    return out


# %% 11.5 wrong | word 0 is taken for no word ("if word"): the first word is never labelled
from collections.abc import Sequence


@exercise("11.5")
def first_piece_labels(words: Sequence[int], labels: Sequence[int]) -> list[int]:
    out, before = [], None
    for word in words:
        out.append(labels[word] if word and word > 0 and word != before else -100)
        before = word
    return out


# %% 11.5 wrong | off by one: each word gets the label of the word before it
from collections.abc import Sequence


@exercise("11.5")
def first_piece_labels(words: Sequence[int], labels: Sequence[int]) -> list[int]:
    out, before = [], None
    for word in words:
        out.append(labels[word - 1] if word >= 0 and word != before else -100)
        before = word
    return out


# %% 11.5 wrong | labels are counted by pieces and not by words
from collections.abc import Sequence


@exercise("11.5")
def first_piece_labels(words: Sequence[int], labels: Sequence[int]) -> list[int]:
    out, before = [], None
    for i, word in enumerate(words):
        out.append(labels[min(i, len(labels) - 1)] if word >= 0 and word != before else -100)
        before = word
    return out


# %% 11.5 wrong | special tokens are left out, so the list is shorter than the pieces
from collections.abc import Sequence


@exercise("11.5")
def first_piece_labels(words: Sequence[int], labels: Sequence[int]) -> list[int]:
    out, before = [], None
    for word in words:
        if word >= 0:
            out.append(labels[word] if word != before else -100)
        before = word
    return out


# %% 11.5 wrong | the other pieces are left out: one label a word
from collections.abc import Sequence


@exercise("11.5")
def first_piece_labels(words: Sequence[int], labels: Sequence[int]) -> list[int]:
    out, before = [], None
    for word in words:
        if word < 0:
            out.append(-100)
        elif word != before:
            out.append(labels[word])
        before = word
    return out


# %% 11.5 wrong | a tensor and no list
from collections.abc import Sequence


@exercise("11.5")
def first_piece_labels(words: Sequence[int], labels: Sequence[int]) -> list[int]:
    out, before = [], None
    for word in words:
        out.append(labels[word] if word >= 0 and word != before else -100)
        before = word
    return torch.tensor(out)


# %% 11.5 wrong | None in place of -100
from collections.abc import Sequence


@exercise("11.5")
def first_piece_labels(words: Sequence[int], labels: Sequence[int]) -> list[int]:
    out, before = [], None
    for word in words:
        out.append(labels[word] if word >= 0 and word != before else None)
        before = word
    return out


# %% 11.5 wrong | -1 in place of -100
from collections.abc import Sequence


@exercise("11.5")
def first_piece_labels(words: Sequence[int], labels: Sequence[int]) -> list[int]:
    out, before = [], None
    for word in words:
        out.append(labels[word] if word >= 0 and word != before else -1)
        before = word
    return out


# %% 11.5 wrong | takes the labels off the caller's list one after the other
from collections.abc import Sequence


@exercise("11.5")
def first_piece_labels(words: Sequence[int], labels: Sequence[int]) -> list[int]:
    out, before = [], None
    for word in words:
        if word >= 0 and word != before:
            out.append(labels.pop(0))
        else:
            out.append(-100)
        before = word
    return out


# %% 11.5 wrong | words of several pieces get no label at all
from collections.abc import Sequence


@exercise("11.5")
def first_piece_labels(words: Sequence[int], labels: Sequence[int]) -> list[int]:
    words = list(words)
    return [labels[word] if word >= 0 and words.count(word) == 1 else -100 for word in words]


# %% 11.5 wrong | a label only behind a special token: the first word alone is labelled
from collections.abc import Sequence


@exercise("11.5")
def first_piece_labels(words: Sequence[int], labels: Sequence[int]) -> list[int]:
    out, before = [], None
    for word in words:
        out.append(labels[word] if word >= 0 and before == -1 else -100)
        before = word
    return out


# %% 11.5 wrong | the piece behind the first one is labelled: the comparison is with the piece before, shifted by one
from collections.abc import Sequence


@exercise("11.5")
def first_piece_labels(words: Sequence[int], labels: Sequence[int]) -> list[int]:
    out = [-100]
    for i in range(1, len(words)):
        first = words[i - 1] >= 0 and (i < 2 or words[i - 2] != words[i - 1])
        out.append(labels[words[i - 1]] if first else -100)
    return out


# %% 11.5 wrong | the number of the word and not its label
from collections.abc import Sequence


@exercise("11.5")
def first_piece_labels(words: Sequence[int], labels: Sequence[int]) -> list[int]:
    out, before = [], None
    for word in words:
        out.append(word if word >= 0 and word != before else -100)
        before = word
    return out


# %% 11.5 wrong | a tuple and no list
from collections.abc import Sequence


@exercise("11.5")
def first_piece_labels(words: Sequence[int], labels: Sequence[int]) -> list[int]:
    out, before = [], None
    for word in words:
        out.append(labels[word] if word >= 0 and word != before else -100)
        before = word
    return tuple(out)


# %% 11.5 right | compared with the piece before
from collections.abc import Sequence


@exercise("11.5")
def first_piece_labels(words: Sequence[int], labels: Sequence[int]) -> list[int]:
    out, before = [], -1
    for word in words:
        out.append(labels[word] if word >= 0 and word != before else -100)
        before = word
    return out


# %% 11.5 right | a set of the words that have been seen
from collections.abc import Sequence


@exercise("11.5")
def first_piece_labels(words: Sequence[int], labels: Sequence[int]) -> list[int]:
    seen, out = {-1}, []
    for word in words:
        out.append(-100 if word in seen else labels[word])
        seen.add(word)
    return out


# %% 11.5 right | filled from behind, so that the first piece wins
from collections.abc import Sequence


@exercise("11.5")
def first_piece_labels(words: Sequence[int], labels: Sequence[int]) -> list[int]:
    first = {}
    for i in range(len(words) - 1, -1, -1):
        first[words[i]] = i
    out = [-100] * len(words)
    for word, i in first.items():
        if word >= 0:
            out[i] = labels[word]
    return out


# %% 11.6 wrong | scores words and not names: a name half found counts half
from collections.abc import Sequence
from course.studies.metrics import Score


@exercise("11.6")
def entity_scores(right: Sequence[Sequence[str]], given: Sequence[Sequence[str]]) -> Score:
    from course.studies.metrics import entities

    if len(right) == 0 or len(right) != len(given):
        raise ValueError("no sentences, or not as many")
    if any(len(x) != len(y) for x, y in zip(right, given)):
        raise ValueError("not as many tags as words")
    pairs = [(a, b) for x, y in zip(right, given) for a, b in zip(x, y)]
    hits = sum(a == b != "O" for a, b in pairs)
    there = sum(a != "O" for a, _ in pairs)
    found = sum(b != "O" for _, b in pairs)
    p = hits / found if found else 0.0
    r = hits / there if there else 0.0
    return Score(p, r, 2 * p * r / (p + r) if p + r else 0.0)


# %% 11.6 wrong | precision and recall are swapped
from collections.abc import Sequence
from course.studies.metrics import Score


@exercise("11.6")
def entity_scores(right: Sequence[Sequence[str]], given: Sequence[Sequence[str]]) -> Score:
    from course.studies.metrics import entities

    if len(right) == 0 or len(right) != len(given):
        raise ValueError("no sentences, or not as many")
    if any(len(x) != len(y) for x, y in zip(right, given)):
        raise ValueError("not as many tags as words")
    a = {(i, e) for i, tags in enumerate(right) for e in entities(tags)}
    b = {(i, e) for i, tags in enumerate(given) for e in entities(tags)}
    hits, there, found = len(a & b), len(b), len(a)
    p = hits / found if found else 0.0
    r = hits / there if there else 0.0
    return Score(p, r, 2 * p * r / (p + r) if p + r else 0.0)


# %% 11.6 wrong | the kind of a name is not compared
from collections.abc import Sequence
from course.studies.metrics import Score


@exercise("11.6")
def entity_scores(right: Sequence[Sequence[str]], given: Sequence[Sequence[str]]) -> Score:
    from course.studies.metrics import entities

    if len(right) == 0 or len(right) != len(given):
        raise ValueError("no sentences, or not as many")
    if any(len(x) != len(y) for x, y in zip(right, given)):
        raise ValueError("not as many tags as words")
    a = {(i, e.first, e.last) for i, tags in enumerate(right) for e in entities(tags)}
    b = {(i, e.first, e.last) for i, tags in enumerate(given) for e in entities(tags)}
    hits, there, found = len(a & b), len(a), len(b)
    p = hits / found if found else 0.0
    r = hits / there if there else 0.0
    return Score(p, r, 2 * p * r / (p + r) if p + r else 0.0)


# %% 11.6 wrong | only the first word and the kind are compared and not the last word
from collections.abc import Sequence
from course.studies.metrics import Score


@exercise("11.6")
def entity_scores(right: Sequence[Sequence[str]], given: Sequence[Sequence[str]]) -> Score:
    from course.studies.metrics import entities

    if len(right) == 0 or len(right) != len(given):
        raise ValueError("no sentences, or not as many")
    if any(len(x) != len(y) for x, y in zip(right, given)):
        raise ValueError("not as many tags as words")
    a = {(i, e.kind, e.first) for i, tags in enumerate(right) for e in entities(tags)}
    b = {(i, e.kind, e.first) for i, tags in enumerate(given) for e in entities(tags)}
    hits, there, found = len(a & b), len(a), len(b)
    p = hits / found if found else 0.0
    r = hits / there if there else 0.0
    return Score(p, r, 2 * p * r / (p + r) if p + r else 0.0)


# %% 11.6 wrong | only the last word and the kind are compared and not the first word
from collections.abc import Sequence
from course.studies.metrics import Score


@exercise("11.6")
def entity_scores(right: Sequence[Sequence[str]], given: Sequence[Sequence[str]]) -> Score:
    from course.studies.metrics import entities

    if len(right) == 0 or len(right) != len(given):
        raise ValueError("no sentences, or not as many")
    if any(len(x) != len(y) for x, y in zip(right, given)):
        raise ValueError("not as many tags as words")
    a = {(i, e.kind, e.last) for i, tags in enumerate(right) for e in entities(tags)}
    b = {(i, e.kind, e.last) for i, tags in enumerate(given) for e in entities(tags)}
    hits, there, found = len(a & b), len(a), len(b)
    p = hits / found if found else 0.0
    r = hits / there if there else 0.0
    return Score(p, r, 2 * p * r / (p + r) if p + r else 0.0)


# %% 11.6 wrong | an overlap of the right kind is enough
from collections.abc import Sequence
from course.studies.metrics import Score


@exercise("11.6")
def entity_scores(right: Sequence[Sequence[str]], given: Sequence[Sequence[str]]) -> Score:
    from course.studies.metrics import entities

    if len(right) == 0 or len(right) != len(given):
        raise ValueError("no sentences, or not as many")
    if any(len(x) != len(y) for x, y in zip(right, given)):
        raise ValueError("not as many tags as words")
    hits = there = found = 0
    for x, y in zip(right, given):
        a, b = entities(x), entities(y)
        there, found = there + len(a), found + len(b)
        hits += sum(any(e.kind == o.kind and e.first <= o.last and o.first <= e.last for o in a) for e in b)
    p = hits / found if found else 0.0
    r = hits / there if there else 0.0
    return Score(p, r, 2 * p * r / (p + r) if p + r else 0.0)


# %% 11.6 wrong | the mean of the sentences' scores and not one score over all names
from collections.abc import Sequence
from course.studies.metrics import Score


@exercise("11.6")
def entity_scores(right: Sequence[Sequence[str]], given: Sequence[Sequence[str]]) -> Score:
    from course.studies.metrics import entities

    if len(right) == 0 or len(right) != len(given):
        raise ValueError("no sentences, or not as many")
    if any(len(x) != len(y) for x, y in zip(right, given)):
        raise ValueError("not as many tags as words")
    scores = []
    for x, y in zip(right, given):
        a, b = set(entities(x)), set(entities(y))
        p = len(a & b) / len(b) if b else 0.0
        r = len(a & b) / len(a) if a else 0.0
        scores.append((p, r, 2 * p * r / (p + r) if p + r else 0.0))
    return Score(*(sum(column) / len(scores) for column in zip(*scores)))


# %% 11.6 wrong | the mean of the kinds' scores (macro) and not one score over all names
from collections.abc import Sequence
from course.studies.metrics import Score


@exercise("11.6")
def entity_scores(right: Sequence[Sequence[str]], given: Sequence[Sequence[str]]) -> Score:
    from course.studies.metrics import entities

    if len(right) == 0 or len(right) != len(given):
        raise ValueError("no sentences, or not as many")
    if any(len(x) != len(y) for x, y in zip(right, given)):
        raise ValueError("not as many tags as words")
    a = {(i, e) for i, tags in enumerate(right) for e in entities(tags)}
    b = {(i, e) for i, tags in enumerate(given) for e in entities(tags)}
    scores = []
    for kind in {e.kind for _, e in a | b}:
        x, y = {m for m in a if m[1].kind == kind}, {m for m in b if m[1].kind == kind}
        p = len(x & y) / len(y) if y else 0.0
        r = len(x & y) / len(x) if x else 0.0
        scores.append((p, r, 2 * p * r / (p + r) if p + r else 0.0))
    return Score(*(sum(column) / len(scores) for column in zip(*scores))) if scores else Score(0.0, 0.0, 0.0)


# %% 11.6 wrong | names of different sentences are taken for the same where kind and places agree (one set without the sentence)
from collections.abc import Sequence
from course.studies.metrics import Score


@exercise("11.6")
def entity_scores(right: Sequence[Sequence[str]], given: Sequence[Sequence[str]]) -> Score:
    from course.studies.metrics import entities

    if len(right) == 0 or len(right) != len(given):
        raise ValueError("no sentences, or not as many")
    if any(len(x) != len(y) for x, y in zip(right, given)):
        raise ValueError("not as many tags as words")
    a = {e for tags in right for e in entities(tags)}
    b = {e for tags in given for e in entities(tags)}
    hits, there, found = len(a & b), len(a), len(b)
    p = hits / found if found else 0.0
    r = hits / there if there else 0.0
    return Score(p, r, 2 * p * r / (p + r) if p + r else 0.0)


# %% 11.6 wrong | all sentences are read as one: a name that ends one runs on into the next where that begins with an I
from collections.abc import Sequence
from course.studies.metrics import Score


@exercise("11.6")
def entity_scores(right: Sequence[Sequence[str]], given: Sequence[Sequence[str]]) -> Score:
    from course.studies.metrics import entities

    if len(right) == 0 or len(right) != len(given):
        raise ValueError("no sentences, or not as many")
    if any(len(x) != len(y) for x, y in zip(right, given)):
        raise ValueError("not as many tags as words")
    a = set(entities([tag for tags in right for tag in tags]))
    b = set(entities([tag for tags in given for tag in tags]))
    hits, there, found = len(a & b), len(a), len(b)
    p = hits / found if found else 0.0
    r = hits / there if there else 0.0
    return Score(p, r, 2 * p * r / (p + r) if p + r else 0.0)


# %% 11.6 wrong | division by zero where no names were given, or there are none
from collections.abc import Sequence
from course.studies.metrics import Score


@exercise("11.6")
def entity_scores(right: Sequence[Sequence[str]], given: Sequence[Sequence[str]]) -> Score:
    from course.studies.metrics import entities

    if len(right) == 0 or len(right) != len(given):
        raise ValueError("no sentences, or not as many")
    if any(len(x) != len(y) for x, y in zip(right, given)):
        raise ValueError("not as many tags as words")
    a = {(i, e) for i, tags in enumerate(right) for e in entities(tags)}
    b = {(i, e) for i, tags in enumerate(given) for e in entities(tags)}
    p, r = len(a & b) / len(b), len(a & b) / len(a)
    return Score(p, r, 2 * p * r / (p + r))


# %% 11.6 wrong | nothing found is 1 and not 0 where there is a division by zero
from collections.abc import Sequence
from course.studies.metrics import Score


@exercise("11.6")
def entity_scores(right: Sequence[Sequence[str]], given: Sequence[Sequence[str]]) -> Score:
    from course.studies.metrics import entities

    if len(right) == 0 or len(right) != len(given):
        raise ValueError("no sentences, or not as many")
    if any(len(x) != len(y) for x, y in zip(right, given)):
        raise ValueError("not as many tags as words")
    a = {(i, e) for i, tags in enumerate(right) for e in entities(tags)}
    b = {(i, e) for i, tags in enumerate(given) for e in entities(tags)}
    p = len(a & b) / len(b) if b else 1.0
    r = len(a & b) / len(a) if a else 1.0
    return Score(p, r, 2 * p * r / (p + r) if p + r else 0.0)


# %% 11.6 wrong | nothing is checked: tags of different number, or no sentences, raise no ValueError
from collections.abc import Sequence
from course.studies.metrics import Score


@exercise("11.6")
def entity_scores(right: Sequence[Sequence[str]], given: Sequence[Sequence[str]]) -> Score:
    from course.studies.metrics import entities

    a = {(i, e) for i, tags in enumerate(right) for e in entities(tags)}
    b = {(i, e) for i, tags in enumerate(given) for e in entities(tags)}
    hits, there, found = len(a & b), len(a), len(b)
    p = hits / found if found else 0.0
    r = hits / there if there else 0.0
    return Score(p, r, 2 * p * r / (p + r) if p + r else 0.0)


# %% 11.6 wrong | the number of sentences is checked and not the number of tags in each
from collections.abc import Sequence
from course.studies.metrics import Score


@exercise("11.6")
def entity_scores(right: Sequence[Sequence[str]], given: Sequence[Sequence[str]]) -> Score:
    from course.studies.metrics import entities

    if len(right) == 0 or len(right) != len(given):
        raise ValueError("not as many sentences")
    a = {(i, e) for i, tags in enumerate(right) for e in entities(tags)}
    b = {(i, e) for i, tags in enumerate(given) for e in entities(tags)}
    hits, there, found = len(a & b), len(a), len(b)
    p = hits / found if found else 0.0
    r = hits / there if there else 0.0
    return Score(p, r, 2 * p * r / (p + r) if p + r else 0.0)


# %% 11.6 wrong | F1 is the arithmetic mean of precision and recall
from collections.abc import Sequence
from course.studies.metrics import Score


@exercise("11.6")
def entity_scores(right: Sequence[Sequence[str]], given: Sequence[Sequence[str]]) -> Score:
    from course.studies.metrics import entities

    if len(right) == 0 or len(right) != len(given):
        raise ValueError("no sentences, or not as many")
    if any(len(x) != len(y) for x, y in zip(right, given)):
        raise ValueError("not as many tags as words")
    a = {(i, e) for i, tags in enumerate(right) for e in entities(tags)}
    b = {(i, e) for i, tags in enumerate(given) for e in entities(tags)}
    p = len(a & b) / len(b) if b else 0.0
    r = len(a & b) / len(a) if a else 0.0
    return Score(p, r, (p + r) / 2)


# %% 11.6 wrong | F1 without the 2
from collections.abc import Sequence
from course.studies.metrics import Score


@exercise("11.6")
def entity_scores(right: Sequence[Sequence[str]], given: Sequence[Sequence[str]]) -> Score:
    from course.studies.metrics import entities

    if len(right) == 0 or len(right) != len(given):
        raise ValueError("no sentences, or not as many")
    if any(len(x) != len(y) for x, y in zip(right, given)):
        raise ValueError("not as many tags as words")
    a = {(i, e) for i, tags in enumerate(right) for e in entities(tags)}
    b = {(i, e) for i, tags in enumerate(given) for e in entities(tags)}
    p = len(a & b) / len(b) if b else 0.0
    r = len(a & b) / len(a) if a else 0.0
    return Score(p, r, p * r / (p + r) if p + r else 0.0)


# %% 11.6 wrong | in per cent
from collections.abc import Sequence
from course.studies.metrics import Score


@exercise("11.6")
def entity_scores(right: Sequence[Sequence[str]], given: Sequence[Sequence[str]]) -> Score:
    from course.studies.metrics import entities

    if len(right) == 0 or len(right) != len(given):
        raise ValueError("no sentences, or not as many")
    if any(len(x) != len(y) for x, y in zip(right, given)):
        raise ValueError("not as many tags as words")
    a = {(i, e) for i, tags in enumerate(right) for e in entities(tags)}
    b = {(i, e) for i, tags in enumerate(given) for e in entities(tags)}
    p = 100 * len(a & b) / len(b) if b else 0.0
    r = 100 * len(a & b) / len(a) if a else 0.0
    return Score(p, r, 2 * p * r / (p + r) if p + r else 0.0)


# %% 11.6 wrong | a plain tuple and no Score
from collections.abc import Sequence
from course.studies.metrics import Score


@exercise("11.6")
def entity_scores(right: Sequence[Sequence[str]], given: Sequence[Sequence[str]]) -> Score:
    from course.studies.metrics import entities

    if len(right) == 0 or len(right) != len(given):
        raise ValueError("no sentences, or not as many")
    if any(len(x) != len(y) for x, y in zip(right, given)):
        raise ValueError("not as many tags as words")
    a = {(i, e) for i, tags in enumerate(right) for e in entities(tags)}
    b = {(i, e) for i, tags in enumerate(given) for e in entities(tags)}
    p = len(a & b) / len(b) if b else 0.0
    r = len(a & b) / len(a) if a else 0.0
    return p, r, 2 * p * r / (p + r) if p + r else 0.0


# %% 11.6 wrong | a name is only what begins with a B: one that begins with an I is not seen
from collections.abc import Sequence
from course.studies.metrics import Score


@exercise("11.6")
def entity_scores(right: Sequence[Sequence[str]], given: Sequence[Sequence[str]]) -> Score:
    from course.studies.metrics import entities

    if len(right) == 0 or len(right) != len(given):
        raise ValueError("no sentences, or not as many")
    if any(len(x) != len(y) for x, y in zip(right, given)):
        raise ValueError("not as many tags as words")

    def read(tags):
        names, i = set(), 0
        while i < len(tags):
            j = i + 1
            if tags[i].startswith("B-"):
                while j < len(tags) and tags[j] == "I" + tags[i][1:]:
                    j += 1
                names.add((tags[i][2:], i, j - 1))
            i = j
        return names

    hits = there = found = 0
    for x, y in zip(right, given):
        a, b = read(x), read(y)
        hits, there, found = hits + len(a & b), there + len(a), found + len(b)
    p = hits / found if found else 0.0
    r = hits / there if there else 0.0
    return Score(p, r, 2 * p * r / (p + r) if p + r else 0.0)


# %% 11.6 wrong | the share of words with the right tag, O included, three times
from collections.abc import Sequence
from course.studies.metrics import Score


@exercise("11.6")
def entity_scores(right: Sequence[Sequence[str]], given: Sequence[Sequence[str]]) -> Score:
    from course.studies.metrics import entities

    if len(right) == 0 or len(right) != len(given):
        raise ValueError("no sentences, or not as many")
    if any(len(x) != len(y) for x, y in zip(right, given)):
        raise ValueError("not as many tags as words")
    pairs = [(a, b) for x, y in zip(right, given) for a, b in zip(x, y)]
    share = sum(a == b for a, b in pairs) / len(pairs)
    return Score(share, share, share)


# %% 11.6 right | sets with the number of the sentence
from collections.abc import Sequence
from course.studies.metrics import Score


@exercise("11.6")
def entity_scores(right: Sequence[Sequence[str]], given: Sequence[Sequence[str]]) -> Score:
    from course.studies.metrics import entities

    if len(right) == 0 or len(right) != len(given):
        raise ValueError("no sentences, or not as many")
    if any(len(x) != len(y) for x, y in zip(right, given)):
        raise ValueError("not as many tags as words")
    a = {(i, e) for i, tags in enumerate(right) for e in entities(tags)}
    b = {(i, e) for i, tags in enumerate(given) for e in entities(tags)}
    hits, there, found = len(a & b), len(a), len(b)
    p = hits / found if found else 0.0
    r = hits / there if there else 0.0
    return Score(p, r, 2 * p * r / (p + r) if p + r else 0.0)


# %% 11.6 right | counted sentence by sentence
from collections.abc import Sequence
from course.studies.metrics import Score


@exercise("11.6")
def entity_scores(right: Sequence[Sequence[str]], given: Sequence[Sequence[str]]) -> Score:
    from course.studies.metrics import entities

    if len(right) == 0 or len(right) != len(given):
        raise ValueError("no sentences, or not as many")
    if any(len(x) != len(y) for x, y in zip(right, given)):
        raise ValueError("not as many tags as words")
    hits = there = found = 0
    for x, y in zip(right, given, strict=True):
        a, b = entities(list(x)), entities(list(y))
        hits += sum(e in a for e in b)
        there += len(a)
        found += len(b)
    return Score(
        hits / found if found else 0.0,
        hits / there if there else 0.0,
        2 * hits / (there + found) if hits else 0.0,
    )


# %% 11.6 right | names read off by hand
from collections.abc import Sequence
from course.studies.metrics import Score


@exercise("11.6")
def entity_scores(right: Sequence[Sequence[str]], given: Sequence[Sequence[str]]) -> Score:
    from course.studies.metrics import entities

    if len(right) == 0 or len(right) != len(given):
        raise ValueError("no sentences, or not as many")
    if any(len(x) != len(y) for x, y in zip(right, given)):
        raise ValueError("not as many tags as words")

    def read(tags):
        names, open_ = [], None
        for i, tag in enumerate([*tags, "O"]):
            if open_ and not tag == "I-" + open_[0]:
                names.append((*open_, i - 1))
                open_ = None
            if tag != "O" and open_ is None:
                open_ = (tag[2:], i)
        return set(names)

    hits = there = found = 0
    for x, y in zip(right, given):
        a, b = read(x), read(y)
        hits, there, found = hits + len(a & b), there + len(a), found + len(b)
    p = hits / found if found else 0.0
    r = hits / there if there else 0.0
    return Score(p, r, 2 * p * r / (p + r) if p + r else 0.0)


# %% 11.7 wrong | a right guess counts as a replacement too: True wherever something was hidden
@exercise("11.7")
def replace_tokens(
    inputs: Int[Tensor, "batch n"], labels: Int[Tensor, "batch n"], guesses: Int[Tensor, "batch n"]
) -> tuple[Int[Tensor, "batch n"], Bool[Tensor, "batch n"]]:
    hidden = labels != -100
    return torch.where(hidden, guesses, inputs), hidden


# %% 11.7 wrong | compared with the inputs, where [MASK] stood, and not with the original: nearly every guess counts
@exercise("11.7")
def replace_tokens(
    inputs: Int[Tensor, "batch n"], labels: Int[Tensor, "batch n"], guesses: Int[Tensor, "batch n"]
) -> tuple[Int[Tensor, "batch n"], Bool[Tensor, "batch n"]]:
    hidden = labels != -100
    read = torch.where(hidden, guesses, inputs)
    return read, read != inputs


# %% 11.7 wrong | the guesses are put everywhere and not only where tokens were hidden
@exercise("11.7")
def replace_tokens(
    inputs: Int[Tensor, "batch n"], labels: Int[Tensor, "batch n"], guesses: Int[Tensor, "batch n"]
) -> tuple[Int[Tensor, "batch n"], Bool[Tensor, "batch n"]]:
    hidden = labels != -100
    return guesses.clone(), hidden & (guesses != labels)


# %% 11.7 wrong | compared with the labels everywhere: -100 differs from every token, so all that was not hidden is called replaced
@exercise("11.7")
def replace_tokens(
    inputs: Int[Tensor, "batch n"], labels: Int[Tensor, "batch n"], guesses: Int[Tensor, "batch n"]
) -> tuple[Int[Tensor, "batch n"], Bool[Tensor, "batch n"]]:
    hidden = labels != -100
    read = torch.where(hidden, guesses, inputs)
    return read, read != labels


# %% 11.7 wrong | guesses are written into the caller's inputs
@exercise("11.7")
def replace_tokens(
    inputs: Int[Tensor, "batch n"], labels: Int[Tensor, "batch n"], guesses: Int[Tensor, "batch n"]
) -> tuple[Int[Tensor, "batch n"], Bool[Tensor, "batch n"]]:
    hidden = labels != -100
    inputs[hidden] = guesses[hidden]
    return inputs, hidden & (guesses != labels)


# %% 11.7 wrong | upside down: True where the token is the original
@exercise("11.7")
def replace_tokens(
    inputs: Int[Tensor, "batch n"], labels: Int[Tensor, "batch n"], guesses: Int[Tensor, "batch n"]
) -> tuple[Int[Tensor, "batch n"], Bool[Tensor, "batch n"]]:
    hidden = labels != -100
    read = torch.where(hidden, guesses, inputs)
    return read, ~(hidden & (guesses != labels))


# %% 11.7 wrong | True where a guess is right and not where it is wrong
@exercise("11.7")
def replace_tokens(
    inputs: Int[Tensor, "batch n"], labels: Int[Tensor, "batch n"], guesses: Int[Tensor, "batch n"]
) -> tuple[Int[Tensor, "batch n"], Bool[Tensor, "batch n"]]:
    hidden = labels != -100
    return torch.where(hidden, guesses, inputs), hidden & (guesses == labels)


# %% 11.7 wrong | 0 and 1 in place of booleans
@exercise("11.7")
def replace_tokens(
    inputs: Int[Tensor, "batch n"], labels: Int[Tensor, "batch n"], guesses: Int[Tensor, "batch n"]
) -> tuple[Int[Tensor, "batch n"], Bool[Tensor, "batch n"]]:
    hidden = labels != -100
    return torch.where(hidden, guesses, inputs), (hidden & (guesses != labels)).long()


# %% 11.7 wrong | floats in place of booleans
@exercise("11.7")
def replace_tokens(
    inputs: Int[Tensor, "batch n"], labels: Int[Tensor, "batch n"], guesses: Int[Tensor, "batch n"]
) -> tuple[Int[Tensor, "batch n"], Bool[Tensor, "batch n"]]:
    hidden = labels != -100
    return torch.where(hidden, guesses, inputs), (hidden & (guesses != labels)).float()


# %% 11.7 wrong | the two are returned in the wrong order
@exercise("11.7")
def replace_tokens(
    inputs: Int[Tensor, "batch n"], labels: Int[Tensor, "batch n"], guesses: Int[Tensor, "batch n"]
) -> tuple[Int[Tensor, "batch n"], Bool[Tensor, "batch n"]]:
    hidden = labels != -100
    return hidden & (guesses != labels), torch.where(hidden, guesses, inputs)


# %% 11.7 wrong | the originals are put back in place of the guesses
@exercise("11.7")
def replace_tokens(
    inputs: Int[Tensor, "batch n"], labels: Int[Tensor, "batch n"], guesses: Int[Tensor, "batch n"]
) -> tuple[Int[Tensor, "batch n"], Bool[Tensor, "batch n"]]:
    hidden = labels != -100
    return torch.where(hidden, labels, inputs), hidden & (guesses != labels)


# %% 11.7 wrong | the guesses go to the places that were not hidden, and [MASK] stays
@exercise("11.7")
def replace_tokens(
    inputs: Int[Tensor, "batch n"], labels: Int[Tensor, "batch n"], guesses: Int[Tensor, "batch n"]
) -> tuple[Int[Tensor, "batch n"], Bool[Tensor, "batch n"]]:
    hidden = labels != -100
    return torch.where(hidden, inputs, guesses), hidden & (guesses != labels)


# %% 11.7 wrong | token 0 is never taken for hidden (labels > 0)
@exercise("11.7")
def replace_tokens(
    inputs: Int[Tensor, "batch n"], labels: Int[Tensor, "batch n"], guesses: Int[Tensor, "batch n"]
) -> tuple[Int[Tensor, "batch n"], Bool[Tensor, "batch n"]]:
    hidden = labels > 0
    return torch.where(hidden, guesses, inputs), hidden & (guesses != labels)


# %% 11.7 wrong | the discriminator reads the inputs, [MASK] included
@exercise("11.7")
def replace_tokens(
    inputs: Int[Tensor, "batch n"], labels: Int[Tensor, "batch n"], guesses: Int[Tensor, "batch n"]
) -> tuple[Int[Tensor, "batch n"], Bool[Tensor, "batch n"]]:
    hidden = labels != -100
    return inputs.clone(), hidden & (guesses != labels)


# %% 11.7 wrong | wrong guesses only are put in, and where the guess is right what was in the inputs, [MASK] say, stays
@exercise("11.7")
def replace_tokens(
    inputs: Int[Tensor, "batch n"], labels: Int[Tensor, "batch n"], guesses: Int[Tensor, "batch n"]
) -> tuple[Int[Tensor, "batch n"], Bool[Tensor, "batch n"]]:
    hidden = labels != -100
    replaced = hidden & (guesses != labels)
    return torch.where(replaced, guesses, inputs), replaced


# %% 11.7 wrong | where a chosen token stands unchanged in the inputs it is not given a guess
@exercise("11.7")
def replace_tokens(
    inputs: Int[Tensor, "batch n"], labels: Int[Tensor, "batch n"], guesses: Int[Tensor, "batch n"]
) -> tuple[Int[Tensor, "batch n"], Bool[Tensor, "batch n"]]:
    hidden = (labels != -100) & (inputs != labels)
    return torch.where(hidden, guesses, inputs), hidden & (guesses != labels)


# %% 11.7 wrong | the labels themselves come back as what is read: -100 at all other places
@exercise("11.7")
def replace_tokens(
    inputs: Int[Tensor, "batch n"], labels: Int[Tensor, "batch n"], guesses: Int[Tensor, "batch n"]
) -> tuple[Int[Tensor, "batch n"], Bool[Tensor, "batch n"]]:
    hidden = labels != -100
    return torch.where(hidden, guesses, labels), hidden & (guesses != labels)


# %% 11.7 wrong | only the places of the hidden tokens, in a row, and not the whole texts
@exercise("11.7")
def replace_tokens(
    inputs: Int[Tensor, "batch n"], labels: Int[Tensor, "batch n"], guesses: Int[Tensor, "batch n"]
) -> tuple[Int[Tensor, "batch n"], Bool[Tensor, "batch n"]]:
    hidden = labels != -100
    return guesses[hidden], guesses[hidden] != labels[hidden]


# %% 11.7 wrong | the first text decides for all which places were hidden
@exercise("11.7")
def replace_tokens(
    inputs: Int[Tensor, "batch n"], labels: Int[Tensor, "batch n"], guesses: Int[Tensor, "batch n"]
) -> tuple[Int[Tensor, "batch n"], Bool[Tensor, "batch n"]]:
    hidden = (labels[:1] != -100).expand_as(labels)
    return torch.where(hidden, guesses, inputs), hidden & (guesses != labels)


# %% 11.7 right | where, and a comparison where something was hidden
@exercise("11.7")
def replace_tokens(
    inputs: Int[Tensor, "batch n"], labels: Int[Tensor, "batch n"], guesses: Int[Tensor, "batch n"]
) -> tuple[Int[Tensor, "batch n"], Bool[Tensor, "batch n"]]:
    hidden = labels != -100
    return torch.where(hidden, guesses, inputs), hidden & (guesses != labels)


# %% 11.7 right | the original rebuilt, and compared
@exercise("11.7")
def replace_tokens(
    inputs: Int[Tensor, "batch n"], labels: Int[Tensor, "batch n"], guesses: Int[Tensor, "batch n"]
) -> tuple[Int[Tensor, "batch n"], Bool[Tensor, "batch n"]]:
    hidden = labels.ne(-100)
    original = torch.where(hidden, labels, inputs)
    read = inputs.clone()
    read[hidden] = guesses[hidden]
    return read, read.ne(original)


# %% 11.7 right | loops
@exercise("11.7")
def replace_tokens(
    inputs: Int[Tensor, "batch n"], labels: Int[Tensor, "batch n"], guesses: Int[Tensor, "batch n"]
) -> tuple[Int[Tensor, "batch n"], Bool[Tensor, "batch n"]]:
    read, replaced = [], []
    for i, l, g in zip(inputs.tolist(), labels.tolist(), guesses.tolist()):
        read.append([b if y != -100 else a for a, y, b in zip(i, l, g)])
        replaced.append([y != -100 and b != y for y, b in zip(l, g)])
    return torch.tensor(read), torch.tensor(replaced)


# %% 11.8 wrong | j - i in place of i - j: keys to the left get the rows below
@exercise("11.8")
def relative_distances(n: int, span: int) -> Int[Tensor, "query key"]:
    place = torch.arange(n)
    return (place[None, :] - place[:, None] + span).clamp(0, 2 * span - 1)


# %% 11.8 wrong | not clamped: far keys get rows that the table does not have
@exercise("11.8")
def relative_distances(n: int, span: int) -> Int[Tensor, "query key"]:
    place = torch.arange(n)
    return place[:, None] - place[None, :] + span


# %% 11.8 wrong | clamped to 2·span, one row more than there is
@exercise("11.8")
def relative_distances(n: int, span: int) -> Int[Tensor, "query key"]:
    place = torch.arange(n)
    return (place[:, None] - place[None, :] + span).clamp(0, 2 * span)


# %% 11.8 wrong | span is not added: distances from -span to span - 1, negative ones among them
@exercise("11.8")
def relative_distances(n: int, span: int) -> Int[Tensor, "query key"]:
    place = torch.arange(n)
    return (place[:, None] - place[None, :]).clamp(-span, span - 1)


# %% 11.8 wrong | the distance is clamped at span - 1 on both sides, so row 0 is never used
@exercise("11.8")
def relative_distances(n: int, span: int) -> Int[Tensor, "query key"]:
    place = torch.arange(n)
    return (place[:, None] - place[None, :]).clamp(1 - span, span - 1) + span


# %% 11.8 wrong | the distance without its sign: left and right are the same
@exercise("11.8")
def relative_distances(n: int, span: int) -> Int[Tensor, "query key"]:
    place = torch.arange(n)
    return ((place[:, None] - place[None, :]).abs() + span).clamp(0, 2 * span - 1)


# %% 11.8 wrong | far keys wrap around (modulo) in place of sharing the outermost row
@exercise("11.8")
def relative_distances(n: int, span: int) -> Int[Tensor, "query key"]:
    place = torch.arange(n)
    return (place[:, None] - place[None, :] + span) % (2 * span)


# %% 11.8 wrong | floats, which no table can be looked up with
@exercise("11.8")
def relative_distances(n: int, span: int) -> Int[Tensor, "query key"]:
    place = torch.arange(n, dtype=torch.float32)
    return (place[:, None] - place[None, :] + span).clamp(0, 2 * span - 1)


# %% 11.8 wrong | off by one: the token itself has row span - 1
@exercise("11.8")
def relative_distances(n: int, span: int) -> Int[Tensor, "query key"]:
    place = torch.arange(n)
    return (place[:, None] - place[None, :] + span - 1).clamp(0, 2 * span - 1)


# %% 11.8 wrong | clamped only above: keys far to the right get negative rows
@exercise("11.8")
def relative_distances(n: int, span: int) -> Int[Tensor, "query key"]:
    place = torch.arange(n)
    return (place[:, None] - place[None, :] + span).clamp(max=2 * span - 1)


# %% 11.8 wrong | clamped only below: keys far to the left get rows beyond the table
@exercise("11.8")
def relative_distances(n: int, span: int) -> Int[Tensor, "query key"]:
    place = torch.arange(n)
    return (place[:, None] - place[None, :] + span).clamp(min=0)


# %% 11.8 wrong | nested lists and no tensor
@exercise("11.8")
def relative_distances(n: int, span: int) -> Int[Tensor, "query key"]:
    return [[min(max(i - j + span, 0), 2 * span - 1) for j in range(n)] for i in range(n)]


# %% 11.8 wrong | n is ignored: always a table of 2·span by 2·span
@exercise("11.8")
def relative_distances(n: int, span: int) -> Int[Tensor, "query key"]:
    place = torch.arange(2 * span)
    return (place[:, None] - place[None, :] + span).clamp(0, 2 * span - 1)


# %% 11.8 wrong | an axis for the batch that nobody asked for
@exercise("11.8")
def relative_distances(n: int, span: int) -> Int[Tensor, "query key"]:
    place = torch.arange(n)
    return (place[:, None] - place[None, :] + span).clamp(0, 2 * span - 1)[None]


# %% 11.8 wrong | keys on the right all count as distance 0, as under a causal mask
@exercise("11.8")
def relative_distances(n: int, span: int) -> Int[Tensor, "query key"]:
    place = torch.arange(n)
    return ((place[:, None] - place[None, :]).clamp(min=0) + span).clamp(0, 2 * span - 1)


# %% 11.8 wrong | n is added in place of span
@exercise("11.8")
def relative_distances(n: int, span: int) -> Int[Tensor, "query key"]:
    place = torch.arange(n)
    return (place[:, None] - place[None, :] + n).clamp(0, 2 * span - 1)


# %% 11.8 wrong | the table is taken to have span rows: clamped to span - 1
@exercise("11.8")
def relative_distances(n: int, span: int) -> Int[Tensor, "query key"]:
    place = torch.arange(n)
    return (place[:, None] - place[None, :] + span // 2).clamp(0, span - 1)


# %% 11.8 wrong | positions begin at 1 for queries and 0 for keys: every distance one too great
@exercise("11.8")
def relative_distances(n: int, span: int) -> Int[Tensor, "query key"]:
    queries, keys = torch.arange(1, n + 1), torch.arange(n)
    return (queries[:, None] - keys[None, :] + span).clamp(0, 2 * span - 1)


# %% 11.8 right | differences of arange, clamped
@exercise("11.8")
def relative_distances(n: int, span: int) -> Int[Tensor, "query key"]:
    place = torch.arange(n)
    return (place[:, None] - place[None, :] + span).clamp(0, 2 * span - 1)


# %% 11.8 right | clamped before span is added
@exercise("11.8")
def relative_distances(n: int, span: int) -> Int[Tensor, "query key"]:
    i = torch.arange(n).view(n, 1)
    return torch.clamp(i - i.T, min=-span, max=span - 1) + span


# %% 11.8 right | loops
@exercise("11.8")
def relative_distances(n: int, span: int) -> Int[Tensor, "query key"]:
    return torch.tensor([[min(max(i - j + span, 0), 2 * span - 1) for j in range(n)] for i in range(n)])


# %% 11.8 right | np.subtract.outer
@exercise("11.8")
def relative_distances(n: int, span: int) -> Int[Tensor, "query key"]:
    import numpy as np

    return torch.from_numpy(np.clip(np.subtract.outer(np.arange(n), np.arange(n)) + span, 0, 2 * span - 1))


# %% 11.9 wrong | always divided by √(3·d_head), also where parts are missing
@exercise("11.9")
def disentangled_score(
    query: Float[Tensor, "*batch n d_head"],
    key: Float[Tensor, "*batch n d_head"],
    distances: Int[Tensor, "n n"],
    relative_key: Float[Tensor, "*#batch rows d_head"] | None = None,
    relative_query: Float[Tensor, "*#batch rows d_head"] | None = None,
) -> Float[Tensor, "*batch n n"]:
    score, parts = query @ key.mT, 1
    if relative_key is not None:
        at = relative_key[..., distances, :]
        score, parts = score + torch.einsum("...id,...ijd->...ij", query, at), parts + 1
    if relative_query is not None:
        at = relative_query[..., distances, :]
        score, parts = score + torch.einsum("...jd,...ijd->...ij", key, at), parts + 1
    return score / math.sqrt(3 * query.shape[-1])


# %% 11.9 wrong | divided by √d_head alone, without the number of parts
@exercise("11.9")
def disentangled_score(
    query: Float[Tensor, "*batch n d_head"],
    key: Float[Tensor, "*batch n d_head"],
    distances: Int[Tensor, "n n"],
    relative_key: Float[Tensor, "*#batch rows d_head"] | None = None,
    relative_query: Float[Tensor, "*#batch rows d_head"] | None = None,
) -> Float[Tensor, "*batch n n"]:
    score, parts = query @ key.mT, 1
    if relative_key is not None:
        at = relative_key[..., distances, :]
        score, parts = score + torch.einsum("...id,...ijd->...ij", query, at), parts + 1
    if relative_query is not None:
        at = relative_query[..., distances, :]
        score, parts = score + torch.einsum("...jd,...ijd->...ij", key, at), parts + 1
    return score / math.sqrt(query.shape[-1])


# %% 11.9 wrong | divided by d_head times the number of parts, without the root
@exercise("11.9")
def disentangled_score(
    query: Float[Tensor, "*batch n d_head"],
    key: Float[Tensor, "*batch n d_head"],
    distances: Int[Tensor, "n n"],
    relative_key: Float[Tensor, "*#batch rows d_head"] | None = None,
    relative_query: Float[Tensor, "*#batch rows d_head"] | None = None,
) -> Float[Tensor, "*batch n n"]:
    score, parts = query @ key.mT, 1
    if relative_key is not None:
        at = relative_key[..., distances, :]
        score, parts = score + torch.einsum("...id,...ijd->...ij", query, at), parts + 1
    if relative_query is not None:
        at = relative_query[..., distances, :]
        score, parts = score + torch.einsum("...jd,...ijd->...ij", key, at), parts + 1
    return score / (query.shape[-1] * parts)


# %% 11.9 wrong | divided by √d_head and by the number of parts: the mean of the parts
@exercise("11.9")
def disentangled_score(
    query: Float[Tensor, "*batch n d_head"],
    key: Float[Tensor, "*batch n d_head"],
    distances: Int[Tensor, "n n"],
    relative_key: Float[Tensor, "*#batch rows d_head"] | None = None,
    relative_query: Float[Tensor, "*#batch rows d_head"] | None = None,
) -> Float[Tensor, "*batch n n"]:
    score, parts = query @ key.mT, 1
    if relative_key is not None:
        at = relative_key[..., distances, :]
        score, parts = score + torch.einsum("...id,...ijd->...ij", query, at), parts + 1
    if relative_query is not None:
        at = relative_query[..., distances, :]
        score, parts = score + torch.einsum("...jd,...ijd->...ij", key, at), parts + 1
    return score / (math.sqrt(query.shape[-1]) * parts)


# %% 11.9 wrong | not divided at all
@exercise("11.9")
def disentangled_score(
    query: Float[Tensor, "*batch n d_head"],
    key: Float[Tensor, "*batch n d_head"],
    distances: Int[Tensor, "n n"],
    relative_key: Float[Tensor, "*#batch rows d_head"] | None = None,
    relative_query: Float[Tensor, "*#batch rows d_head"] | None = None,
) -> Float[Tensor, "*batch n n"]:
    score, parts = query @ key.mT, 1
    if relative_key is not None:
        at = relative_key[..., distances, :]
        score, parts = score + torch.einsum("...id,...ijd->...ij", query, at), parts + 1
    if relative_query is not None:
        at = relative_query[..., distances, :]
        score, parts = score + torch.einsum("...jd,...ijd->...ij", key, at), parts + 1
    return score


# %% 11.9 wrong | position to content looks up the distance of j and i (equation 4 as printed) and not of i and j
@exercise("11.9")
def disentangled_score(
    query: Float[Tensor, "*batch n d_head"],
    key: Float[Tensor, "*batch n d_head"],
    distances: Int[Tensor, "n n"],
    relative_key: Float[Tensor, "*#batch rows d_head"] | None = None,
    relative_query: Float[Tensor, "*#batch rows d_head"] | None = None,
) -> Float[Tensor, "*batch n n"]:
    score, parts = query @ key.mT, 1
    if relative_key is not None:
        at = relative_key[..., distances, :]
        score, parts = score + torch.einsum("...id,...ijd->...ij", query, at), parts + 1
    if relative_query is not None:
        at = relative_query[..., distances.T, :]
        score, parts = score + torch.einsum("...jd,...ijd->...ij", key, at), parts + 1
    return score / math.sqrt(query.shape[-1] * parts)


# %% 11.9 wrong | content to position looks up the distance of j and i and not of i and j
@exercise("11.9")
def disentangled_score(
    query: Float[Tensor, "*batch n d_head"],
    key: Float[Tensor, "*batch n d_head"],
    distances: Int[Tensor, "n n"],
    relative_key: Float[Tensor, "*#batch rows d_head"] | None = None,
    relative_query: Float[Tensor, "*#batch rows d_head"] | None = None,
) -> Float[Tensor, "*batch n n"]:
    score, parts = query @ key.mT, 1
    if relative_key is not None:
        at = relative_key[..., distances.T, :]
        score, parts = score + torch.einsum("...id,...ijd->...ij", query, at), parts + 1
    if relative_query is not None:
        at = relative_query[..., distances, :]
        score, parts = score + torch.einsum("...jd,...ijd->...ij", key, at), parts + 1
    return score / math.sqrt(query.shape[-1] * parts)


# %% 11.9 wrong | position to content takes the query and not the key
@exercise("11.9")
def disentangled_score(
    query: Float[Tensor, "*batch n d_head"],
    key: Float[Tensor, "*batch n d_head"],
    distances: Int[Tensor, "n n"],
    relative_key: Float[Tensor, "*#batch rows d_head"] | None = None,
    relative_query: Float[Tensor, "*#batch rows d_head"] | None = None,
) -> Float[Tensor, "*batch n n"]:
    score, parts = query @ key.mT, 1
    if relative_key is not None:
        at = relative_key[..., distances, :]
        score, parts = score + torch.einsum("...id,...ijd->...ij", query, at), parts + 1
    if relative_query is not None:
        at = relative_query[..., distances, :]
        score, parts = score + torch.einsum("...id,...ijd->...ij", query, at), parts + 1
    return score / math.sqrt(query.shape[-1] * parts)


# %% 11.9 wrong | position to content is left out
@exercise("11.9")
def disentangled_score(
    query: Float[Tensor, "*batch n d_head"],
    key: Float[Tensor, "*batch n d_head"],
    distances: Int[Tensor, "n n"],
    relative_key: Float[Tensor, "*#batch rows d_head"] | None = None,
    relative_query: Float[Tensor, "*#batch rows d_head"] | None = None,
) -> Float[Tensor, "*batch n n"]:
    score, parts = query @ key.mT, 1
    if relative_key is not None:
        at = relative_key[..., distances, :]
        score, parts = score + torch.einsum("...id,...ijd->...ij", query, at), parts + 1
    if relative_query is not None:
        parts = parts + 1
    return score / math.sqrt(query.shape[-1] * parts)


# %% 11.9 wrong | content to position is left out
@exercise("11.9")
def disentangled_score(
    query: Float[Tensor, "*batch n d_head"],
    key: Float[Tensor, "*batch n d_head"],
    distances: Int[Tensor, "n n"],
    relative_key: Float[Tensor, "*#batch rows d_head"] | None = None,
    relative_query: Float[Tensor, "*#batch rows d_head"] | None = None,
) -> Float[Tensor, "*batch n n"]:
    score, parts = query @ key.mT, 1 if relative_key is None else 2
    if relative_query is not None:
        at = relative_query[..., distances, :]
        score, parts = score + torch.einsum("...jd,...ijd->...ij", key, at), parts + 1
    return score / math.sqrt(query.shape[-1] * parts)


# %% 11.9 wrong | content to content is left out where there are positions
@exercise("11.9")
def disentangled_score(
    query: Float[Tensor, "*batch n d_head"],
    key: Float[Tensor, "*batch n d_head"],
    distances: Int[Tensor, "n n"],
    relative_key: Float[Tensor, "*#batch rows d_head"] | None = None,
    relative_query: Float[Tensor, "*#batch rows d_head"] | None = None,
) -> Float[Tensor, "*batch n n"]:
    score, parts = query @ key.mT, 1
    if relative_key is not None:
        at = relative_key[..., distances, :]
        score, parts = score + torch.einsum("...id,...ijd->...ij", query, at), parts + 1
    if relative_query is not None:
        at = relative_query[..., distances, :]
        score, parts = score + torch.einsum("...jd,...ijd->...ij", key, at), parts + 1
    if parts > 1:
        score = score - query @ key.mT
    return score / math.sqrt(query.shape[-1] * parts)


# %% 11.9 wrong | position to position is added as a fourth score
@exercise("11.9")
def disentangled_score(
    query: Float[Tensor, "*batch n d_head"],
    key: Float[Tensor, "*batch n d_head"],
    distances: Int[Tensor, "n n"],
    relative_key: Float[Tensor, "*#batch rows d_head"] | None = None,
    relative_query: Float[Tensor, "*#batch rows d_head"] | None = None,
) -> Float[Tensor, "*batch n n"]:
    score, parts = query @ key.mT, 1
    if relative_key is not None:
        at = relative_key[..., distances, :]
        score, parts = score + torch.einsum("...id,...ijd->...ij", query, at), parts + 1
    if relative_query is not None:
        at = relative_query[..., distances, :]
        score, parts = score + torch.einsum("...jd,...ijd->...ij", key, at), parts + 1
    if relative_key is not None and relative_query is not None:
        both = (relative_query * relative_key).sum(-1)
        score, parts = score + both[..., distances], parts + 1
    return score / math.sqrt(query.shape[-1] * parts)


# %% 11.9 wrong | without relative keys or queries raises an error
@exercise("11.9")
def disentangled_score(
    query: Float[Tensor, "*batch n d_head"],
    key: Float[Tensor, "*batch n d_head"],
    distances: Int[Tensor, "n n"],
    relative_key: Float[Tensor, "*#batch rows d_head"] | None = None,
    relative_query: Float[Tensor, "*#batch rows d_head"] | None = None,
) -> Float[Tensor, "*batch n n"]:
    to_key = torch.einsum("...id,...ijd->...ij", query, relative_key[..., distances, :])
    to_query = torch.einsum("...jd,...ijd->...ij", key, relative_query[..., distances, :])
    return (query @ key.mT + to_key + to_query) / math.sqrt(3 * query.shape[-1])


# %% 11.9 wrong | both or none: with relative keys alone no position is added
@exercise("11.9")
def disentangled_score(
    query: Float[Tensor, "*batch n d_head"],
    key: Float[Tensor, "*batch n d_head"],
    distances: Int[Tensor, "n n"],
    relative_key: Float[Tensor, "*#batch rows d_head"] | None = None,
    relative_query: Float[Tensor, "*#batch rows d_head"] | None = None,
) -> Float[Tensor, "*batch n n"]:
    score, parts = query @ key.mT, 1
    if relative_key is not None and relative_query is not None:
        score = score + torch.einsum("...id,...ijd->...ij", query, relative_key[..., distances, :])
        score = score + torch.einsum("...jd,...ijd->...ij", key, relative_query[..., distances, :])
        parts = 3
    return score / math.sqrt(query.shape[-1] * parts)


# %% 11.9 wrong | gathered along the keys' axis and not turned round: the table of k_j is read as though j were i
@exercise("11.9")
def disentangled_score(
    query: Float[Tensor, "*batch n d_head"],
    key: Float[Tensor, "*batch n d_head"],
    distances: Int[Tensor, "n n"],
    relative_key: Float[Tensor, "*#batch rows d_head"] | None = None,
    relative_query: Float[Tensor, "*#batch rows d_head"] | None = None,
) -> Float[Tensor, "*batch n n"]:
    score, parts = query @ key.mT, 1
    if relative_key is not None:
        at = relative_key[..., distances, :]
        score, parts = score + torch.einsum("...id,...ijd->...ij", query, at), parts + 1
    if relative_query is not None:
        table = key @ relative_query.mT
        index = distances.expand(*table.shape[:-1], distances.shape[-1])
        score, parts = score + table.gather(-1, index), parts + 1
    return score / math.sqrt(query.shape[-1] * parts)


# %% 11.9 wrong | relative keys and relative queries are mixed up
@exercise("11.9")
def disentangled_score(
    query: Float[Tensor, "*batch n d_head"],
    key: Float[Tensor, "*batch n d_head"],
    distances: Int[Tensor, "n n"],
    relative_key: Float[Tensor, "*#batch rows d_head"] | None = None,
    relative_query: Float[Tensor, "*#batch rows d_head"] | None = None,
) -> Float[Tensor, "*batch n n"]:
    relative_key, relative_query = relative_query, relative_key
    score, parts = query @ key.mT, 1
    if relative_key is not None:
        at = relative_key[..., distances, :]
        score, parts = score + torch.einsum("...id,...ijd->...ij", query, at), parts + 1
    if relative_query is not None:
        at = relative_query[..., distances, :]
        score, parts = score + torch.einsum("...jd,...ijd->...ij", key, at), parts + 1
    return score / math.sqrt(query.shape[-1] * parts)


# %% 11.9 wrong | the rows of the table are taken in order, 0, 1, 2, …, and distances is not used
@exercise("11.9")
def disentangled_score(
    query: Float[Tensor, "*batch n d_head"],
    key: Float[Tensor, "*batch n d_head"],
    distances: Int[Tensor, "n n"],
    relative_key: Float[Tensor, "*#batch rows d_head"] | None = None,
    relative_query: Float[Tensor, "*#batch rows d_head"] | None = None,
) -> Float[Tensor, "*batch n n"]:
    n = query.shape[-2]
    distances = torch.arange(n).expand(n, n)
    score, parts = query @ key.mT, 1
    if relative_key is not None:
        at = relative_key[..., distances, :]
        score, parts = score + torch.einsum("...id,...ijd->...ij", query, at), parts + 1
    if relative_query is not None:
        at = relative_query[..., distances, :]
        score, parts = score + torch.einsum("...jd,...ijd->...ij", key, at), parts + 1
    return score / math.sqrt(query.shape[-1] * parts)


# %% 11.9 wrong | only content to content is scaled, the others are added as they are
@exercise("11.9")
def disentangled_score(
    query: Float[Tensor, "*batch n d_head"],
    key: Float[Tensor, "*batch n d_head"],
    distances: Int[Tensor, "n n"],
    relative_key: Float[Tensor, "*#batch rows d_head"] | None = None,
    relative_query: Float[Tensor, "*#batch rows d_head"] | None = None,
) -> Float[Tensor, "*batch n n"]:
    score, parts = torch.zeros(query.shape[:-1] + query.shape[-2:-1]), 1
    if relative_key is not None:
        score = score + torch.einsum("...id,...ijd->...ij", query, relative_key[..., distances, :])
        parts += 1
    if relative_query is not None:
        score = score + torch.einsum("...jd,...ijd->...ij", key, relative_query[..., distances, :])
        parts += 1
    return query @ key.mT / math.sqrt(query.shape[-1] * parts) + score


# %% 11.9 wrong | returns weights: a softmax is taken at the end
@exercise("11.9")
def disentangled_score(
    query: Float[Tensor, "*batch n d_head"],
    key: Float[Tensor, "*batch n d_head"],
    distances: Int[Tensor, "n n"],
    relative_key: Float[Tensor, "*#batch rows d_head"] | None = None,
    relative_query: Float[Tensor, "*#batch rows d_head"] | None = None,
) -> Float[Tensor, "*batch n n"]:
    score, parts = query @ key.mT, 1
    if relative_key is not None:
        at = relative_key[..., distances, :]
        score, parts = score + torch.einsum("...id,...ijd->...ij", query, at), parts + 1
    if relative_query is not None:
        at = relative_query[..., distances, :]
        score, parts = score + torch.einsum("...jd,...ijd->...ij", key, at), parts + 1
    return (score / math.sqrt(query.shape[-1] * parts)).softmax(-1)


# %% 11.9 wrong | the positions' tables are detached and never learn
@exercise("11.9")
def disentangled_score(
    query: Float[Tensor, "*batch n d_head"],
    key: Float[Tensor, "*batch n d_head"],
    distances: Int[Tensor, "n n"],
    relative_key: Float[Tensor, "*#batch rows d_head"] | None = None,
    relative_query: Float[Tensor, "*#batch rows d_head"] | None = None,
) -> Float[Tensor, "*batch n n"]:
    if relative_key is not None:
        relative_key = relative_key.detach()
    if relative_query is not None:
        relative_query = relative_query.detach()
    score, parts = query @ key.mT, 1
    if relative_key is not None:
        at = relative_key[..., distances, :]
        score, parts = score + torch.einsum("...id,...ijd->...ij", query, at), parts + 1
    if relative_query is not None:
        at = relative_query[..., distances, :]
        score, parts = score + torch.einsum("...jd,...ijd->...ij", key, at), parts + 1
    return score / math.sqrt(query.shape[-1] * parts)


# %% 11.9 wrong | the relative keys are paired off with the queries' first axis: a table shared by the batch, without that axis, raises an error
@exercise("11.9")
def disentangled_score(
    query: Float[Tensor, "*batch n d_head"],
    key: Float[Tensor, "*batch n d_head"],
    distances: Int[Tensor, "n n"],
    relative_key: Float[Tensor, "*#batch rows d_head"] | None = None,
    relative_query: Float[Tensor, "*#batch rows d_head"] | None = None,
) -> Float[Tensor, "*batch n n"]:
    score, parts = query @ key.mT, 1
    if relative_key is not None:
        table = torch.stack([q @ r.mT for q, r in zip(query, relative_key, strict=True)])
        index = distances.expand(*table.shape[:-1], distances.shape[-1])
        score, parts = score + table.gather(-1, index), parts + 1
    if relative_query is not None:
        at = relative_query[..., distances, :]
        score, parts = score + torch.einsum("...jd,...ijd->...ij", key, at), parts + 1
    return score / math.sqrt(query.shape[-1] * parts)


# %% 11.9 right | relative vectors looked up for each pair
@exercise("11.9")
def disentangled_score(
    query: Float[Tensor, "*batch n d_head"],
    key: Float[Tensor, "*batch n d_head"],
    distances: Int[Tensor, "n n"],
    relative_key: Float[Tensor, "*#batch rows d_head"] | None = None,
    relative_query: Float[Tensor, "*#batch rows d_head"] | None = None,
) -> Float[Tensor, "*batch n n"]:
    score, parts = query @ key.mT, 1
    if relative_key is not None:
        at = relative_key[..., distances, :]
        score, parts = score + torch.einsum("...id,...ijd->...ij", query, at), parts + 1
    if relative_query is not None:
        at = relative_query[..., distances, :]
        score, parts = score + torch.einsum("...jd,...ijd->...ij", key, at), parts + 1
    return score / math.sqrt(query.shape[-1] * parts)


# %% 11.9 right | products with the whole table, then gather
@exercise("11.9")
def disentangled_score(
    query: Float[Tensor, "*batch n d_head"],
    key: Float[Tensor, "*batch n d_head"],
    distances: Int[Tensor, "n n"],
    relative_key: Float[Tensor, "*#batch rows d_head"] | None = None,
    relative_query: Float[Tensor, "*#batch rows d_head"] | None = None,
) -> Float[Tensor, "*batch n n"]:
    n, d = query.shape[-2:]
    parts = [query @ key.transpose(-1, -2)]
    index = distances.expand(*query.shape[:-2], n, n)
    if relative_key is not None:
        parts.append((query @ relative_key.transpose(-1, -2)).gather(-1, index))
    if relative_query is not None:
        table = key @ relative_query.transpose(-1, -2)
        parts.append(table.gather(-1, index.transpose(-1, -2)).transpose(-1, -2))
    return sum(parts) / (d * len(parts)) ** 0.5


# %% 11.9 right | loops over queries and keys
@exercise("11.9")
def disentangled_score(
    query: Float[Tensor, "*batch n d_head"],
    key: Float[Tensor, "*batch n d_head"],
    distances: Int[Tensor, "n n"],
    relative_key: Float[Tensor, "*#batch rows d_head"] | None = None,
    relative_query: Float[Tensor, "*#batch rows d_head"] | None = None,
) -> Float[Tensor, "*batch n n"]:
    n, d = query.shape[-2:]
    rows = []
    scale = math.sqrt(d * (1 + (relative_key is not None) + (relative_query is not None)))
    for i in range(n):
        row = []
        for j in range(n):
            at = int(distances[i, j])
            x = (query[..., i, :] * key[..., j, :]).sum(-1)
            if relative_key is not None:
                x = x + (query[..., i, :] * relative_key[..., at, :]).sum(-1)
            if relative_query is not None:
                x = x + (key[..., j, :] * relative_query[..., at, :]).sum(-1)
            row.append(x / scale)
        rows.append(torch.stack(row, -1))
    return torch.stack(rows, -2)
