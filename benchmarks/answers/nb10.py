"""Answers to the exercises of notebook 10, as people write them; none was made with a look at the checks."""

# %% 10.1 wrong | special tokens are chosen like others: special_mask is not used for choosing
from collections.abc import Sequence
from course.masking import SPLIT
from torch import Generator


@exercise("10.1")
def mask_tokens(
    ids: Int[Tensor, "*batch n"],
    *,
    mask_id: int,
    vocab_size: int,
    special_mask: Bool[Tensor, "*batch n"],
    rate: float = 0.15,
    split: tuple[float, float, float] = SPLIT,
    special_ids: Sequence[int] = (),
    generator: Generator | None = None,
) -> tuple[Int[Tensor, "*batch n"], Int[Tensor, "*batch n"]]:
    if ids.is_floating_point() or ids.dtype == torch.bool:
        raise TypeError("ids must be whole numbers")
    if special_mask.dtype != torch.bool:
        raise TypeError("special_mask must be boolean")
    if ids.shape != special_mask.shape:
        raise ValueError("ids and special_mask differ in shape")
    if not 0 < rate <= 1:
        raise ValueError("the rate must be above 0 and at most 1")
    if len(split) != 3 or min(split) < 0 or abs(sum(split) - 1) > 1e-6:
        raise ValueError("the split must be three shares that add up to 1")
    if not all(0 <= i < vocab_size for i in [mask_id, *special_ids, int(ids.min()), int(ids.max())]):
        raise ValueError("an id is outside the vocabulary")
    if len(set(special_ids)) >= vocab_size:
        raise ValueError("no token is left to draw")
    if special_mask.all():
        raise ValueError("all tokens are special")
    chosen = torch.rand(ids.shape, generator=generator) < rate
    u = torch.rand(ids.shape, generator=generator)
    to_mask = chosen & (u < split[0])
    to_random = chosen & (u >= split[0]) & (u < split[0] + split[1])
    allowed = torch.tensor([i for i in range(vocab_size) if i not in set(special_ids)])
    tokens = allowed[torch.randint(len(allowed), ids.shape, generator=generator)]
    inputs = torch.where(to_mask, mask_id, torch.where(to_random, tokens, ids))
    return inputs, torch.where(chosen, ids, -100)


# %% 10.1 wrong | special_mask upside down: only special tokens are chosen
from collections.abc import Sequence
from course.masking import SPLIT
from torch import Generator


@exercise("10.1")
def mask_tokens(
    ids: Int[Tensor, "*batch n"],
    *,
    mask_id: int,
    vocab_size: int,
    special_mask: Bool[Tensor, "*batch n"],
    rate: float = 0.15,
    split: tuple[float, float, float] = SPLIT,
    special_ids: Sequence[int] = (),
    generator: Generator | None = None,
) -> tuple[Int[Tensor, "*batch n"], Int[Tensor, "*batch n"]]:
    if ids.is_floating_point() or ids.dtype == torch.bool:
        raise TypeError("ids must be whole numbers")
    if special_mask.dtype != torch.bool:
        raise TypeError("special_mask must be boolean")
    if ids.shape != special_mask.shape:
        raise ValueError("ids and special_mask differ in shape")
    if not 0 < rate <= 1:
        raise ValueError("the rate must be above 0 and at most 1")
    if len(split) != 3 or min(split) < 0 or abs(sum(split) - 1) > 1e-6:
        raise ValueError("the split must be three shares that add up to 1")
    if not all(0 <= i < vocab_size for i in [mask_id, *special_ids, int(ids.min()), int(ids.max())]):
        raise ValueError("an id is outside the vocabulary")
    if len(set(special_ids)) >= vocab_size:
        raise ValueError("no token is left to draw")
    if special_mask.all():
        raise ValueError("all tokens are special")
    chosen = (torch.rand(ids.shape, generator=generator) < rate) & special_mask
    u = torch.rand(ids.shape, generator=generator)
    to_mask = chosen & (u < split[0])
    to_random = chosen & (u >= split[0]) & (u < split[0] + split[1])
    allowed = torch.tensor([i for i in range(vocab_size) if i not in set(special_ids)])
    tokens = allowed[torch.randint(len(allowed), ids.shape, generator=generator)]
    inputs = torch.where(to_mask, mask_id, torch.where(to_random, tokens, ids))
    return inputs, torch.where(chosen, ids, -100)


# %% 10.1 wrong | the labels are the original ids everywhere, not -100 where nothing was chosen
from collections.abc import Sequence
from course.masking import SPLIT
from torch import Generator


@exercise("10.1")
def mask_tokens(
    ids: Int[Tensor, "*batch n"],
    *,
    mask_id: int,
    vocab_size: int,
    special_mask: Bool[Tensor, "*batch n"],
    rate: float = 0.15,
    split: tuple[float, float, float] = SPLIT,
    special_ids: Sequence[int] = (),
    generator: Generator | None = None,
) -> tuple[Int[Tensor, "*batch n"], Int[Tensor, "*batch n"]]:
    if ids.is_floating_point() or ids.dtype == torch.bool:
        raise TypeError("ids must be whole numbers")
    if special_mask.dtype != torch.bool:
        raise TypeError("special_mask must be boolean")
    if ids.shape != special_mask.shape:
        raise ValueError("ids and special_mask differ in shape")
    if not 0 < rate <= 1:
        raise ValueError("the rate must be above 0 and at most 1")
    if len(split) != 3 or min(split) < 0 or abs(sum(split) - 1) > 1e-6:
        raise ValueError("the split must be three shares that add up to 1")
    if not all(0 <= i < vocab_size for i in [mask_id, *special_ids, int(ids.min()), int(ids.max())]):
        raise ValueError("an id is outside the vocabulary")
    if len(set(special_ids)) >= vocab_size:
        raise ValueError("no token is left to draw")
    if special_mask.all():
        raise ValueError("all tokens are special")
    chosen = (torch.rand(ids.shape, generator=generator) < rate) & ~special_mask
    u = torch.rand(ids.shape, generator=generator)
    to_mask = chosen & (u < split[0])
    to_random = chosen & (u >= split[0]) & (u < split[0] + split[1])
    allowed = torch.tensor([i for i in range(vocab_size) if i not in set(special_ids)])
    tokens = allowed[torch.randint(len(allowed), ids.shape, generator=generator)]
    inputs = torch.where(to_mask, mask_id, torch.where(to_random, tokens, ids))
    return inputs, ids.clone()


# %% 10.1 wrong | the labels are upside down: -100 at the chosen tokens, ids at the others
from collections.abc import Sequence
from course.masking import SPLIT
from torch import Generator


@exercise("10.1")
def mask_tokens(
    ids: Int[Tensor, "*batch n"],
    *,
    mask_id: int,
    vocab_size: int,
    special_mask: Bool[Tensor, "*batch n"],
    rate: float = 0.15,
    split: tuple[float, float, float] = SPLIT,
    special_ids: Sequence[int] = (),
    generator: Generator | None = None,
) -> tuple[Int[Tensor, "*batch n"], Int[Tensor, "*batch n"]]:
    if ids.is_floating_point() or ids.dtype == torch.bool:
        raise TypeError("ids must be whole numbers")
    if special_mask.dtype != torch.bool:
        raise TypeError("special_mask must be boolean")
    if ids.shape != special_mask.shape:
        raise ValueError("ids and special_mask differ in shape")
    if not 0 < rate <= 1:
        raise ValueError("the rate must be above 0 and at most 1")
    if len(split) != 3 or min(split) < 0 or abs(sum(split) - 1) > 1e-6:
        raise ValueError("the split must be three shares that add up to 1")
    if not all(0 <= i < vocab_size for i in [mask_id, *special_ids, int(ids.min()), int(ids.max())]):
        raise ValueError("an id is outside the vocabulary")
    if len(set(special_ids)) >= vocab_size:
        raise ValueError("no token is left to draw")
    if special_mask.all():
        raise ValueError("all tokens are special")
    chosen = (torch.rand(ids.shape, generator=generator) < rate) & ~special_mask
    u = torch.rand(ids.shape, generator=generator)
    to_mask = chosen & (u < split[0])
    to_random = chosen & (u >= split[0]) & (u < split[0] + split[1])
    allowed = torch.tensor([i for i in range(vocab_size) if i not in set(special_ids)])
    tokens = allowed[torch.randint(len(allowed), ids.shape, generator=generator)]
    inputs = torch.where(to_mask, mask_id, torch.where(to_random, tokens, ids))
    return inputs, torch.where(chosen, -100, ids)


# %% 10.1 wrong | the labels hold what the input became and not what stood there
from collections.abc import Sequence
from course.masking import SPLIT
from torch import Generator


@exercise("10.1")
def mask_tokens(
    ids: Int[Tensor, "*batch n"],
    *,
    mask_id: int,
    vocab_size: int,
    special_mask: Bool[Tensor, "*batch n"],
    rate: float = 0.15,
    split: tuple[float, float, float] = SPLIT,
    special_ids: Sequence[int] = (),
    generator: Generator | None = None,
) -> tuple[Int[Tensor, "*batch n"], Int[Tensor, "*batch n"]]:
    if ids.is_floating_point() or ids.dtype == torch.bool:
        raise TypeError("ids must be whole numbers")
    if special_mask.dtype != torch.bool:
        raise TypeError("special_mask must be boolean")
    if ids.shape != special_mask.shape:
        raise ValueError("ids and special_mask differ in shape")
    if not 0 < rate <= 1:
        raise ValueError("the rate must be above 0 and at most 1")
    if len(split) != 3 or min(split) < 0 or abs(sum(split) - 1) > 1e-6:
        raise ValueError("the split must be three shares that add up to 1")
    if not all(0 <= i < vocab_size for i in [mask_id, *special_ids, int(ids.min()), int(ids.max())]):
        raise ValueError("an id is outside the vocabulary")
    if len(set(special_ids)) >= vocab_size:
        raise ValueError("no token is left to draw")
    if special_mask.all():
        raise ValueError("all tokens are special")
    chosen = (torch.rand(ids.shape, generator=generator) < rate) & ~special_mask
    u = torch.rand(ids.shape, generator=generator)
    to_mask = chosen & (u < split[0])
    to_random = chosen & (u >= split[0]) & (u < split[0] + split[1])
    allowed = torch.tensor([i for i in range(vocab_size) if i not in set(special_ids)])
    tokens = allowed[torch.randint(len(allowed), ids.shape, generator=generator)]
    inputs = torch.where(to_mask, mask_id, torch.where(to_random, tokens, ids))
    return inputs, torch.where(chosen, inputs, -100)


# %% 10.1 wrong | every chosen token becomes [MASK]: split is ignored
from collections.abc import Sequence
from course.masking import SPLIT
from torch import Generator


@exercise("10.1")
def mask_tokens(
    ids: Int[Tensor, "*batch n"],
    *,
    mask_id: int,
    vocab_size: int,
    special_mask: Bool[Tensor, "*batch n"],
    rate: float = 0.15,
    split: tuple[float, float, float] = SPLIT,
    special_ids: Sequence[int] = (),
    generator: Generator | None = None,
) -> tuple[Int[Tensor, "*batch n"], Int[Tensor, "*batch n"]]:
    if ids.is_floating_point() or ids.dtype == torch.bool:
        raise TypeError("ids must be whole numbers")
    if special_mask.dtype != torch.bool:
        raise TypeError("special_mask must be boolean")
    if ids.shape != special_mask.shape:
        raise ValueError("ids and special_mask differ in shape")
    if not 0 < rate <= 1:
        raise ValueError("the rate must be above 0 and at most 1")
    if len(split) != 3 or min(split) < 0 or abs(sum(split) - 1) > 1e-6:
        raise ValueError("the split must be three shares that add up to 1")
    if not all(0 <= i < vocab_size for i in [mask_id, *special_ids, int(ids.min()), int(ids.max())]):
        raise ValueError("an id is outside the vocabulary")
    if len(set(special_ids)) >= vocab_size:
        raise ValueError("no token is left to draw")
    if special_mask.all():
        raise ValueError("all tokens are special")
    chosen = (torch.rand(ids.shape, generator=generator) < rate) & ~special_mask
    inputs = ids.masked_fill(chosen, mask_id)
    return inputs, torch.where(chosen, ids, -100)


# %% 10.1 wrong | one draw decides both the choice and the split: chosen ones lie below the rate, so all of them become [MASK]
from collections.abc import Sequence
from course.masking import SPLIT
from torch import Generator


@exercise("10.1")
def mask_tokens(
    ids: Int[Tensor, "*batch n"],
    *,
    mask_id: int,
    vocab_size: int,
    special_mask: Bool[Tensor, "*batch n"],
    rate: float = 0.15,
    split: tuple[float, float, float] = SPLIT,
    special_ids: Sequence[int] = (),
    generator: Generator | None = None,
) -> tuple[Int[Tensor, "*batch n"], Int[Tensor, "*batch n"]]:
    if ids.is_floating_point() or ids.dtype == torch.bool:
        raise TypeError("ids must be whole numbers")
    if special_mask.dtype != torch.bool:
        raise TypeError("special_mask must be boolean")
    if ids.shape != special_mask.shape:
        raise ValueError("ids and special_mask differ in shape")
    if not 0 < rate <= 1:
        raise ValueError("the rate must be above 0 and at most 1")
    if len(split) != 3 or min(split) < 0 or abs(sum(split) - 1) > 1e-6:
        raise ValueError("the split must be three shares that add up to 1")
    if not all(0 <= i < vocab_size for i in [mask_id, *special_ids, int(ids.min()), int(ids.max())]):
        raise ValueError("an id is outside the vocabulary")
    if len(set(special_ids)) >= vocab_size:
        raise ValueError("no token is left to draw")
    if special_mask.all():
        raise ValueError("all tokens are special")
    u = torch.rand(ids.shape, generator=generator)
    chosen = (u < rate) & ~special_mask
    to_mask = chosen & (u < split[0])
    to_random = chosen & (u >= split[0]) & (u < split[0] + split[1])
    allowed = torch.tensor([i for i in range(vocab_size) if i not in set(special_ids)])
    tokens = allowed[torch.randint(len(allowed), ids.shape, generator=generator)]
    inputs = torch.where(to_mask, mask_id, torch.where(to_random, tokens, ids))
    return inputs, torch.where(chosen, ids, -100)


# %% 10.1 wrong | a second draw gives random tokens to a tenth of the fifth that is left: 2 in 100 in place of 10
from collections.abc import Sequence
from course.masking import SPLIT
from torch import Generator


@exercise("10.1")
def mask_tokens(
    ids: Int[Tensor, "*batch n"],
    *,
    mask_id: int,
    vocab_size: int,
    special_mask: Bool[Tensor, "*batch n"],
    rate: float = 0.15,
    split: tuple[float, float, float] = SPLIT,
    special_ids: Sequence[int] = (),
    generator: Generator | None = None,
) -> tuple[Int[Tensor, "*batch n"], Int[Tensor, "*batch n"]]:
    if ids.is_floating_point() or ids.dtype == torch.bool:
        raise TypeError("ids must be whole numbers")
    if special_mask.dtype != torch.bool:
        raise TypeError("special_mask must be boolean")
    if ids.shape != special_mask.shape:
        raise ValueError("ids and special_mask differ in shape")
    if not 0 < rate <= 1:
        raise ValueError("the rate must be above 0 and at most 1")
    if len(split) != 3 or min(split) < 0 or abs(sum(split) - 1) > 1e-6:
        raise ValueError("the split must be three shares that add up to 1")
    if not all(0 <= i < vocab_size for i in [mask_id, *special_ids, int(ids.min()), int(ids.max())]):
        raise ValueError("an id is outside the vocabulary")
    if len(set(special_ids)) >= vocab_size:
        raise ValueError("no token is left to draw")
    if special_mask.all():
        raise ValueError("all tokens are special")
    chosen = (torch.rand(ids.shape, generator=generator) < rate) & ~special_mask
    to_mask = chosen & (torch.rand(ids.shape, generator=generator) < split[0])
    to_random = chosen & ~to_mask & (torch.rand(ids.shape, generator=generator) < split[1])
    allowed = torch.tensor([i for i in range(vocab_size) if i not in set(special_ids)])
    tokens = allowed[torch.randint(len(allowed), ids.shape, generator=generator)]
    inputs = torch.where(to_mask, mask_id, torch.where(to_random, tokens, ids))
    return inputs, torch.where(chosen, ids, -100)


# %% 10.1 wrong | the shares of random and unchanged tokens are swapped
from collections.abc import Sequence
from course.masking import SPLIT
from torch import Generator


@exercise("10.1")
def mask_tokens(
    ids: Int[Tensor, "*batch n"],
    *,
    mask_id: int,
    vocab_size: int,
    special_mask: Bool[Tensor, "*batch n"],
    rate: float = 0.15,
    split: tuple[float, float, float] = SPLIT,
    special_ids: Sequence[int] = (),
    generator: Generator | None = None,
) -> tuple[Int[Tensor, "*batch n"], Int[Tensor, "*batch n"]]:
    if ids.is_floating_point() or ids.dtype == torch.bool:
        raise TypeError("ids must be whole numbers")
    if special_mask.dtype != torch.bool:
        raise TypeError("special_mask must be boolean")
    if ids.shape != special_mask.shape:
        raise ValueError("ids and special_mask differ in shape")
    if not 0 < rate <= 1:
        raise ValueError("the rate must be above 0 and at most 1")
    if len(split) != 3 or min(split) < 0 or abs(sum(split) - 1) > 1e-6:
        raise ValueError("the split must be three shares that add up to 1")
    if not all(0 <= i < vocab_size for i in [mask_id, *special_ids, int(ids.min()), int(ids.max())]):
        raise ValueError("an id is outside the vocabulary")
    if len(set(special_ids)) >= vocab_size:
        raise ValueError("no token is left to draw")
    if special_mask.all():
        raise ValueError("all tokens are special")
    chosen = (torch.rand(ids.shape, generator=generator) < rate) & ~special_mask
    u = torch.rand(ids.shape, generator=generator)
    to_mask = chosen & (u < split[0])
    to_random = chosen & (u >= split[0]) & (u < split[0] + split[2])
    allowed = torch.tensor([i for i in range(vocab_size) if i not in set(special_ids)])
    tokens = allowed[torch.randint(len(allowed), ids.shape, generator=generator)]
    inputs = torch.where(to_mask, mask_id, torch.where(to_random, tokens, ids))
    return inputs, torch.where(chosen, ids, -100)


# %% 10.1 wrong | writes into the caller's ids, and the labels are what they became
from collections.abc import Sequence
from course.masking import SPLIT
from torch import Generator


@exercise("10.1")
def mask_tokens(
    ids: Int[Tensor, "*batch n"],
    *,
    mask_id: int,
    vocab_size: int,
    special_mask: Bool[Tensor, "*batch n"],
    rate: float = 0.15,
    split: tuple[float, float, float] = SPLIT,
    special_ids: Sequence[int] = (),
    generator: Generator | None = None,
) -> tuple[Int[Tensor, "*batch n"], Int[Tensor, "*batch n"]]:
    if ids.is_floating_point() or ids.dtype == torch.bool:
        raise TypeError("ids must be whole numbers")
    if special_mask.dtype != torch.bool:
        raise TypeError("special_mask must be boolean")
    if ids.shape != special_mask.shape:
        raise ValueError("ids and special_mask differ in shape")
    if not 0 < rate <= 1:
        raise ValueError("the rate must be above 0 and at most 1")
    if len(split) != 3 or min(split) < 0 or abs(sum(split) - 1) > 1e-6:
        raise ValueError("the split must be three shares that add up to 1")
    if not all(0 <= i < vocab_size for i in [mask_id, *special_ids, int(ids.min()), int(ids.max())]):
        raise ValueError("an id is outside the vocabulary")
    if len(set(special_ids)) >= vocab_size:
        raise ValueError("no token is left to draw")
    if special_mask.all():
        raise ValueError("all tokens are special")
    chosen = (torch.rand(ids.shape, generator=generator) < rate) & ~special_mask
    u = torch.rand(ids.shape, generator=generator)
    to_mask = chosen & (u < split[0])
    to_random = chosen & (u >= split[0]) & (u < split[0] + split[1])
    allowed = torch.tensor([i for i in range(vocab_size) if i not in set(special_ids)])
    tokens = allowed[torch.randint(len(allowed), ids.shape, generator=generator)]
    ids[to_mask] = mask_id
    ids[to_random] = tokens[to_random]
    return ids, torch.where(chosen, ids, -100)


# %% 10.1 wrong | writes into the caller's ids; what is returned is right
from collections.abc import Sequence
from course.masking import SPLIT
from torch import Generator


@exercise("10.1")
def mask_tokens(
    ids: Int[Tensor, "*batch n"],
    *,
    mask_id: int,
    vocab_size: int,
    special_mask: Bool[Tensor, "*batch n"],
    rate: float = 0.15,
    split: tuple[float, float, float] = SPLIT,
    special_ids: Sequence[int] = (),
    generator: Generator | None = None,
) -> tuple[Int[Tensor, "*batch n"], Int[Tensor, "*batch n"]]:
    if ids.is_floating_point() or ids.dtype == torch.bool:
        raise TypeError("ids must be whole numbers")
    if special_mask.dtype != torch.bool:
        raise TypeError("special_mask must be boolean")
    if ids.shape != special_mask.shape:
        raise ValueError("ids and special_mask differ in shape")
    if not 0 < rate <= 1:
        raise ValueError("the rate must be above 0 and at most 1")
    if len(split) != 3 or min(split) < 0 or abs(sum(split) - 1) > 1e-6:
        raise ValueError("the split must be three shares that add up to 1")
    if not all(0 <= i < vocab_size for i in [mask_id, *special_ids, int(ids.min()), int(ids.max())]):
        raise ValueError("an id is outside the vocabulary")
    if len(set(special_ids)) >= vocab_size:
        raise ValueError("no token is left to draw")
    if special_mask.all():
        raise ValueError("all tokens are special")
    chosen = (torch.rand(ids.shape, generator=generator) < rate) & ~special_mask
    labels = torch.where(chosen, ids, -100)
    u = torch.rand(ids.shape, generator=generator)
    to_mask = chosen & (u < split[0])
    to_random = chosen & (u >= split[0]) & (u < split[0] + split[1])
    allowed = torch.tensor([i for i in range(vocab_size) if i not in set(special_ids)])
    tokens = allowed[torch.randint(len(allowed), ids.shape, generator=generator)]
    ids[to_mask] = mask_id
    ids[to_random] = tokens[to_random]
    return ids, labels


# %% 10.1 wrong | all random tokens of a call are one and the same token
from collections.abc import Sequence
from course.masking import SPLIT
from torch import Generator


@exercise("10.1")
def mask_tokens(
    ids: Int[Tensor, "*batch n"],
    *,
    mask_id: int,
    vocab_size: int,
    special_mask: Bool[Tensor, "*batch n"],
    rate: float = 0.15,
    split: tuple[float, float, float] = SPLIT,
    special_ids: Sequence[int] = (),
    generator: Generator | None = None,
) -> tuple[Int[Tensor, "*batch n"], Int[Tensor, "*batch n"]]:
    if ids.is_floating_point() or ids.dtype == torch.bool:
        raise TypeError("ids must be whole numbers")
    if special_mask.dtype != torch.bool:
        raise TypeError("special_mask must be boolean")
    if ids.shape != special_mask.shape:
        raise ValueError("ids and special_mask differ in shape")
    if not 0 < rate <= 1:
        raise ValueError("the rate must be above 0 and at most 1")
    if len(split) != 3 or min(split) < 0 or abs(sum(split) - 1) > 1e-6:
        raise ValueError("the split must be three shares that add up to 1")
    if not all(0 <= i < vocab_size for i in [mask_id, *special_ids, int(ids.min()), int(ids.max())]):
        raise ValueError("an id is outside the vocabulary")
    if len(set(special_ids)) >= vocab_size:
        raise ValueError("no token is left to draw")
    if special_mask.all():
        raise ValueError("all tokens are special")
    chosen = (torch.rand(ids.shape, generator=generator) < rate) & ~special_mask
    u = torch.rand(ids.shape, generator=generator)
    to_mask = chosen & (u < split[0])
    to_random = chosen & (u >= split[0]) & (u < split[0] + split[1])
    allowed = torch.tensor([i for i in range(vocab_size) if i not in set(special_ids)])
    inputs = ids.masked_fill(to_mask, mask_id)
    inputs[to_random] = allowed[torch.randint(len(allowed), (1,), generator=generator)]
    return inputs, torch.where(chosen, ids, -100)


# %% 10.1 wrong | special_ids is ignored: random tokens may be special ones
from collections.abc import Sequence
from course.masking import SPLIT
from torch import Generator


@exercise("10.1")
def mask_tokens(
    ids: Int[Tensor, "*batch n"],
    *,
    mask_id: int,
    vocab_size: int,
    special_mask: Bool[Tensor, "*batch n"],
    rate: float = 0.15,
    split: tuple[float, float, float] = SPLIT,
    special_ids: Sequence[int] = (),
    generator: Generator | None = None,
) -> tuple[Int[Tensor, "*batch n"], Int[Tensor, "*batch n"]]:
    if ids.is_floating_point() or ids.dtype == torch.bool:
        raise TypeError("ids must be whole numbers")
    if special_mask.dtype != torch.bool:
        raise TypeError("special_mask must be boolean")
    if ids.shape != special_mask.shape:
        raise ValueError("ids and special_mask differ in shape")
    if not 0 < rate <= 1:
        raise ValueError("the rate must be above 0 and at most 1")
    if len(split) != 3 or min(split) < 0 or abs(sum(split) - 1) > 1e-6:
        raise ValueError("the split must be three shares that add up to 1")
    if not all(0 <= i < vocab_size for i in [mask_id, *special_ids, int(ids.min()), int(ids.max())]):
        raise ValueError("an id is outside the vocabulary")
    if len(set(special_ids)) >= vocab_size:
        raise ValueError("no token is left to draw")
    if special_mask.all():
        raise ValueError("all tokens are special")
    chosen = (torch.rand(ids.shape, generator=generator) < rate) & ~special_mask
    u = torch.rand(ids.shape, generator=generator)
    to_mask = chosen & (u < split[0])
    to_random = chosen & (u >= split[0]) & (u < split[0] + split[1])
    tokens = torch.randint(vocab_size, ids.shape, generator=generator)
    inputs = torch.where(to_mask, mask_id, torch.where(to_random, tokens, ids))
    return inputs, torch.where(chosen, ids, -100)


# %% 10.1 wrong | the last token of the vocabulary is never drawn as a random one
from collections.abc import Sequence
from course.masking import SPLIT
from torch import Generator


@exercise("10.1")
def mask_tokens(
    ids: Int[Tensor, "*batch n"],
    *,
    mask_id: int,
    vocab_size: int,
    special_mask: Bool[Tensor, "*batch n"],
    rate: float = 0.15,
    split: tuple[float, float, float] = SPLIT,
    special_ids: Sequence[int] = (),
    generator: Generator | None = None,
) -> tuple[Int[Tensor, "*batch n"], Int[Tensor, "*batch n"]]:
    if ids.is_floating_point() or ids.dtype == torch.bool:
        raise TypeError("ids must be whole numbers")
    if special_mask.dtype != torch.bool:
        raise TypeError("special_mask must be boolean")
    if ids.shape != special_mask.shape:
        raise ValueError("ids and special_mask differ in shape")
    if not 0 < rate <= 1:
        raise ValueError("the rate must be above 0 and at most 1")
    if len(split) != 3 or min(split) < 0 or abs(sum(split) - 1) > 1e-6:
        raise ValueError("the split must be three shares that add up to 1")
    if not all(0 <= i < vocab_size for i in [mask_id, *special_ids, int(ids.min()), int(ids.max())]):
        raise ValueError("an id is outside the vocabulary")
    if len(set(special_ids)) >= vocab_size:
        raise ValueError("no token is left to draw")
    if special_mask.all():
        raise ValueError("all tokens are special")
    chosen = (torch.rand(ids.shape, generator=generator) < rate) & ~special_mask
    u = torch.rand(ids.shape, generator=generator)
    to_mask = chosen & (u < split[0])
    to_random = chosen & (u >= split[0]) & (u < split[0] + split[1])
    allowed = torch.tensor([i for i in range(vocab_size - 1) if i not in set(special_ids)])
    tokens = allowed[torch.randint(len(allowed), ids.shape, generator=generator)]
    inputs = torch.where(to_mask, mask_id, torch.where(to_random, tokens, ids))
    return inputs, torch.where(chosen, ids, -100)


# %% 10.1 wrong | the random token is another token of the same text and not of the vocabulary
from collections.abc import Sequence
from course.masking import SPLIT
from torch import Generator


@exercise("10.1")
def mask_tokens(
    ids: Int[Tensor, "*batch n"],
    *,
    mask_id: int,
    vocab_size: int,
    special_mask: Bool[Tensor, "*batch n"],
    rate: float = 0.15,
    split: tuple[float, float, float] = SPLIT,
    special_ids: Sequence[int] = (),
    generator: Generator | None = None,
) -> tuple[Int[Tensor, "*batch n"], Int[Tensor, "*batch n"]]:
    if ids.is_floating_point() or ids.dtype == torch.bool:
        raise TypeError("ids must be whole numbers")
    if special_mask.dtype != torch.bool:
        raise TypeError("special_mask must be boolean")
    if ids.shape != special_mask.shape:
        raise ValueError("ids and special_mask differ in shape")
    if not 0 < rate <= 1:
        raise ValueError("the rate must be above 0 and at most 1")
    if len(split) != 3 or min(split) < 0 or abs(sum(split) - 1) > 1e-6:
        raise ValueError("the split must be three shares that add up to 1")
    if not all(0 <= i < vocab_size for i in [mask_id, *special_ids, int(ids.min()), int(ids.max())]):
        raise ValueError("an id is outside the vocabulary")
    if len(set(special_ids)) >= vocab_size:
        raise ValueError("no token is left to draw")
    if special_mask.all():
        raise ValueError("all tokens are special")
    chosen = (torch.rand(ids.shape, generator=generator) < rate) & ~special_mask
    u = torch.rand(ids.shape, generator=generator)
    to_mask = chosen & (u < split[0])
    to_random = chosen & (u >= split[0]) & (u < split[0] + split[1])
    tokens = ids.flatten()[torch.randperm(ids.numel(), generator=generator)].view(ids.shape)
    inputs = torch.where(to_mask, mask_id, torch.where(to_random, tokens, ids))
    return inputs, torch.where(chosen, ids, -100)


# %% 10.1 wrong | the chosen tokens that stay as they are get no label, so nobody asks for them
from collections.abc import Sequence
from course.masking import SPLIT
from torch import Generator


@exercise("10.1")
def mask_tokens(
    ids: Int[Tensor, "*batch n"],
    *,
    mask_id: int,
    vocab_size: int,
    special_mask: Bool[Tensor, "*batch n"],
    rate: float = 0.15,
    split: tuple[float, float, float] = SPLIT,
    special_ids: Sequence[int] = (),
    generator: Generator | None = None,
) -> tuple[Int[Tensor, "*batch n"], Int[Tensor, "*batch n"]]:
    if ids.is_floating_point() or ids.dtype == torch.bool:
        raise TypeError("ids must be whole numbers")
    if special_mask.dtype != torch.bool:
        raise TypeError("special_mask must be boolean")
    if ids.shape != special_mask.shape:
        raise ValueError("ids and special_mask differ in shape")
    if not 0 < rate <= 1:
        raise ValueError("the rate must be above 0 and at most 1")
    if len(split) != 3 or min(split) < 0 or abs(sum(split) - 1) > 1e-6:
        raise ValueError("the split must be three shares that add up to 1")
    if not all(0 <= i < vocab_size for i in [mask_id, *special_ids, int(ids.min()), int(ids.max())]):
        raise ValueError("an id is outside the vocabulary")
    if len(set(special_ids)) >= vocab_size:
        raise ValueError("no token is left to draw")
    if special_mask.all():
        raise ValueError("all tokens are special")
    chosen = (torch.rand(ids.shape, generator=generator) < rate) & ~special_mask
    u = torch.rand(ids.shape, generator=generator)
    to_mask = chosen & (u < split[0])
    to_random = chosen & (u >= split[0]) & (u < split[0] + split[1])
    allowed = torch.tensor([i for i in range(vocab_size) if i not in set(special_ids)])
    tokens = allowed[torch.randint(len(allowed), ids.shape, generator=generator)]
    inputs = torch.where(to_mask, mask_id, torch.where(to_random, tokens, ids))
    return inputs, torch.where(to_mask | to_random, ids, -100)


# %% 10.1 wrong | exactly the rounded share of the ordinary tokens is chosen and not each by itself
from collections.abc import Sequence
from course.masking import SPLIT
from torch import Generator


@exercise("10.1")
def mask_tokens(
    ids: Int[Tensor, "*batch n"],
    *,
    mask_id: int,
    vocab_size: int,
    special_mask: Bool[Tensor, "*batch n"],
    rate: float = 0.15,
    split: tuple[float, float, float] = SPLIT,
    special_ids: Sequence[int] = (),
    generator: Generator | None = None,
) -> tuple[Int[Tensor, "*batch n"], Int[Tensor, "*batch n"]]:
    if ids.is_floating_point() or ids.dtype == torch.bool:
        raise TypeError("ids must be whole numbers")
    if special_mask.dtype != torch.bool:
        raise TypeError("special_mask must be boolean")
    if ids.shape != special_mask.shape:
        raise ValueError("ids and special_mask differ in shape")
    if not 0 < rate <= 1:
        raise ValueError("the rate must be above 0 and at most 1")
    if len(split) != 3 or min(split) < 0 or abs(sum(split) - 1) > 1e-6:
        raise ValueError("the split must be three shares that add up to 1")
    if not all(0 <= i < vocab_size for i in [mask_id, *special_ids, int(ids.min()), int(ids.max())]):
        raise ValueError("an id is outside the vocabulary")
    if len(set(special_ids)) >= vocab_size:
        raise ValueError("no token is left to draw")
    if special_mask.all():
        raise ValueError("all tokens are special")
    places = (~special_mask).flatten().nonzero()[:, 0]
    k = round(rate * len(places))
    chosen = torch.zeros(ids.numel(), dtype=torch.bool)
    chosen[places[torch.randperm(len(places), generator=generator)[:k]]] = True
    chosen = chosen.view(ids.shape)
    u = torch.rand(ids.shape, generator=generator)
    to_mask = chosen & (u < split[0])
    to_random = chosen & (u >= split[0]) & (u < split[0] + split[1])
    allowed = torch.tensor([i for i in range(vocab_size) if i not in set(special_ids)])
    tokens = allowed[torch.randint(len(allowed), ids.shape, generator=generator)]
    inputs = torch.where(to_mask, mask_id, torch.where(to_random, tokens, ids))
    return inputs, torch.where(chosen, ids, -100)


# %% 10.1 wrong | the rate is ignored, always 15 %
from collections.abc import Sequence
from course.masking import SPLIT
from torch import Generator


@exercise("10.1")
def mask_tokens(
    ids: Int[Tensor, "*batch n"],
    *,
    mask_id: int,
    vocab_size: int,
    special_mask: Bool[Tensor, "*batch n"],
    rate: float = 0.15,
    split: tuple[float, float, float] = SPLIT,
    special_ids: Sequence[int] = (),
    generator: Generator | None = None,
) -> tuple[Int[Tensor, "*batch n"], Int[Tensor, "*batch n"]]:
    if ids.is_floating_point() or ids.dtype == torch.bool:
        raise TypeError("ids must be whole numbers")
    if special_mask.dtype != torch.bool:
        raise TypeError("special_mask must be boolean")
    if ids.shape != special_mask.shape:
        raise ValueError("ids and special_mask differ in shape")
    if not 0 < rate <= 1:
        raise ValueError("the rate must be above 0 and at most 1")
    if len(split) != 3 or min(split) < 0 or abs(sum(split) - 1) > 1e-6:
        raise ValueError("the split must be three shares that add up to 1")
    if not all(0 <= i < vocab_size for i in [mask_id, *special_ids, int(ids.min()), int(ids.max())]):
        raise ValueError("an id is outside the vocabulary")
    if len(set(special_ids)) >= vocab_size:
        raise ValueError("no token is left to draw")
    if special_mask.all():
        raise ValueError("all tokens are special")
    chosen = (torch.rand(ids.shape, generator=generator) < 0.15) & ~special_mask
    u = torch.rand(ids.shape, generator=generator)
    to_mask = chosen & (u < split[0])
    to_random = chosen & (u >= split[0]) & (u < split[0] + split[1])
    allowed = torch.tensor([i for i in range(vocab_size) if i not in set(special_ids)])
    tokens = allowed[torch.randint(len(allowed), ids.shape, generator=generator)]
    inputs = torch.where(to_mask, mask_id, torch.where(to_random, tokens, ids))
    return inputs, torch.where(chosen, ids, -100)


# %% 10.1 wrong | the generator is ignored: the same seed gives other masks
from collections.abc import Sequence
from course.masking import SPLIT
from torch import Generator


@exercise("10.1")
def mask_tokens(
    ids: Int[Tensor, "*batch n"],
    *,
    mask_id: int,
    vocab_size: int,
    special_mask: Bool[Tensor, "*batch n"],
    rate: float = 0.15,
    split: tuple[float, float, float] = SPLIT,
    special_ids: Sequence[int] = (),
    generator: Generator | None = None,
) -> tuple[Int[Tensor, "*batch n"], Int[Tensor, "*batch n"]]:
    if ids.is_floating_point() or ids.dtype == torch.bool:
        raise TypeError("ids must be whole numbers")
    if special_mask.dtype != torch.bool:
        raise TypeError("special_mask must be boolean")
    if ids.shape != special_mask.shape:
        raise ValueError("ids and special_mask differ in shape")
    if not 0 < rate <= 1:
        raise ValueError("the rate must be above 0 and at most 1")
    if len(split) != 3 or min(split) < 0 or abs(sum(split) - 1) > 1e-6:
        raise ValueError("the split must be three shares that add up to 1")
    if not all(0 <= i < vocab_size for i in [mask_id, *special_ids, int(ids.min()), int(ids.max())]):
        raise ValueError("an id is outside the vocabulary")
    if len(set(special_ids)) >= vocab_size:
        raise ValueError("no token is left to draw")
    if special_mask.all():
        raise ValueError("all tokens are special")
    generator = None
    chosen = (torch.rand(ids.shape, generator=generator) < rate) & ~special_mask
    u = torch.rand(ids.shape, generator=generator)
    to_mask = chosen & (u < split[0])
    to_random = chosen & (u >= split[0]) & (u < split[0] + split[1])
    allowed = torch.tensor([i for i in range(vocab_size) if i not in set(special_ids)])
    tokens = allowed[torch.randint(len(allowed), ids.shape, generator=generator)]
    inputs = torch.where(to_mask, mask_id, torch.where(to_random, tokens, ids))
    return inputs, torch.where(chosen, ids, -100)


# %% 10.1 wrong | places without a question are labelled 0 and not -100
from collections.abc import Sequence
from course.masking import SPLIT
from torch import Generator


@exercise("10.1")
def mask_tokens(
    ids: Int[Tensor, "*batch n"],
    *,
    mask_id: int,
    vocab_size: int,
    special_mask: Bool[Tensor, "*batch n"],
    rate: float = 0.15,
    split: tuple[float, float, float] = SPLIT,
    special_ids: Sequence[int] = (),
    generator: Generator | None = None,
) -> tuple[Int[Tensor, "*batch n"], Int[Tensor, "*batch n"]]:
    if ids.is_floating_point() or ids.dtype == torch.bool:
        raise TypeError("ids must be whole numbers")
    if special_mask.dtype != torch.bool:
        raise TypeError("special_mask must be boolean")
    if ids.shape != special_mask.shape:
        raise ValueError("ids and special_mask differ in shape")
    if not 0 < rate <= 1:
        raise ValueError("the rate must be above 0 and at most 1")
    if len(split) != 3 or min(split) < 0 or abs(sum(split) - 1) > 1e-6:
        raise ValueError("the split must be three shares that add up to 1")
    if not all(0 <= i < vocab_size for i in [mask_id, *special_ids, int(ids.min()), int(ids.max())]):
        raise ValueError("an id is outside the vocabulary")
    if len(set(special_ids)) >= vocab_size:
        raise ValueError("no token is left to draw")
    if special_mask.all():
        raise ValueError("all tokens are special")
    chosen = (torch.rand(ids.shape, generator=generator) < rate) & ~special_mask
    u = torch.rand(ids.shape, generator=generator)
    to_mask = chosen & (u < split[0])
    to_random = chosen & (u >= split[0]) & (u < split[0] + split[1])
    allowed = torch.tensor([i for i in range(vocab_size) if i not in set(special_ids)])
    tokens = allowed[torch.randint(len(allowed), ids.shape, generator=generator)]
    inputs = torch.where(to_mask, mask_id, torch.where(to_random, tokens, ids))
    return inputs, torch.where(chosen, ids, 0)


# %% 10.1 wrong | one draw for a column serves all rows of a batch: every text has its gaps at the same places
from collections.abc import Sequence
from course.masking import SPLIT
from torch import Generator


@exercise("10.1")
def mask_tokens(
    ids: Int[Tensor, "*batch n"],
    *,
    mask_id: int,
    vocab_size: int,
    special_mask: Bool[Tensor, "*batch n"],
    rate: float = 0.15,
    split: tuple[float, float, float] = SPLIT,
    special_ids: Sequence[int] = (),
    generator: Generator | None = None,
) -> tuple[Int[Tensor, "*batch n"], Int[Tensor, "*batch n"]]:
    if ids.is_floating_point() or ids.dtype == torch.bool:
        raise TypeError("ids must be whole numbers")
    if special_mask.dtype != torch.bool:
        raise TypeError("special_mask must be boolean")
    if ids.shape != special_mask.shape:
        raise ValueError("ids and special_mask differ in shape")
    if not 0 < rate <= 1:
        raise ValueError("the rate must be above 0 and at most 1")
    if len(split) != 3 or min(split) < 0 or abs(sum(split) - 1) > 1e-6:
        raise ValueError("the split must be three shares that add up to 1")
    if not all(0 <= i < vocab_size for i in [mask_id, *special_ids, int(ids.min()), int(ids.max())]):
        raise ValueError("an id is outside the vocabulary")
    if len(set(special_ids)) >= vocab_size:
        raise ValueError("no token is left to draw")
    if special_mask.all():
        raise ValueError("all tokens are special")
    chosen = (torch.rand(ids.shape[-1], generator=generator) < rate) & ~special_mask
    u = torch.rand(ids.shape, generator=generator)
    to_mask = chosen & (u < split[0])
    to_random = chosen & (u >= split[0]) & (u < split[0] + split[1])
    allowed = torch.tensor([i for i in range(vocab_size) if i not in set(special_ids)])
    tokens = allowed[torch.randint(len(allowed), ids.shape, generator=generator)]
    inputs = torch.where(to_mask, mask_id, torch.where(to_random, tokens, ids))
    return inputs, torch.where(chosen, ids, -100)


# %% 10.1 wrong | labels first, inputs second
from collections.abc import Sequence
from course.masking import SPLIT
from torch import Generator


@exercise("10.1")
def mask_tokens(
    ids: Int[Tensor, "*batch n"],
    *,
    mask_id: int,
    vocab_size: int,
    special_mask: Bool[Tensor, "*batch n"],
    rate: float = 0.15,
    split: tuple[float, float, float] = SPLIT,
    special_ids: Sequence[int] = (),
    generator: Generator | None = None,
) -> tuple[Int[Tensor, "*batch n"], Int[Tensor, "*batch n"]]:
    if ids.is_floating_point() or ids.dtype == torch.bool:
        raise TypeError("ids must be whole numbers")
    if special_mask.dtype != torch.bool:
        raise TypeError("special_mask must be boolean")
    if ids.shape != special_mask.shape:
        raise ValueError("ids and special_mask differ in shape")
    if not 0 < rate <= 1:
        raise ValueError("the rate must be above 0 and at most 1")
    if len(split) != 3 or min(split) < 0 or abs(sum(split) - 1) > 1e-6:
        raise ValueError("the split must be three shares that add up to 1")
    if not all(0 <= i < vocab_size for i in [mask_id, *special_ids, int(ids.min()), int(ids.max())]):
        raise ValueError("an id is outside the vocabulary")
    if len(set(special_ids)) >= vocab_size:
        raise ValueError("no token is left to draw")
    if special_mask.all():
        raise ValueError("all tokens are special")
    chosen = (torch.rand(ids.shape, generator=generator) < rate) & ~special_mask
    u = torch.rand(ids.shape, generator=generator)
    to_mask = chosen & (u < split[0])
    to_random = chosen & (u >= split[0]) & (u < split[0] + split[1])
    allowed = torch.tensor([i for i in range(vocab_size) if i not in set(special_ids)])
    tokens = allowed[torch.randint(len(allowed), ids.shape, generator=generator)]
    inputs = torch.where(to_mask, mask_id, torch.where(to_random, tokens, ids))
    return torch.where(chosen, ids, -100), inputs


# %% 10.1 wrong | nothing is checked: impossible rates, splits, ids or shapes raise no error
from collections.abc import Sequence
from course.masking import SPLIT
from torch import Generator


@exercise("10.1")
def mask_tokens(
    ids: Int[Tensor, "*batch n"],
    *,
    mask_id: int,
    vocab_size: int,
    special_mask: Bool[Tensor, "*batch n"],
    rate: float = 0.15,
    split: tuple[float, float, float] = SPLIT,
    special_ids: Sequence[int] = (),
    generator: Generator | None = None,
) -> tuple[Int[Tensor, "*batch n"], Int[Tensor, "*batch n"]]:
    chosen = (torch.rand(ids.shape, generator=generator) < rate) & ~special_mask
    u = torch.rand(ids.shape, generator=generator)
    to_mask = chosen & (u < split[0])
    to_random = chosen & (u >= split[0]) & (u < split[0] + split[1])
    allowed = torch.tensor([i for i in range(vocab_size) if i not in set(special_ids)])
    tokens = allowed[torch.randint(len(allowed), ids.shape, generator=generator)]
    inputs = torch.where(to_mask, mask_id, torch.where(to_random, tokens, ids))
    return inputs, torch.where(chosen, ids, -100)


# %% 10.1 wrong | float ids and a mask of 0 and 1 are converted and raise no TypeError
from collections.abc import Sequence
from course.masking import SPLIT
from torch import Generator


@exercise("10.1")
def mask_tokens(
    ids: Int[Tensor, "*batch n"],
    *,
    mask_id: int,
    vocab_size: int,
    special_mask: Bool[Tensor, "*batch n"],
    rate: float = 0.15,
    split: tuple[float, float, float] = SPLIT,
    special_ids: Sequence[int] = (),
    generator: Generator | None = None,
) -> tuple[Int[Tensor, "*batch n"], Int[Tensor, "*batch n"]]:
    special_mask = special_mask.bool()
    ids = ids.long()
    if ids.is_floating_point() or ids.dtype == torch.bool:
        raise TypeError("ids must be whole numbers")
    if special_mask.dtype != torch.bool:
        raise TypeError("special_mask must be boolean")
    if ids.shape != special_mask.shape:
        raise ValueError("ids and special_mask differ in shape")
    if not 0 < rate <= 1:
        raise ValueError("the rate must be above 0 and at most 1")
    if len(split) != 3 or min(split) < 0 or abs(sum(split) - 1) > 1e-6:
        raise ValueError("the split must be three shares that add up to 1")
    if not all(0 <= i < vocab_size for i in [mask_id, *special_ids, int(ids.min()), int(ids.max())]):
        raise ValueError("an id is outside the vocabulary")
    if len(set(special_ids)) >= vocab_size:
        raise ValueError("no token is left to draw")
    if special_mask.all():
        raise ValueError("all tokens are special")
    chosen = (torch.rand(ids.shape, generator=generator) < rate) & ~special_mask
    u = torch.rand(ids.shape, generator=generator)
    to_mask = chosen & (u < split[0])
    to_random = chosen & (u >= split[0]) & (u < split[0] + split[1])
    allowed = torch.tensor([i for i in range(vocab_size) if i not in set(special_ids)])
    tokens = allowed[torch.randint(len(allowed), ids.shape, generator=generator)]
    inputs = torch.where(to_mask, mask_id, torch.where(to_random, tokens, ids))
    return inputs, torch.where(chosen, ids, -100)


# %% 10.1 right | two draws and where
from collections.abc import Sequence
from course.masking import SPLIT
from torch import Generator


@exercise("10.1")
def mask_tokens(
    ids: Int[Tensor, "*batch n"],
    *,
    mask_id: int,
    vocab_size: int,
    special_mask: Bool[Tensor, "*batch n"],
    rate: float = 0.15,
    split: tuple[float, float, float] = SPLIT,
    special_ids: Sequence[int] = (),
    generator: Generator | None = None,
) -> tuple[Int[Tensor, "*batch n"], Int[Tensor, "*batch n"]]:
    if ids.is_floating_point() or ids.dtype == torch.bool:
        raise TypeError("ids must be whole numbers")
    if special_mask.dtype != torch.bool:
        raise TypeError("special_mask must be boolean")
    if ids.shape != special_mask.shape:
        raise ValueError("ids and special_mask differ in shape")
    if not 0 < rate <= 1:
        raise ValueError("the rate must be above 0 and at most 1")
    if len(split) != 3 or min(split) < 0 or abs(sum(split) - 1) > 1e-6:
        raise ValueError("the split must be three shares that add up to 1")
    if not all(0 <= i < vocab_size for i in [mask_id, *special_ids, int(ids.min()), int(ids.max())]):
        raise ValueError("an id is outside the vocabulary")
    if len(set(special_ids)) >= vocab_size:
        raise ValueError("no token is left to draw")
    if special_mask.all():
        raise ValueError("all tokens are special")
    chosen = (torch.rand(ids.shape, generator=generator) < rate) & ~special_mask
    u = torch.rand(ids.shape, generator=generator)
    to_mask = chosen & (u < split[0])
    to_random = chosen & (u >= split[0]) & (u < split[0] + split[1])
    allowed = torch.tensor([i for i in range(vocab_size) if i not in set(special_ids)])
    tokens = allowed[torch.randint(len(allowed), ids.shape, generator=generator)]
    inputs = torch.where(to_mask, mask_id, torch.where(to_random, tokens, ids))
    return inputs, torch.where(chosen, ids, -100)


# %% 10.1 right | Bernoulli and multinomial, random tokens drawn first
from collections.abc import Sequence
from course.masking import SPLIT
from torch import Generator


@exercise("10.1")
def mask_tokens(
    ids: Int[Tensor, "*batch n"],
    *,
    mask_id: int,
    vocab_size: int,
    special_mask: Bool[Tensor, "*batch n"],
    rate: float = 0.15,
    split: tuple[float, float, float] = SPLIT,
    special_ids: Sequence[int] = (),
    generator: Generator | None = None,
) -> tuple[Int[Tensor, "*batch n"], Int[Tensor, "*batch n"]]:
    if ids.is_floating_point() or ids.dtype == torch.bool:
        raise TypeError("ids must be whole numbers")
    if special_mask.dtype != torch.bool:
        raise TypeError("special_mask must be boolean")
    if ids.shape != special_mask.shape:
        raise ValueError("ids and special_mask differ in shape")
    if not 0 < rate <= 1:
        raise ValueError("the rate must be above 0 and at most 1")
    if len(split) != 3 or min(split) < 0 or abs(sum(split) - 1) > 1e-6:
        raise ValueError("the split must be three shares that add up to 1")
    if not all(0 <= i < vocab_size for i in [mask_id, *special_ids, int(ids.min()), int(ids.max())]):
        raise ValueError("an id is outside the vocabulary")
    if len(set(special_ids)) >= vocab_size:
        raise ValueError("no token is left to draw")
    if special_mask.all():
        raise ValueError("all tokens are special")
    weights = torch.ones(vocab_size)
    weights[list(special_ids)] = 0
    tokens = torch.multinomial(weights, ids.numel(), replacement=True, generator=generator).view(ids.shape)
    kind = torch.multinomial(torch.tensor(split), ids.numel(), replacement=True, generator=generator).view(
        ids.shape
    )
    chosen = torch.bernoulli(
        torch.full(ids.shape, float(rate)).masked_fill(special_mask, 0.0), generator=generator
    ).bool()
    inputs = ids.clone()
    inputs[chosen & (kind == 0)] = mask_id
    inputs[chosen & (kind == 1)] = tokens[chosen & (kind == 1)]
    return inputs, ids.masked_fill(~chosen, -100)


# %% 10.1 right | token by token, in a loop
from collections.abc import Sequence
from course.masking import SPLIT
from torch import Generator


@exercise("10.1")
def mask_tokens(
    ids: Int[Tensor, "*batch n"],
    *,
    mask_id: int,
    vocab_size: int,
    special_mask: Bool[Tensor, "*batch n"],
    rate: float = 0.15,
    split: tuple[float, float, float] = SPLIT,
    special_ids: Sequence[int] = (),
    generator: Generator | None = None,
) -> tuple[Int[Tensor, "*batch n"], Int[Tensor, "*batch n"]]:
    if ids.is_floating_point() or ids.dtype == torch.bool:
        raise TypeError("ids must be whole numbers")
    if special_mask.dtype != torch.bool:
        raise TypeError("special_mask must be boolean")
    if ids.shape != special_mask.shape:
        raise ValueError("ids and special_mask differ in shape")
    if not 0 < rate <= 1:
        raise ValueError("the rate must be above 0 and at most 1")
    if len(split) != 3 or min(split) < 0 or abs(sum(split) - 1) > 1e-6:
        raise ValueError("the split must be three shares that add up to 1")
    if not all(0 <= i < vocab_size for i in [mask_id, *special_ids, int(ids.min()), int(ids.max())]):
        raise ValueError("an id is outside the vocabulary")
    if len(set(special_ids)) >= vocab_size:
        raise ValueError("no token is left to draw")
    if special_mask.all():
        raise ValueError("all tokens are special")
    allowed = [i for i in range(vocab_size) if i not in special_ids]
    inputs, labels = ids.clone().flatten(), torch.full_like(ids, -100).flatten()
    for i, special in enumerate(special_mask.flatten().tolist()):
        if special or torch.rand(1, generator=generator).item() >= rate:
            continue
        labels[i] = inputs[i]
        u = torch.rand(1, generator=generator).item()
        if u < split[0]:
            inputs[i] = mask_id
        elif u < split[0] + split[1]:
            inputs[i] = allowed[torch.randint(len(allowed), (1,), generator=generator).item()]
    return inputs.view(ids.shape), labels.view(ids.shape)


# %% 10.1 right | with fewer checks: a rate of 0 is let through (nothing is chosen then)
from collections.abc import Sequence
from course.masking import SPLIT
from torch import Generator


@exercise("10.1")
def mask_tokens(
    ids: Int[Tensor, "*batch n"],
    *,
    mask_id: int,
    vocab_size: int,
    special_mask: Bool[Tensor, "*batch n"],
    rate: float = 0.15,
    split: tuple[float, float, float] = SPLIT,
    special_ids: Sequence[int] = (),
    generator: Generator | None = None,
) -> tuple[Int[Tensor, "*batch n"], Int[Tensor, "*batch n"]]:
    if ids.is_floating_point() or special_mask.dtype != torch.bool:
        raise TypeError("whole numbers and a boolean mask, please")
    if ids.shape != special_mask.shape or special_mask.all():
        raise ValueError("the mask does not fit, or leaves nothing")
    if rate < 0 or rate > 1 or any(share < 0 for share in split) or not math.isclose(sum(split), 1):
        raise ValueError("rate and split must be shares")
    every = torch.cat([ids.flatten(), torch.tensor([mask_id, *special_ids])])
    if every.min() < 0 or every.max() >= vocab_size:
        raise ValueError("an id is not in the vocabulary")
    chosen = (torch.rand(ids.shape, generator=generator) < rate) & ~special_mask
    u = torch.rand(ids.shape, generator=generator)
    to_mask = chosen & (u < split[0])
    to_random = chosen & (u >= split[0]) & (u < split[0] + split[1])
    allowed = torch.tensor([i for i in range(vocab_size) if i not in set(special_ids)])
    tokens = allowed[torch.randint(len(allowed), ids.shape, generator=generator)]
    inputs = torch.where(to_mask, mask_id, torch.where(to_random, tokens, ids))
    return inputs, torch.where(chosen, ids, -100)


# %% 10.2 wrong | the labels are swapped: 1 for a true pair and 0 for a random one
from collections.abc import Sequence
from course.next_sentence import Sentence, SentencePair
from torch import Generator


@exercise("10.2")
def next_sentence_pairs(
    documents: Sequence[Sequence[Sentence]], *, generator: Generator | None = None
) -> list[SentencePair[Sentence]]:
    if len(documents) < 2 or min(len(document) for document in documents) == 0:
        raise ValueError("at least two documents, and none of them empty")
    if max(len(document) for document in documents) < 2:
        raise ValueError("no document has two sentences")
    pairs = []
    for d, document in enumerate(documents):
        for i in range(len(document) - 1):
            if torch.rand((), generator=generator) < 0.5:
                pairs.append(SentencePair(document[i], document[i + 1], 1))
            else:
                j = int(torch.randint(len(documents) - 1, (), generator=generator))
                other = documents[j if j < d else j + 1]
                k = int(torch.randint(len(other), (), generator=generator))
                pairs.append(SentencePair(document[i], other[k], 0))
    return pairs


# %% 10.2 wrong | the random sentence may come from the same document, and so be the true one
from collections.abc import Sequence
from course.next_sentence import Sentence, SentencePair
from torch import Generator


@exercise("10.2")
def next_sentence_pairs(
    documents: Sequence[Sequence[Sentence]], *, generator: Generator | None = None
) -> list[SentencePair[Sentence]]:
    if len(documents) < 2 or min(len(document) for document in documents) == 0:
        raise ValueError("at least two documents, and none of them empty")
    if max(len(document) for document in documents) < 2:
        raise ValueError("no document has two sentences")
    pairs = []
    for d, document in enumerate(documents):
        for i in range(len(document) - 1):
            if torch.rand((), generator=generator) < 0.5:
                pairs.append(SentencePair(document[i], document[i + 1], 0))
            else:
                other = documents[int(torch.randint(len(documents), (), generator=generator))]
                k = int(torch.randint(len(other), (), generator=generator))
                pairs.append(SentencePair(document[i], other[k], 1))
    return pairs


# %% 10.2 wrong | the random sentence comes from the same document, always
from collections.abc import Sequence
from course.next_sentence import Sentence, SentencePair
from torch import Generator


@exercise("10.2")
def next_sentence_pairs(
    documents: Sequence[Sequence[Sentence]], *, generator: Generator | None = None
) -> list[SentencePair[Sentence]]:
    if len(documents) < 2 or min(len(document) for document in documents) == 0:
        raise ValueError("at least two documents, and none of them empty")
    if max(len(document) for document in documents) < 2:
        raise ValueError("no document has two sentences")
    pairs = []
    for document in documents:
        for i in range(len(document) - 1):
            if torch.rand((), generator=generator) < 0.5:
                pairs.append(SentencePair(document[i], document[i + 1], 0))
            else:
                k = int(torch.randint(len(document), (), generator=generator))
                pairs.append(SentencePair(document[i], document[k], 1))
    return pairs


# %% 10.2 wrong | the random sentence is always the first of its document
from collections.abc import Sequence
from course.next_sentence import Sentence, SentencePair
from torch import Generator


@exercise("10.2")
def next_sentence_pairs(
    documents: Sequence[Sequence[Sentence]], *, generator: Generator | None = None
) -> list[SentencePair[Sentence]]:
    if len(documents) < 2 or min(len(document) for document in documents) == 0:
        raise ValueError("at least two documents, and none of them empty")
    if max(len(document) for document in documents) < 2:
        raise ValueError("no document has two sentences")
    pairs = []
    for d, document in enumerate(documents):
        for i in range(len(document) - 1):
            if torch.rand((), generator=generator) < 0.5:
                pairs.append(SentencePair(document[i], document[i + 1], 0))
            else:
                j = int(torch.randint(len(documents) - 1, (), generator=generator))
                other = documents[j if j < d else j + 1]
                k = int(torch.randint(len(other), (), generator=generator))
                pairs.append(SentencePair(document[i], other[0], 1))
    return pairs


# %% 10.2 wrong | no coin: true and random pairs take turns
from collections.abc import Sequence
from course.next_sentence import Sentence, SentencePair
from torch import Generator


@exercise("10.2")
def next_sentence_pairs(
    documents: Sequence[Sequence[Sentence]], *, generator: Generator | None = None
) -> list[SentencePair[Sentence]]:
    if len(documents) < 2 or min(len(document) for document in documents) == 0:
        raise ValueError("at least two documents, and none of them empty")
    if max(len(document) for document in documents) < 2:
        raise ValueError("no document has two sentences")
    pairs = []
    for d, document in enumerate(documents):
        for i in range(len(document) - 1):
            if len(pairs) % 2 == 0:
                pairs.append(SentencePair(document[i], document[i + 1], 0))
            else:
                j = int(torch.randint(len(documents) - 1, (), generator=generator))
                other = documents[j if j < d else j + 1]
                k = int(torch.randint(len(other), (), generator=generator))
                pairs.append(SentencePair(document[i], other[k], 1))
    return pairs


# %% 10.2 wrong | the coin is not fair: two true pairs to one random one
from collections.abc import Sequence
from course.next_sentence import Sentence, SentencePair
from torch import Generator


@exercise("10.2")
def next_sentence_pairs(
    documents: Sequence[Sequence[Sentence]], *, generator: Generator | None = None
) -> list[SentencePair[Sentence]]:
    if len(documents) < 2 or min(len(document) for document in documents) == 0:
        raise ValueError("at least two documents, and none of them empty")
    if max(len(document) for document in documents) < 2:
        raise ValueError("no document has two sentences")
    pairs = []
    for d, document in enumerate(documents):
        for i in range(len(document) - 1):
            if torch.randint(3, (), generator=generator) > 0:
                pairs.append(SentencePair(document[i], document[i + 1], 0))
            else:
                j = int(torch.randint(len(documents) - 1, (), generator=generator))
                other = documents[j if j < d else j + 1]
                k = int(torch.randint(len(other), (), generator=generator))
                pairs.append(SentencePair(document[i], other[k], 1))
    return pairs


# %% 10.2 wrong | one coin for a whole document: all its pairs are true or all are random
from collections.abc import Sequence
from course.next_sentence import Sentence, SentencePair
from torch import Generator


@exercise("10.2")
def next_sentence_pairs(
    documents: Sequence[Sequence[Sentence]], *, generator: Generator | None = None
) -> list[SentencePair[Sentence]]:
    if len(documents) < 2 or min(len(document) for document in documents) == 0:
        raise ValueError("at least two documents, and none of them empty")
    if max(len(document) for document in documents) < 2:
        raise ValueError("no document has two sentences")
    pairs = []
    for d, document in enumerate(documents):
        true = torch.rand((), generator=generator) < 0.5
        for i in range(len(document) - 1):
            if true:
                pairs.append(SentencePair(document[i], document[i + 1], 0))
            else:
                j = int(torch.randint(len(documents) - 1, (), generator=generator))
                other = documents[j if j < d else j + 1]
                k = int(torch.randint(len(other), (), generator=generator))
                pairs.append(SentencePair(document[i], other[k], 1))
    return pairs


# %% 10.2 wrong | goes over the document's end: the last sentence is paired with the first of the next document as though that followed
from collections.abc import Sequence
from course.next_sentence import Sentence, SentencePair
from torch import Generator


@exercise("10.2")
def next_sentence_pairs(
    documents: Sequence[Sequence[Sentence]], *, generator: Generator | None = None
) -> list[SentencePair[Sentence]]:
    if len(documents) < 2 or min(len(document) for document in documents) == 0:
        raise ValueError("at least two documents, and none of them empty")
    if max(len(document) for document in documents) < 2:
        raise ValueError("no document has two sentences")
    pairs = []
    for d, document in enumerate(documents):
        following = list(document[1:]) + [documents[(d + 1) % len(documents)][0]]
        for first, second in zip(document, following):
            if torch.rand((), generator=generator) < 0.5:
                pairs.append(SentencePair(first, second, 0))
            else:
                j = int(torch.randint(len(documents) - 1, (), generator=generator))
                other = documents[j if j < d else j + 1]
                k = int(torch.randint(len(other), (), generator=generator))
                pairs.append(SentencePair(first, other[k], 1))
    return pairs


# %% 10.2 wrong | the generator is ignored: the same seed gives other pairs
from collections.abc import Sequence
from course.next_sentence import Sentence, SentencePair
from torch import Generator


@exercise("10.2")
def next_sentence_pairs(
    documents: Sequence[Sequence[Sentence]], *, generator: Generator | None = None
) -> list[SentencePair[Sentence]]:
    if len(documents) < 2 or min(len(document) for document in documents) == 0:
        raise ValueError("at least two documents, and none of them empty")
    if max(len(document) for document in documents) < 2:
        raise ValueError("no document has two sentences")
    generator = None
    pairs = []
    for d, document in enumerate(documents):
        for i in range(len(document) - 1):
            if torch.rand((), generator=generator) < 0.5:
                pairs.append(SentencePair(document[i], document[i + 1], 0))
            else:
                j = int(torch.randint(len(documents) - 1, (), generator=generator))
                other = documents[j if j < d else j + 1]
                k = int(torch.randint(len(other), (), generator=generator))
                pairs.append(SentencePair(document[i], other[k], 1))
    return pairs


# %% 10.2 wrong | the other document is always the next one and not a random one
from collections.abc import Sequence
from course.next_sentence import Sentence, SentencePair
from torch import Generator


@exercise("10.2")
def next_sentence_pairs(
    documents: Sequence[Sequence[Sentence]], *, generator: Generator | None = None
) -> list[SentencePair[Sentence]]:
    if len(documents) < 2 or min(len(document) for document in documents) == 0:
        raise ValueError("at least two documents, and none of them empty")
    if max(len(document) for document in documents) < 2:
        raise ValueError("no document has two sentences")
    pairs = []
    for d, document in enumerate(documents):
        for i in range(len(document) - 1):
            if torch.rand((), generator=generator) < 0.5:
                pairs.append(SentencePair(document[i], document[i + 1], 0))
            else:
                other = documents[(d + 1) % len(documents)]
                k = int(torch.randint(len(other), (), generator=generator))
                pairs.append(SentencePair(document[i], other[k], 1))
    return pairs


# %% 10.2 wrong | draws among all but the last document without leaving out the own one: that can come up, the last never
from collections.abc import Sequence
from course.next_sentence import Sentence, SentencePair
from torch import Generator


@exercise("10.2")
def next_sentence_pairs(
    documents: Sequence[Sequence[Sentence]], *, generator: Generator | None = None
) -> list[SentencePair[Sentence]]:
    if len(documents) < 2 or min(len(document) for document in documents) == 0:
        raise ValueError("at least two documents, and none of them empty")
    if max(len(document) for document in documents) < 2:
        raise ValueError("no document has two sentences")
    pairs = []
    for d, document in enumerate(documents):
        for i in range(len(document) - 1):
            if torch.rand((), generator=generator) < 0.5:
                pairs.append(SentencePair(document[i], document[i + 1], 0))
            else:
                other = documents[int(torch.randint(len(documents) - 1, (), generator=generator))]
                k = int(torch.randint(len(other), (), generator=generator))
                pairs.append(SentencePair(document[i], other[k], 1))
    return pairs


# %% 10.2 wrong | where the own document comes up the one after it is taken, which is therefore twice as likely
from collections.abc import Sequence
from course.next_sentence import Sentence, SentencePair
from torch import Generator


@exercise("10.2")
def next_sentence_pairs(
    documents: Sequence[Sequence[Sentence]], *, generator: Generator | None = None
) -> list[SentencePair[Sentence]]:
    if len(documents) < 2 or min(len(document) for document in documents) == 0:
        raise ValueError("at least two documents, and none of them empty")
    if max(len(document) for document in documents) < 2:
        raise ValueError("no document has two sentences")
    pairs = []
    for d, document in enumerate(documents):
        for i in range(len(document) - 1):
            if torch.rand((), generator=generator) < 0.5:
                pairs.append(SentencePair(document[i], document[i + 1], 0))
            else:
                j = int(torch.randint(len(documents), (), generator=generator))
                j = (j + 1) % len(documents) if j == d else j
                other = documents[j]
                k = int(torch.randint(len(other), (), generator=generator))
                pairs.append(SentencePair(document[i], other[k], 1))
    return pairs


# %% 10.2 wrong | plain tuples and not SentencePairs
from collections.abc import Sequence
from course.next_sentence import Sentence, SentencePair
from torch import Generator


@exercise("10.2")
def next_sentence_pairs(
    documents: Sequence[Sequence[Sentence]], *, generator: Generator | None = None
) -> list[SentencePair[Sentence]]:
    if len(documents) < 2 or min(len(document) for document in documents) == 0:
        raise ValueError("at least two documents, and none of them empty")
    if max(len(document) for document in documents) < 2:
        raise ValueError("no document has two sentences")
    pairs = []
    for d, document in enumerate(documents):
        for i in range(len(document) - 1):
            if torch.rand((), generator=generator) < 0.5:
                pairs.append((document[i], document[i + 1], 0))
            else:
                j = int(torch.randint(len(documents) - 1, (), generator=generator))
                other = documents[j if j < d else j + 1]
                k = int(torch.randint(len(other), (), generator=generator))
                pairs.append((document[i], other[k], 1))
    return pairs


# %% 10.2 wrong | nothing is checked: a single document, an empty one, or none with two sentences raises no ValueError
from collections.abc import Sequence
from course.next_sentence import Sentence, SentencePair
from torch import Generator


@exercise("10.2")
def next_sentence_pairs(
    documents: Sequence[Sequence[Sentence]], *, generator: Generator | None = None
) -> list[SentencePair[Sentence]]:
    pairs = []
    for d, document in enumerate(documents):
        for i in range(len(document) - 1):
            if torch.rand((), generator=generator) < 0.5 or len(documents) < 2:
                pairs.append(SentencePair(document[i], document[i + 1], 0))
            else:
                j = int(torch.randint(len(documents) - 1, (), generator=generator))
                other = documents[j if j < d else j + 1]
                k = int(torch.randint(len(other), (), generator=generator))
                pairs.append(SentencePair(document[i], other[k], 1))
    return pairs


# %% 10.2 wrong | the pair is turned round: the following sentence comes first
from collections.abc import Sequence
from course.next_sentence import Sentence, SentencePair
from torch import Generator


@exercise("10.2")
def next_sentence_pairs(
    documents: Sequence[Sequence[Sentence]], *, generator: Generator | None = None
) -> list[SentencePair[Sentence]]:
    if len(documents) < 2 or min(len(document) for document in documents) == 0:
        raise ValueError("at least two documents, and none of them empty")
    if max(len(document) for document in documents) < 2:
        raise ValueError("no document has two sentences")
    pairs = []
    for d, document in enumerate(documents):
        for i in range(len(document) - 1):
            if torch.rand((), generator=generator) < 0.5:
                pairs.append(SentencePair(document[i + 1], document[i], 0))
            else:
                j = int(torch.randint(len(documents) - 1, (), generator=generator))
                other = documents[j if j < d else j + 1]
                k = int(torch.randint(len(other), (), generator=generator))
                pairs.append(SentencePair(other[k], document[i], 1))
    return pairs


# %% 10.2 wrong | the last sentence of a document is never drawn as the random one
from collections.abc import Sequence
from course.next_sentence import Sentence, SentencePair
from torch import Generator


@exercise("10.2")
def next_sentence_pairs(
    documents: Sequence[Sequence[Sentence]], *, generator: Generator | None = None
) -> list[SentencePair[Sentence]]:
    if len(documents) < 2 or min(len(document) for document in documents) == 0:
        raise ValueError("at least two documents, and none of them empty")
    if max(len(document) for document in documents) < 2:
        raise ValueError("no document has two sentences")
    pairs = []
    for d, document in enumerate(documents):
        for i in range(len(document) - 1):
            if torch.rand((), generator=generator) < 0.5:
                pairs.append(SentencePair(document[i], document[i + 1], 0))
            else:
                j = int(torch.randint(len(documents) - 1, (), generator=generator))
                other = documents[j if j < d else j + 1]
                k = int(torch.randint(len(other), (), generator=generator))
                k = int(torch.randint(max(len(other) - 1, 1), (), generator=generator))
                pairs.append(SentencePair(document[i], other[k], 1))
    return pairs


# %% 10.2 wrong | only every second sentence begins a pair: pairs do not overlap, and sentences are left out
from collections.abc import Sequence
from course.next_sentence import Sentence, SentencePair
from torch import Generator


@exercise("10.2")
def next_sentence_pairs(
    documents: Sequence[Sequence[Sentence]], *, generator: Generator | None = None
) -> list[SentencePair[Sentence]]:
    if len(documents) < 2 or min(len(document) for document in documents) == 0:
        raise ValueError("at least two documents, and none of them empty")
    if max(len(document) for document in documents) < 2:
        raise ValueError("no document has two sentences")
    pairs = []
    for d, document in enumerate(documents):
        for i in range(0, len(document) - 1, 2):
            if torch.rand((), generator=generator) < 0.5:
                pairs.append(SentencePair(document[i], document[i + 1], 0))
            else:
                j = int(torch.randint(len(documents) - 1, (), generator=generator))
                other = documents[j if j < d else j + 1]
                k = int(torch.randint(len(other), (), generator=generator))
                pairs.append(SentencePair(document[i], other[k], 1))
    return pairs


# %% 10.2 wrong | two pairs for every sentence, a true one and a random one, and no coin
from collections.abc import Sequence
from course.next_sentence import Sentence, SentencePair
from torch import Generator


@exercise("10.2")
def next_sentence_pairs(
    documents: Sequence[Sequence[Sentence]], *, generator: Generator | None = None
) -> list[SentencePair[Sentence]]:
    if len(documents) < 2 or min(len(document) for document in documents) == 0:
        raise ValueError("at least two documents, and none of them empty")
    if max(len(document) for document in documents) < 2:
        raise ValueError("no document has two sentences")
    pairs = []
    for d, document in enumerate(documents):
        for i in range(len(document) - 1):
            j = int(torch.randint(len(documents) - 1, (), generator=generator))
            other = documents[j if j < d else j + 1]
            k = int(torch.randint(len(other), (), generator=generator))
            pairs.append(SentencePair(document[i], document[i + 1], 0))
            pairs.append(SentencePair(document[i], other[k], 1))
    return pairs


# %% 10.2 wrong | documents of a single sentence are left out of the draw, so their sentence never comes
from collections.abc import Sequence
from course.next_sentence import Sentence, SentencePair
from torch import Generator


@exercise("10.2")
def next_sentence_pairs(
    documents: Sequence[Sequence[Sentence]], *, generator: Generator | None = None
) -> list[SentencePair[Sentence]]:
    if len(documents) < 2 or min(len(document) for document in documents) == 0:
        raise ValueError("at least two documents, and none of them empty")
    if max(len(document) for document in documents) < 2:
        raise ValueError("no document has two sentences")
    pairs = []
    for d, document in enumerate(documents):
        for i in range(len(document) - 1):
            others = [o for e, o in enumerate(documents) if e != d and len(o) > 1]
            if torch.rand((), generator=generator) < 0.5 or not others:
                pairs.append(SentencePair(document[i], document[i + 1], 0))
            else:
                other = others[int(torch.randint(len(others), (), generator=generator))]
                k = int(torch.randint(len(other), (), generator=generator))
                pairs.append(SentencePair(document[i], other[k], 1))
    return pairs


# %% 10.2 wrong | every pair is labelled 1, the true ones as well
from collections.abc import Sequence
from course.next_sentence import Sentence, SentencePair
from torch import Generator


@exercise("10.2")
def next_sentence_pairs(
    documents: Sequence[Sequence[Sentence]], *, generator: Generator | None = None
) -> list[SentencePair[Sentence]]:
    if len(documents) < 2 or min(len(document) for document in documents) == 0:
        raise ValueError("at least two documents, and none of them empty")
    if max(len(document) for document in documents) < 2:
        raise ValueError("no document has two sentences")
    pairs = []
    for d, document in enumerate(documents):
        for i in range(len(document) - 1):
            second = document[i + 1]
            if torch.rand((), generator=generator) < 0.5:
                j = int(torch.randint(len(documents) - 1, (), generator=generator))
                other = documents[j if j < d else j + 1]
                k = int(torch.randint(len(other), (), generator=generator))
                second = other[k]
            pairs.append(SentencePair(document[i], second, 1))
    return pairs


# %% 10.2 right | draws until the document is another
from collections.abc import Sequence
from course.next_sentence import Sentence, SentencePair
from torch import Generator


@exercise("10.2")
def next_sentence_pairs(
    documents: Sequence[Sequence[Sentence]], *, generator: Generator | None = None
) -> list[SentencePair[Sentence]]:
    if len(documents) < 2 or min(len(document) for document in documents) == 0:
        raise ValueError("at least two documents, and none of them empty")
    if max(len(document) for document in documents) < 2:
        raise ValueError("no document has two sentences")
    pairs = []
    for d, document in enumerate(documents):
        for first, second in zip(document[:-1], document[1:]):
            if torch.rand(1, generator=generator).item() < 0.5:
                pairs.append(SentencePair(first, second, 0))
                continue
            j = d
            while j == d:
                j = torch.randint(len(documents), (1,), generator=generator).item()
            k = torch.randint(len(documents[j]), (1,), generator=generator).item()
            pairs.append(SentencePair(first, documents[j][k], 1))
    return pairs


# %% 10.2 right | the number of the other document moved past the own one, all drawn before the coin
from collections.abc import Sequence
from course.next_sentence import Sentence, SentencePair
from torch import Generator


@exercise("10.2")
def next_sentence_pairs(
    documents: Sequence[Sequence[Sentence]], *, generator: Generator | None = None
) -> list[SentencePair[Sentence]]:
    if len(documents) < 2 or min(len(document) for document in documents) == 0:
        raise ValueError("at least two documents, and none of them empty")
    if max(len(document) for document in documents) < 2:
        raise ValueError("no document has two sentences")
    pairs = []
    for d, document in enumerate(documents):
        for i in range(len(document) - 1):
            j = int(torch.randint(len(documents) - 1, (), generator=generator))
            other = documents[j + (j >= d)]
            random = other[int(torch.rand((), generator=generator) * len(other))]
            heads = bool(torch.randint(2, (), generator=generator))
            pairs.append(SentencePair(document[i], document[i + 1] if heads else random, 0 if heads else 1))
    return pairs


# %% 10.2 right | a list of the others
from collections.abc import Sequence
from course.next_sentence import Sentence, SentencePair
from torch import Generator


@exercise("10.2")
def next_sentence_pairs(
    documents: Sequence[Sequence[Sentence]], *, generator: Generator | None = None
) -> list[SentencePair[Sentence]]:
    if len(documents) < 2 or min(len(document) for document in documents) == 0:
        raise ValueError("at least two documents, and none of them empty")
    if max(len(document) for document in documents) < 2:
        raise ValueError("no document has two sentences")

    def among(things):
        return things[torch.randint(0, len(things), (1,), generator=generator).item()]

    pairs = []
    for d, document in enumerate(documents):
        others = [other for e, other in enumerate(documents) if e != d]
        for i, first in enumerate(document[:-1]):
            label = among([0, 1])
            pairs.append(SentencePair(first, document[i + 1] if label == 0 else among(among(others)), label))
    return pairs


# %% 10.3 wrong | the first [SEP] is counted to the second text
from collections.abc import Sequence
from course.studies.bert_pretraining import Ids, Rows, SentencePair, WordPiece


@exercise("10.3")
def pair_rows(pairs: Sequence[SentencePair[Ids]], tokenizer: WordPiece) -> Rows:
    ids, segments = [], []
    for pair in pairs:
        ids.append([tokenizer.cls_id, *pair.first, tokenizer.sep_id, *pair.second, tokenizer.sep_id])
        segments.append([0] * (len(pair.first) + 1) + [1] * (len(pair.second) + 2))
    n = max(len(row) for row in ids)
    return Rows(
        torch.tensor([row + [tokenizer.pad_id] * (n - len(row)) for row in ids]),
        torch.tensor([row + [0] * (n - len(row)) for row in segments]),
        torch.tensor([pair.label for pair in pairs]),
    )


# %% 10.3 wrong | the last [SEP] is missing
from collections.abc import Sequence
from course.studies.bert_pretraining import Ids, Rows, SentencePair, WordPiece


@exercise("10.3")
def pair_rows(pairs: Sequence[SentencePair[Ids]], tokenizer: WordPiece) -> Rows:
    ids, segments = [], []
    for pair in pairs:
        ids.append([tokenizer.cls_id, *pair.first, tokenizer.sep_id, *pair.second])
        segments.append([0] * (len(pair.first) + 2) + [1] * len(pair.second))
    n = max(len(row) for row in ids)
    return Rows(
        torch.tensor([row + [tokenizer.pad_id] * (n - len(row)) for row in ids]),
        torch.tensor([row + [0] * (n - len(row)) for row in segments]),
        torch.tensor([pair.label for pair in pairs]),
    )


# %% 10.3 wrong | [CLS] is missing
from collections.abc import Sequence
from course.studies.bert_pretraining import Ids, Rows, SentencePair, WordPiece


@exercise("10.3")
def pair_rows(pairs: Sequence[SentencePair[Ids]], tokenizer: WordPiece) -> Rows:
    ids, segments = [], []
    for pair in pairs:
        ids.append([*pair.first, tokenizer.sep_id, *pair.second, tokenizer.sep_id])
        segments.append([0] * (len(pair.first) + 1) + [1] * (len(pair.second) + 1))
    n = max(len(row) for row in ids)
    return Rows(
        torch.tensor([row + [tokenizer.pad_id] * (n - len(row)) for row in ids]),
        torch.tensor([row + [0] * (n - len(row)) for row in segments]),
        torch.tensor([pair.label for pair in pairs]),
    )


# %% 10.3 wrong | the second text begins with a [CLS] of its own
from collections.abc import Sequence
from course.studies.bert_pretraining import Ids, Rows, SentencePair, WordPiece


@exercise("10.3")
def pair_rows(pairs: Sequence[SentencePair[Ids]], tokenizer: WordPiece) -> Rows:
    ids, segments = [], []
    for pair in pairs:
        ids.append(
            [
                tokenizer.cls_id,
                *pair.first,
                tokenizer.sep_id,
                tokenizer.cls_id,
                *pair.second,
                tokenizer.sep_id,
            ]
        )
        segments.append([0] * (len(pair.first) + 2) + [1] * (len(pair.second) + 2))
    n = max(len(row) for row in ids)
    return Rows(
        torch.tensor([row + [tokenizer.pad_id] * (n - len(row)) for row in ids]),
        torch.tensor([row + [0] * (n - len(row)) for row in segments]),
        torch.tensor([pair.label for pair in pairs]),
    )


# %% 10.3 wrong | there is no [SEP] between the texts
from collections.abc import Sequence
from course.studies.bert_pretraining import Ids, Rows, SentencePair, WordPiece


@exercise("10.3")
def pair_rows(pairs: Sequence[SentencePair[Ids]], tokenizer: WordPiece) -> Rows:
    ids, segments = [], []
    for pair in pairs:
        ids.append([tokenizer.cls_id, *pair.first, *pair.second, tokenizer.sep_id])
        segments.append([0] * (len(pair.first) + 1) + [1] * (len(pair.second) + 1))
    n = max(len(row) for row in ids)
    return Rows(
        torch.tensor([row + [tokenizer.pad_id] * (n - len(row)) for row in ids]),
        torch.tensor([row + [0] * (n - len(row)) for row in segments]),
        torch.tensor([pair.label for pair in pairs]),
    )


# %% 10.3 wrong | filled up with [SEP] in place of padding
from collections.abc import Sequence
from course.studies.bert_pretraining import Ids, Rows, SentencePair, WordPiece


@exercise("10.3")
def pair_rows(pairs: Sequence[SentencePair[Ids]], tokenizer: WordPiece) -> Rows:
    ids, segments = [], []
    for pair in pairs:
        ids.append([tokenizer.cls_id, *pair.first, tokenizer.sep_id, *pair.second, tokenizer.sep_id])
        segments.append([0] * (len(pair.first) + 2) + [1] * (len(pair.second) + 1))
    n = max(len(row) for row in ids)
    labels = torch.tensor([pair.label for pair in pairs])
    return Rows(
        torch.tensor([row + [tokenizer.sep_id] * (n - len(row)) for row in ids]),
        torch.tensor([row + [0] * (n - len(row)) for row in segments]),
        labels,
    )


# %% 10.3 wrong | the padding stands on the left
from collections.abc import Sequence
from course.studies.bert_pretraining import Ids, Rows, SentencePair, WordPiece


@exercise("10.3")
def pair_rows(pairs: Sequence[SentencePair[Ids]], tokenizer: WordPiece) -> Rows:
    ids, segments = [], []
    for pair in pairs:
        ids.append([tokenizer.cls_id, *pair.first, tokenizer.sep_id, *pair.second, tokenizer.sep_id])
        segments.append([0] * (len(pair.first) + 2) + [1] * (len(pair.second) + 1))
    n = max(len(row) for row in ids)
    labels = torch.tensor([pair.label for pair in pairs])
    return Rows(
        torch.tensor([[tokenizer.pad_id] * (n - len(row)) + row for row in ids]),
        torch.tensor([[0] * (n - len(row)) + row for row in segments]),
        labels,
    )


# %% 10.3 wrong | all segments are 0: the two texts are not told apart
from collections.abc import Sequence
from course.studies.bert_pretraining import Ids, Rows, SentencePair, WordPiece


@exercise("10.3")
def pair_rows(pairs: Sequence[SentencePair[Ids]], tokenizer: WordPiece) -> Rows:
    ids, segments = [], []
    for pair in pairs:
        ids.append([tokenizer.cls_id, *pair.first, tokenizer.sep_id, *pair.second, tokenizer.sep_id])
        segments.append([0] * len(ids[-1]))
    n = max(len(row) for row in ids)
    return Rows(
        torch.tensor([row + [tokenizer.pad_id] * (n - len(row)) for row in ids]),
        torch.tensor([row + [0] * (n - len(row)) for row in segments]),
        torch.tensor([pair.label for pair in pairs]),
    )


# %% 10.3 wrong | segments are numbered 1 and 2 and not 0 and 1
from collections.abc import Sequence
from course.studies.bert_pretraining import Ids, Rows, SentencePair, WordPiece


@exercise("10.3")
def pair_rows(pairs: Sequence[SentencePair[Ids]], tokenizer: WordPiece) -> Rows:
    ids, segments = [], []
    for pair in pairs:
        ids.append([tokenizer.cls_id, *pair.first, tokenizer.sep_id, *pair.second, tokenizer.sep_id])
        segments.append([1] * (len(pair.first) + 2) + [2] * (len(pair.second) + 1))
    n = max(len(row) for row in ids)
    return Rows(
        torch.tensor([row + [tokenizer.pad_id] * (n - len(row)) for row in ids]),
        torch.tensor([row + [0] * (n - len(row)) for row in segments]),
        torch.tensor([pair.label for pair in pairs]),
    )


# %% 10.3 wrong | the segments are the wrong way round: 1 for the first text and 0 for the second
from collections.abc import Sequence
from course.studies.bert_pretraining import Ids, Rows, SentencePair, WordPiece


@exercise("10.3")
def pair_rows(pairs: Sequence[SentencePair[Ids]], tokenizer: WordPiece) -> Rows:
    ids, segments = [], []
    for pair in pairs:
        ids.append([tokenizer.cls_id, *pair.first, tokenizer.sep_id, *pair.second, tokenizer.sep_id])
        segments.append([1] * (len(pair.first) + 2) + [0] * (len(pair.second) + 1))
    n = max(len(row) for row in ids)
    return Rows(
        torch.tensor([row + [tokenizer.pad_id] * (n - len(row)) for row in ids]),
        torch.tensor([row + [0] * (n - len(row)) for row in segments]),
        torch.tensor([pair.label for pair in pairs]),
    )


# %% 10.3 wrong | the first token of the second text still counts to the first text
from collections.abc import Sequence
from course.studies.bert_pretraining import Ids, Rows, SentencePair, WordPiece


@exercise("10.3")
def pair_rows(pairs: Sequence[SentencePair[Ids]], tokenizer: WordPiece) -> Rows:
    ids, segments = [], []
    for pair in pairs:
        ids.append([tokenizer.cls_id, *pair.first, tokenizer.sep_id, *pair.second, tokenizer.sep_id])
        segments.append([0] * (len(pair.first) + 3) + [1] * len(pair.second))
    n = max(len(row) for row in ids)
    return Rows(
        torch.tensor([row + [tokenizer.pad_id] * (n - len(row)) for row in ids]),
        torch.tensor([row + [0] * (n - len(row)) for row in segments]),
        torch.tensor([pair.label for pair in pairs]),
    )


# %% 10.3 wrong | the labels are turned round (1 - label)
from collections.abc import Sequence
from course.studies.bert_pretraining import Ids, Rows, SentencePair, WordPiece


@exercise("10.3")
def pair_rows(pairs: Sequence[SentencePair[Ids]], tokenizer: WordPiece) -> Rows:
    ids, segments = [], []
    for pair in pairs:
        ids.append([tokenizer.cls_id, *pair.first, tokenizer.sep_id, *pair.second, tokenizer.sep_id])
        segments.append([0] * (len(pair.first) + 2) + [1] * (len(pair.second) + 1))
    n = max(len(row) for row in ids)
    return Rows(
        torch.tensor([row + [tokenizer.pad_id] * (n - len(row)) for row in ids]),
        torch.tensor([row + [0] * (n - len(row)) for row in segments]),
        torch.tensor([1 - pair.label for pair in pairs]),
    )


# %% 10.3 wrong | the labels are floats, which cross-entropy does not take for classes
from collections.abc import Sequence
from course.studies.bert_pretraining import Ids, Rows, SentencePair, WordPiece


@exercise("10.3")
def pair_rows(pairs: Sequence[SentencePair[Ids]], tokenizer: WordPiece) -> Rows:
    ids, segments = [], []
    for pair in pairs:
        ids.append([tokenizer.cls_id, *pair.first, tokenizer.sep_id, *pair.second, tokenizer.sep_id])
        segments.append([0] * (len(pair.first) + 2) + [1] * (len(pair.second) + 1))
    n = max(len(row) for row in ids)
    return Rows(
        torch.tensor([row + [tokenizer.pad_id] * (n - len(row)) for row in ids]),
        torch.tensor([row + [0] * (n - len(row)) for row in segments]),
        torch.tensor([float(pair.label) for pair in pairs]),
    )


# %% 10.3 wrong | the labels are a list and no tensor
from collections.abc import Sequence
from course.studies.bert_pretraining import Ids, Rows, SentencePair, WordPiece


@exercise("10.3")
def pair_rows(pairs: Sequence[SentencePair[Ids]], tokenizer: WordPiece) -> Rows:
    ids, segments = [], []
    for pair in pairs:
        ids.append([tokenizer.cls_id, *pair.first, tokenizer.sep_id, *pair.second, tokenizer.sep_id])
        segments.append([0] * (len(pair.first) + 2) + [1] * (len(pair.second) + 1))
    n = max(len(row) for row in ids)
    return Rows(
        torch.tensor([row + [tokenizer.pad_id] * (n - len(row)) for row in ids]),
        torch.tensor([row + [0] * (n - len(row)) for row in segments]),
        [pair.label for pair in pairs],
    )


# %% 10.3 wrong | the texts are in the wrong order, the second one first
from collections.abc import Sequence
from course.studies.bert_pretraining import Ids, Rows, SentencePair, WordPiece


@exercise("10.3")
def pair_rows(pairs: Sequence[SentencePair[Ids]], tokenizer: WordPiece) -> Rows:
    ids, segments = [], []
    for pair in pairs:
        ids.append([tokenizer.cls_id, *pair.second, tokenizer.sep_id, *pair.first, tokenizer.sep_id])
        segments.append([0] * (len(pair.second) + 2) + [1] * (len(pair.first) + 1))
    n = max(len(row) for row in ids)
    return Rows(
        torch.tensor([row + [tokenizer.pad_id] * (n - len(row)) for row in ids]),
        torch.tensor([row + [0] * (n - len(row)) for row in segments]),
        torch.tensor([pair.label for pair in pairs]),
    )


# %% 10.3 wrong | cut to the shortest pair in place of padded to the longest
from collections.abc import Sequence
from course.studies.bert_pretraining import Ids, Rows, SentencePair, WordPiece


@exercise("10.3")
def pair_rows(pairs: Sequence[SentencePair[Ids]], tokenizer: WordPiece) -> Rows:
    ids, segments = [], []
    for pair in pairs:
        ids.append([tokenizer.cls_id, *pair.first, tokenizer.sep_id, *pair.second, tokenizer.sep_id])
        segments.append([0] * (len(pair.first) + 2) + [1] * (len(pair.second) + 1))
    n = min(len(row) for row in ids)
    labels = torch.tensor([pair.label for pair in pairs])
    return Rows(
        torch.tensor([row[:n] for row in ids]),
        torch.tensor([row[:n] for row in segments]),
        labels,
    )


# %% 10.3 wrong | no padding at all: pairs of different lengths raise an error
from collections.abc import Sequence
from course.studies.bert_pretraining import Ids, Rows, SentencePair, WordPiece


@exercise("10.3")
def pair_rows(pairs: Sequence[SentencePair[Ids]], tokenizer: WordPiece) -> Rows:
    ids, segments = [], []
    for pair in pairs:
        ids.append([tokenizer.cls_id, *pair.first, tokenizer.sep_id, *pair.second, tokenizer.sep_id])
        segments.append([0] * (len(pair.first) + 2) + [1] * (len(pair.second) + 1))
    return Rows(torch.tensor(ids), torch.tensor(segments), torch.tensor([pair.label for pair in pairs]))


# %% 10.3 wrong | a plain tuple and no Rows
from collections.abc import Sequence
from course.studies.bert_pretraining import Ids, Rows, SentencePair, WordPiece


@exercise("10.3")
def pair_rows(pairs: Sequence[SentencePair[Ids]], tokenizer: WordPiece) -> Rows:
    ids, segments = [], []
    for pair in pairs:
        ids.append([tokenizer.cls_id, *pair.first, tokenizer.sep_id, *pair.second, tokenizer.sep_id])
        segments.append([0] * (len(pair.first) + 2) + [1] * (len(pair.second) + 1))
    n = max(len(row) for row in ids)
    return (
        torch.tensor([row + [tokenizer.pad_id] * (n - len(row)) for row in ids]),
        torch.tensor([row + [0] * (n - len(row)) for row in segments]),
        torch.tensor([pair.label for pair in pairs]),
    )


# %% 10.3 wrong | += lengthens the caller's lists of tokens
from collections.abc import Sequence
from course.studies.bert_pretraining import Ids, Rows, SentencePair, WordPiece


@exercise("10.3")
def pair_rows(pairs: Sequence[SentencePair[Ids]], tokenizer: WordPiece) -> Rows:
    ids, segments = [], []
    for pair in pairs:
        row = pair.first
        segments.append([0] * (len(pair.first) + 2) + [1] * (len(pair.second) + 1))
        row += [tokenizer.sep_id, *pair.second, tokenizer.sep_id]
        ids.append([tokenizer.cls_id, *row])
    n = max(len(row) for row in ids)
    return Rows(
        torch.tensor([row + [tokenizer.pad_id] * (n - len(row)) for row in ids]),
        torch.tensor([row + [0] * (n - len(row)) for row in segments]),
        torch.tensor([pair.label for pair in pairs]),
    )


# %% 10.3 wrong | the rows are sorted by length, so they are not in the order of the pairs
from collections.abc import Sequence
from course.studies.bert_pretraining import Ids, Rows, SentencePair, WordPiece


@exercise("10.3")
def pair_rows(pairs: Sequence[SentencePair[Ids]], tokenizer: WordPiece) -> Rows:
    pairs = sorted(pairs, key=lambda pair: -len(pair.first) - len(pair.second))
    ids, segments = [], []
    for pair in pairs:
        ids.append([tokenizer.cls_id, *pair.first, tokenizer.sep_id, *pair.second, tokenizer.sep_id])
        segments.append([0] * (len(pair.first) + 2) + [1] * (len(pair.second) + 1))
    n = max(len(row) for row in ids)
    return Rows(
        torch.tensor([row + [tokenizer.pad_id] * (n - len(row)) for row in ids]),
        torch.tensor([row + [0] * (n - len(row)) for row in segments]),
        torch.tensor([pair.label for pair in pairs]),
    )


# %% 10.3 right | lists, padded
from collections.abc import Sequence
from course.studies.bert_pretraining import Ids, Rows, SentencePair, WordPiece


@exercise("10.3")
def pair_rows(pairs: Sequence[SentencePair[Ids]], tokenizer: WordPiece) -> Rows:
    ids, segments = [], []
    for pair in pairs:
        ids.append([tokenizer.cls_id, *pair.first, tokenizer.sep_id, *pair.second, tokenizer.sep_id])
        segments.append([0] * (len(pair.first) + 2) + [1] * (len(pair.second) + 1))
    n = max(len(row) for row in ids)
    return Rows(
        torch.tensor([row + [tokenizer.pad_id] * (n - len(row)) for row in ids]),
        torch.tensor([row + [0] * (n - len(row)) for row in segments]),
        torch.tensor([pair.label for pair in pairs]),
    )


# %% 10.3 right | pad_sequence
from collections.abc import Sequence
from course.studies.bert_pretraining import Ids, Rows, SentencePair, WordPiece


@exercise("10.3")
def pair_rows(pairs: Sequence[SentencePair[Ids]], tokenizer: WordPiece) -> Rows:
    from torch.nn.utils.rnn import pad_sequence

    cls, sep = tokenizer.cls_id, tokenizer.sep_id
    ids = [torch.tensor([cls] + list(p.first) + [sep] + list(p.second) + [sep]) for p in pairs]
    segments = [torch.tensor([0] * (len(p.first) + 2) + [1] * (len(p.second) + 1)) for p in pairs]
    return Rows(
        ids=pad_sequence(ids, batch_first=True, padding_value=tokenizer.pad_id),
        segments=pad_sequence(segments, batch_first=True),
        next_labels=torch.tensor([p.label for p in pairs]),
    )


# %% 10.3 right | written into full tensors
from collections.abc import Sequence
from course.studies.bert_pretraining import Ids, Rows, SentencePair, WordPiece


@exercise("10.3")
def pair_rows(pairs: Sequence[SentencePair[Ids]], tokenizer: WordPiece) -> Rows:
    n = max(len(pair.first) + len(pair.second) for pair in pairs) + 3
    ids = torch.full((len(pairs), n), tokenizer.pad_id)
    segments = torch.zeros_like(ids)
    labels = torch.zeros(len(pairs), dtype=torch.long)
    for i, pair in enumerate(pairs):
        a, b = len(pair.first), len(pair.second)
        ids[i, 0] = tokenizer.cls_id
        ids[i, 1 : a + 1] = torch.tensor(pair.first)
        ids[i, a + 1] = tokenizer.sep_id
        ids[i, a + 2 : a + b + 2] = torch.tensor(pair.second)
        ids[i, a + b + 2] = tokenizer.sep_id
        segments[i, a + 2 : a + b + 3] = 1
        labels[i] = pair.label
    return Rows(ids, segments, labels)


# %% 10.4 wrong | the activation is left out
import course.models.bert_heads


@exercise("10.4")
class MaskedLMHead(course.models.bert_heads.MaskedLMHead):
    def forward(
        self, x: Float[Tensor, "*batch d_model"], embedding: Float[Tensor, "vocab d_model"]
    ) -> Float[Tensor, "*batch vocab"]:
        return self.norm(self.linear(x)) @ embedding.T + self.bias


# %% 10.4 wrong | the norm is left out
import course.models.bert_heads


@exercise("10.4")
class MaskedLMHead(course.models.bert_heads.MaskedLMHead):
    def forward(
        self, x: Float[Tensor, "*batch d_model"], embedding: Float[Tensor, "vocab d_model"]
    ) -> Float[Tensor, "*batch vocab"]:
        return self.activation(self.linear(x)) @ embedding.T + self.bias


# %% 10.4 wrong | the bias of each token is left out
import course.models.bert_heads


@exercise("10.4")
class MaskedLMHead(course.models.bert_heads.MaskedLMHead):
    def forward(
        self, x: Float[Tensor, "*batch d_model"], embedding: Float[Tensor, "vocab d_model"]
    ) -> Float[Tensor, "*batch vocab"]:
        return self.norm(self.activation(self.linear(x))) @ embedding.T


# %% 10.4 wrong | the linear map is left out
import course.models.bert_heads


@exercise("10.4")
class MaskedLMHead(course.models.bert_heads.MaskedLMHead):
    def forward(
        self, x: Float[Tensor, "*batch d_model"], embedding: Float[Tensor, "vocab d_model"]
    ) -> Float[Tensor, "*batch vocab"]:
        return self.norm(self.activation(x)) @ embedding.T + self.bias


# %% 10.4 wrong | the norm comes before the activation
import course.models.bert_heads


@exercise("10.4")
class MaskedLMHead(course.models.bert_heads.MaskedLMHead):
    def forward(
        self, x: Float[Tensor, "*batch d_model"], embedding: Float[Tensor, "vocab d_model"]
    ) -> Float[Tensor, "*batch vocab"]:
        return self.activation(self.norm(self.linear(x))) @ embedding.T + self.bias


# %% 10.4 wrong | the norm comes first of all, before the linear map
import course.models.bert_heads


@exercise("10.4")
class MaskedLMHead(course.models.bert_heads.MaskedLMHead):
    def forward(
        self, x: Float[Tensor, "*batch d_model"], embedding: Float[Tensor, "vocab d_model"]
    ) -> Float[Tensor, "*batch vocab"]:
        return self.activation(self.linear(self.norm(x))) @ embedding.T + self.bias


# %% 10.4 wrong | the embedding is not transposed: an error, or logits of width d_model
import course.models.bert_heads


@exercise("10.4")
class MaskedLMHead(course.models.bert_heads.MaskedLMHead):
    def forward(
        self, x: Float[Tensor, "*batch d_model"], embedding: Float[Tensor, "vocab d_model"]
    ) -> Float[Tensor, "*batch vocab"]:
        return self.norm(self.activation(self.linear(x))) @ embedding + self.bias


# %% 10.4 wrong | always GELU, whatever activation the model has
import course.models.bert_heads


@exercise("10.4")
class MaskedLMHead(course.models.bert_heads.MaskedLMHead):
    def forward(
        self, x: Float[Tensor, "*batch d_model"], embedding: Float[Tensor, "vocab d_model"]
    ) -> Float[Tensor, "*batch vocab"]:
        return self.norm(F.gelu(self.linear(x))) @ embedding.T + self.bias


# %% 10.4 wrong | always tanh, as in the pooler, and not the model's activation
import course.models.bert_heads


@exercise("10.4")
class MaskedLMHead(course.models.bert_heads.MaskedLMHead):
    def forward(
        self, x: Float[Tensor, "*batch d_model"], embedding: Float[Tensor, "vocab d_model"]
    ) -> Float[Tensor, "*batch vocab"]:
        return self.norm(torch.tanh(self.linear(x))) @ embedding.T + self.bias


# %% 10.4 wrong | returns probabilities and not logits
import course.models.bert_heads


@exercise("10.4")
class MaskedLMHead(course.models.bert_heads.MaskedLMHead):
    def forward(
        self, x: Float[Tensor, "*batch d_model"], embedding: Float[Tensor, "vocab d_model"]
    ) -> Float[Tensor, "*batch vocab"]:
        return (self.norm(self.activation(self.linear(x))) @ embedding.T + self.bias).softmax(-1)


# %% 10.4 wrong | returns log-probabilities and not logits
import course.models.bert_heads


@exercise("10.4")
class MaskedLMHead(course.models.bert_heads.MaskedLMHead):
    def forward(
        self, x: Float[Tensor, "*batch d_model"], embedding: Float[Tensor, "vocab d_model"]
    ) -> Float[Tensor, "*batch vocab"]:
        return F.log_softmax(self.norm(self.activation(self.linear(x))) @ embedding.T + self.bias, dim=-1)


# %% 10.4 wrong | the embedding is detached, so the tokens' vectors learn nothing from what they predict
import course.models.bert_heads


@exercise("10.4")
class MaskedLMHead(course.models.bert_heads.MaskedLMHead):
    def forward(
        self, x: Float[Tensor, "*batch d_model"], embedding: Float[Tensor, "vocab d_model"]
    ) -> Float[Tensor, "*batch vocab"]:
        return self.norm(self.activation(self.linear(x))) @ embedding.detach().T + self.bias


# %% 10.4 wrong | x is added again behind the activation, as in a block
import course.models.bert_heads


@exercise("10.4")
class MaskedLMHead(course.models.bert_heads.MaskedLMHead):
    def forward(
        self, x: Float[Tensor, "*batch d_model"], embedding: Float[Tensor, "vocab d_model"]
    ) -> Float[Tensor, "*batch vocab"]:
        return self.norm(x + self.activation(self.linear(x))) @ embedding.T + self.bias


# %% 10.4 wrong | the logits are divided by the square root of d_model
import course.models.bert_heads


@exercise("10.4")
class MaskedLMHead(course.models.bert_heads.MaskedLMHead):
    def forward(
        self, x: Float[Tensor, "*batch d_model"], embedding: Float[Tensor, "vocab d_model"]
    ) -> Float[Tensor, "*batch vocab"]:
        return self.norm(self.activation(self.linear(x))) @ embedding.T / math.sqrt(x.shape[-1]) + self.bias


# %% 10.4 wrong | cosine of vector and embedding in place of their product
import course.models.bert_heads


@exercise("10.4")
class MaskedLMHead(course.models.bert_heads.MaskedLMHead):
    def forward(
        self, x: Float[Tensor, "*batch d_model"], embedding: Float[Tensor, "vocab d_model"]
    ) -> Float[Tensor, "*batch vocab"]:
        h = F.normalize(self.norm(self.activation(self.linear(x))), dim=-1)
        return h @ F.normalize(embedding, dim=-1).T + self.bias


# %% 10.4 wrong | only for batches of texts: a vector without those axes raises an error
import course.models.bert_heads


@exercise("10.4")
class MaskedLMHead(course.models.bert_heads.MaskedLMHead):
    def forward(
        self, x: Float[Tensor, "*batch d_model"], embedding: Float[Tensor, "vocab d_model"]
    ) -> Float[Tensor, "*batch vocab"]:
        batch, n, d = x.shape
        h = self.norm(self.activation(self.linear(x.reshape(batch * n, d))))
        return (h @ embedding.T + self.bias).view(batch, n, -1)


# %% 10.4 wrong | only [CLS] is read: logits of one place in place of all
import course.models.bert_heads


@exercise("10.4")
class MaskedLMHead(course.models.bert_heads.MaskedLMHead):
    def forward(
        self, x: Float[Tensor, "*batch d_model"], embedding: Float[Tensor, "vocab d_model"]
    ) -> Float[Tensor, "*batch vocab"]:
        return self.norm(self.activation(self.linear(x[..., 0, :]))) @ embedding.T + self.bias


# %% 10.4 wrong | a norm without its learned scale and shift
import course.models.bert_heads


@exercise("10.4")
class MaskedLMHead(course.models.bert_heads.MaskedLMHead):
    def forward(
        self, x: Float[Tensor, "*batch d_model"], embedding: Float[Tensor, "vocab d_model"]
    ) -> Float[Tensor, "*batch vocab"]:
        h = self.activation(self.linear(x))
        h = F.layer_norm(h, h.shape[-1:], eps=self.norm.eps)
        return h @ embedding.T + self.bias


# %% 10.4 wrong | the bias is subtracted
import course.models.bert_heads


@exercise("10.4")
class MaskedLMHead(course.models.bert_heads.MaskedLMHead):
    def forward(
        self, x: Float[Tensor, "*batch d_model"], embedding: Float[Tensor, "vocab d_model"]
    ) -> Float[Tensor, "*batch vocab"]:
        return self.norm(self.activation(self.linear(x))) @ embedding.T - self.bias


# %% 10.4 wrong | the likeliest token's number and not the logits
import course.models.bert_heads


@exercise("10.4")
class MaskedLMHead(course.models.bert_heads.MaskedLMHead):
    def forward(
        self, x: Float[Tensor, "*batch d_model"], embedding: Float[Tensor, "vocab d_model"]
    ) -> Float[Tensor, "*batch vocab"]:
        return (self.norm(self.activation(self.linear(x))) @ embedding.T + self.bias).argmax(-1)


# %% 10.4 right | step by step
import course.models.bert_heads


@exercise("10.4")
class MaskedLMHead(course.models.bert_heads.MaskedLMHead):
    def forward(
        self, x: Float[Tensor, "*batch d_model"], embedding: Float[Tensor, "vocab d_model"]
    ) -> Float[Tensor, "*batch vocab"]:
        h = self.linear(x)
        h = self.activation(h)
        h = self.norm(h)
        return h @ embedding.T + self.bias


# %% 10.4 right | einsum
import course.models.bert_heads


@exercise("10.4")
class MaskedLMHead(course.models.bert_heads.MaskedLMHead):
    def forward(
        self, x: Float[Tensor, "*batch d_model"], embedding: Float[Tensor, "vocab d_model"]
    ) -> Float[Tensor, "*batch vocab"]:
        h = self.norm(self.activation(self.linear(x)))
        return torch.einsum("...d,vd->...v", h, embedding) + self.bias


# %% 10.4 right | F.linear twice
import course.models.bert_heads


@exercise("10.4")
class MaskedLMHead(course.models.bert_heads.MaskedLMHead):
    def forward(
        self, x: Float[Tensor, "*batch d_model"], embedding: Float[Tensor, "vocab d_model"]
    ) -> Float[Tensor, "*batch vocab"]:
        h = self.norm(self.activation(F.linear(x, self.linear.weight, self.linear.bias)))
        return F.linear(h, embedding, self.bias)


# %% 10.4 right | matmul the other way round
import course.models.bert_heads


@exercise("10.4")
class MaskedLMHead(course.models.bert_heads.MaskedLMHead):
    def forward(
        self, x: Float[Tensor, "*batch d_model"], embedding: Float[Tensor, "vocab d_model"]
    ) -> Float[Tensor, "*batch vocab"]:
        h = self.norm(self.activation(x @ self.linear.weight.mT + self.linear.bias))
        return torch.matmul(embedding, h.unsqueeze(-1)).squeeze(-1).add(self.bias)


# %% 10.5 wrong | each piece is drawn by itself and not each word
from torch import Generator


@exercise("10.5")
def choose_words(
    words: Int[Tensor, "*batch n"], rate: float = 0.15, generator: Generator | None = None
) -> Bool[Tensor, "*batch n"]:
    if words.is_floating_point() or words.dtype == torch.bool:
        raise TypeError("words must be whole numbers")
    if not 0 < rate <= 1:
        raise ValueError("the rate must be above 0 and at most 1")
    if (words < 0).all():
        raise ValueError("all tokens are special")
    if words.min() < -1 or words.max() >= words.shape[-1]:
        raise ValueError("impossible numbers of words")
    return (torch.rand(words.shape, generator=generator) < rate) & (words >= 0)


# %% 10.5 wrong | special tokens (-1) can be chosen: as an index -1 is the last word
from torch import Generator


@exercise("10.5")
def choose_words(
    words: Int[Tensor, "*batch n"], rate: float = 0.15, generator: Generator | None = None
) -> Bool[Tensor, "*batch n"]:
    if words.is_floating_point() or words.dtype == torch.bool:
        raise TypeError("words must be whole numbers")
    if not 0 < rate <= 1:
        raise ValueError("the rate must be above 0 and at most 1")
    if (words < 0).all():
        raise ValueError("all tokens are special")
    if words.min() < -1 or words.max() >= words.shape[-1]:
        raise ValueError("impossible numbers of words")
    flat = words.reshape(-1, words.shape[-1])
    chosen = torch.rand(len(flat), int(words.max()) + 1, generator=generator) < rate
    return chosen[torch.arange(len(flat))[:, None], flat].view(words.shape)


# %% 10.5 wrong | special tokens share the draw of word 0
from torch import Generator


@exercise("10.5")
def choose_words(
    words: Int[Tensor, "*batch n"], rate: float = 0.15, generator: Generator | None = None
) -> Bool[Tensor, "*batch n"]:
    if words.is_floating_point() or words.dtype == torch.bool:
        raise TypeError("words must be whole numbers")
    if not 0 < rate <= 1:
        raise ValueError("the rate must be above 0 and at most 1")
    if (words < 0).all():
        raise ValueError("all tokens are special")
    if words.min() < -1 or words.max() >= words.shape[-1]:
        raise ValueError("impossible numbers of words")
    flat = words.reshape(-1, words.shape[-1])
    chosen = torch.rand(len(flat), int(words.max()) + 1, generator=generator) < rate
    return chosen.gather(1, flat.clamp(min=0)).view(words.shape)


# %% 10.5 wrong | one draw for word 3, say, of all texts of a batch: texts are not independent
from torch import Generator


@exercise("10.5")
def choose_words(
    words: Int[Tensor, "*batch n"], rate: float = 0.15, generator: Generator | None = None
) -> Bool[Tensor, "*batch n"]:
    if words.is_floating_point() or words.dtype == torch.bool:
        raise TypeError("words must be whole numbers")
    if not 0 < rate <= 1:
        raise ValueError("the rate must be above 0 and at most 1")
    if (words < 0).all():
        raise ValueError("all tokens are special")
    if words.min() < -1 or words.max() >= words.shape[-1]:
        raise ValueError("impossible numbers of words")
    chosen = torch.rand(int(words.max()) + 1, generator=generator) < rate
    return chosen[words.clamp(min=0)] & (words >= 0)


# %% 10.5 wrong | the rate is ignored, always 15 %
from torch import Generator


@exercise("10.5")
def choose_words(
    words: Int[Tensor, "*batch n"], rate: float = 0.15, generator: Generator | None = None
) -> Bool[Tensor, "*batch n"]:
    if words.is_floating_point() or words.dtype == torch.bool:
        raise TypeError("words must be whole numbers")
    if not 0 < rate <= 1:
        raise ValueError("the rate must be above 0 and at most 1")
    if (words < 0).all():
        raise ValueError("all tokens are special")
    if words.min() < -1 or words.max() >= words.shape[-1]:
        raise ValueError("impossible numbers of words")
    flat = words.reshape(-1, words.shape[-1])
    chosen = torch.rand(len(flat), int(words.max()) + 1, generator=generator) < 0.15
    return chosen.gather(1, flat.clamp(min=0)).view(words.shape) & (words >= 0)


# %% 10.5 wrong | chosen with probability 1 - rate
from torch import Generator


@exercise("10.5")
def choose_words(
    words: Int[Tensor, "*batch n"], rate: float = 0.15, generator: Generator | None = None
) -> Bool[Tensor, "*batch n"]:
    if words.is_floating_point() or words.dtype == torch.bool:
        raise TypeError("words must be whole numbers")
    if not 0 < rate <= 1:
        raise ValueError("the rate must be above 0 and at most 1")
    if (words < 0).all():
        raise ValueError("all tokens are special")
    if words.min() < -1 or words.max() >= words.shape[-1]:
        raise ValueError("impossible numbers of words")
    flat = words.reshape(-1, words.shape[-1])
    chosen = torch.rand(len(flat), int(words.max()) + 1, generator=generator) > rate
    return chosen.gather(1, flat.clamp(min=0)).view(words.shape) & (words >= 0)


# %% 10.5 wrong | exactly the rounded share of a text's words is chosen and not each word by itself
from torch import Generator


@exercise("10.5")
def choose_words(
    words: Int[Tensor, "*batch n"], rate: float = 0.15, generator: Generator | None = None
) -> Bool[Tensor, "*batch n"]:
    if words.is_floating_point() or words.dtype == torch.bool:
        raise TypeError("words must be whole numbers")
    if not 0 < rate <= 1:
        raise ValueError("the rate must be above 0 and at most 1")
    if (words < 0).all():
        raise ValueError("all tokens are special")
    if words.min() < -1 or words.max() >= words.shape[-1]:
        raise ValueError("impossible numbers of words")
    flat = words.reshape(-1, words.shape[-1])
    out = torch.zeros_like(flat, dtype=torch.bool)
    for row, to in zip(flat, out):
        numbers = row[row >= 0].unique()
        k = round(rate * len(numbers))
        picked = numbers[torch.randperm(len(numbers), generator=generator)[:k]]
        to[:] = torch.isin(row, picked)
    return out.view(words.shape)


# %% 10.5 wrong | the generator is ignored: the same seed gives other words
from torch import Generator


@exercise("10.5")
def choose_words(
    words: Int[Tensor, "*batch n"], rate: float = 0.15, generator: Generator | None = None
) -> Bool[Tensor, "*batch n"]:
    if words.is_floating_point() or words.dtype == torch.bool:
        raise TypeError("words must be whole numbers")
    if not 0 < rate <= 1:
        raise ValueError("the rate must be above 0 and at most 1")
    if (words < 0).all():
        raise ValueError("all tokens are special")
    if words.min() < -1 or words.max() >= words.shape[-1]:
        raise ValueError("impossible numbers of words")
    flat = words.reshape(-1, words.shape[-1])
    chosen = torch.rand(len(flat), int(words.max()) + 1) < rate
    return chosen.gather(1, flat.clamp(min=0)).view(words.shape) & (words >= 0)


# %% 10.5 wrong | a word is chosen as soon as one of its pieces is drawn, so long words are likelier
from torch import Generator


@exercise("10.5")
def choose_words(
    words: Int[Tensor, "*batch n"], rate: float = 0.15, generator: Generator | None = None
) -> Bool[Tensor, "*batch n"]:
    if words.is_floating_point() or words.dtype == torch.bool:
        raise TypeError("words must be whole numbers")
    if not 0 < rate <= 1:
        raise ValueError("the rate must be above 0 and at most 1")
    if (words < 0).all():
        raise ValueError("all tokens are special")
    if words.min() < -1 or words.max() >= words.shape[-1]:
        raise ValueError("impossible numbers of words")
    flat = words.reshape(-1, words.shape[-1])
    drawn = torch.rand(flat.shape, generator=generator) < rate
    same = flat[:, :, None] == flat[:, None, :]
    return (same & drawn[:, None, :]).any(-1).view(words.shape) & (words >= 0)


# %% 10.5 wrong | a word is chosen only if all its pieces are drawn, so long words are less likely
from torch import Generator


@exercise("10.5")
def choose_words(
    words: Int[Tensor, "*batch n"], rate: float = 0.15, generator: Generator | None = None
) -> Bool[Tensor, "*batch n"]:
    if words.is_floating_point() or words.dtype == torch.bool:
        raise TypeError("words must be whole numbers")
    if not 0 < rate <= 1:
        raise ValueError("the rate must be above 0 and at most 1")
    if (words < 0).all():
        raise ValueError("all tokens are special")
    if words.min() < -1 or words.max() >= words.shape[-1]:
        raise ValueError("impossible numbers of words")
    flat = words.reshape(-1, words.shape[-1])
    drawn = torch.rand(flat.shape, generator=generator) < rate
    same = flat[:, :, None] == flat[:, None, :]
    return (~same | drawn[:, None, :]).all(-1).view(words.shape) & (words >= 0)


# %% 10.5 wrong | only the first piece of a chosen word is True
from torch import Generator


@exercise("10.5")
def choose_words(
    words: Int[Tensor, "*batch n"], rate: float = 0.15, generator: Generator | None = None
) -> Bool[Tensor, "*batch n"]:
    if words.is_floating_point() or words.dtype == torch.bool:
        raise TypeError("words must be whole numbers")
    if not 0 < rate <= 1:
        raise ValueError("the rate must be above 0 and at most 1")
    if (words < 0).all():
        raise ValueError("all tokens are special")
    if words.min() < -1 or words.max() >= words.shape[-1]:
        raise ValueError("impossible numbers of words")
    flat = words.reshape(-1, words.shape[-1])
    chosen = torch.rand(len(flat), int(words.max()) + 1, generator=generator) < rate
    first = F.pad(flat[:, :-1], (1, 0), value=-2) != flat
    return (chosen.gather(1, flat.clamp(min=0)) & first).view(words.shape) & (words >= 0)


# %% 10.5 wrong | 0 and 1 in place of booleans
from torch import Generator


@exercise("10.5")
def choose_words(
    words: Int[Tensor, "*batch n"], rate: float = 0.15, generator: Generator | None = None
) -> Bool[Tensor, "*batch n"]:
    if words.is_floating_point() or words.dtype == torch.bool:
        raise TypeError("words must be whole numbers")
    if not 0 < rate <= 1:
        raise ValueError("the rate must be above 0 and at most 1")
    if (words < 0).all():
        raise ValueError("all tokens are special")
    if words.min() < -1 or words.max() >= words.shape[-1]:
        raise ValueError("impossible numbers of words")
    flat = words.reshape(-1, words.shape[-1])
    chosen = torch.rand(len(flat), int(words.max()) + 1, generator=generator) < rate
    return (chosen.gather(1, flat.clamp(min=0)).view(words.shape) & (words >= 0)).long()


# %% 10.5 wrong | no TypeError and no ValueError is raised, whatever the words and the rate are
from torch import Generator


@exercise("10.5")
def choose_words(
    words: Int[Tensor, "*batch n"], rate: float = 0.15, generator: Generator | None = None
) -> Bool[Tensor, "*batch n"]:
    words = words.long()
    flat = words.reshape(-1, words.shape[-1])
    chosen = torch.rand(len(flat), max(int(words.max()), 0) + 1, generator=generator) < rate
    return chosen.gather(1, flat.clamp(min=0)).view(words.shape) & (words >= 0)


# %% 10.5 wrong | works for a single text only; a batch raises an error
from torch import Generator


@exercise("10.5")
def choose_words(
    words: Int[Tensor, "*batch n"], rate: float = 0.15, generator: Generator | None = None
) -> Bool[Tensor, "*batch n"]:
    if words.is_floating_point() or words.dtype == torch.bool:
        raise TypeError("words must be whole numbers")
    if not 0 < rate <= 1:
        raise ValueError("the rate must be above 0 and at most 1")
    if (words < 0).all():
        raise ValueError("all tokens are special")
    if words.min() < -1 or words.max() >= words.shape[-1]:
        raise ValueError("impossible numbers of words")
    chosen = {}
    for word in words.tolist():
        if word not in chosen:
            chosen[int(word)] = word >= 0 and torch.rand((), generator=generator).item() < rate
    return torch.tensor([chosen[word] for word in words.tolist()])


# %% 10.5 wrong | at least one word is always chosen, if need be a random one
from torch import Generator


@exercise("10.5")
def choose_words(
    words: Int[Tensor, "*batch n"], rate: float = 0.15, generator: Generator | None = None
) -> Bool[Tensor, "*batch n"]:
    if words.is_floating_point() or words.dtype == torch.bool:
        raise TypeError("words must be whole numbers")
    if not 0 < rate <= 1:
        raise ValueError("the rate must be above 0 and at most 1")
    if (words < 0).all():
        raise ValueError("all tokens are special")
    if words.min() < -1 or words.max() >= words.shape[-1]:
        raise ValueError("impossible numbers of words")
    flat = words.reshape(-1, words.shape[-1])
    out = torch.zeros_like(flat, dtype=torch.bool)
    for row, to in zip(flat, out):
        numbers = row[row >= 0].unique()
        if len(numbers) == 0:
            continue
        picked = torch.rand(len(numbers), generator=generator) < rate
        if not picked.any():
            picked[torch.randint(len(numbers), (), generator=generator)] = True
        to[:] = torch.isin(row, numbers[picked])
    return out.view(words.shape)


# %% 10.5 wrong | writes 0 over the caller's -1
from torch import Generator


@exercise("10.5")
def choose_words(
    words: Int[Tensor, "*batch n"], rate: float = 0.15, generator: Generator | None = None
) -> Bool[Tensor, "*batch n"]:
    if words.is_floating_point() or words.dtype == torch.bool:
        raise TypeError("words must be whole numbers")
    if not 0 < rate <= 1:
        raise ValueError("the rate must be above 0 and at most 1")
    if (words < 0).all():
        raise ValueError("all tokens are special")
    if words.min() < -1 or words.max() >= words.shape[-1]:
        raise ValueError("impossible numbers of words")
    special = words < 0
    words[special] = 0
    flat = words.reshape(-1, words.shape[-1])
    chosen = torch.rand(len(flat), int(words.max()) + 1, generator=generator) < rate
    return chosen.gather(1, flat).view(words.shape) & ~special


# %% 10.5 wrong | upside down at the end: True where a word was not chosen
from torch import Generator


@exercise("10.5")
def choose_words(
    words: Int[Tensor, "*batch n"], rate: float = 0.15, generator: Generator | None = None
) -> Bool[Tensor, "*batch n"]:
    if words.is_floating_point() or words.dtype == torch.bool:
        raise TypeError("words must be whole numbers")
    if not 0 < rate <= 1:
        raise ValueError("the rate must be above 0 and at most 1")
    if (words < 0).all():
        raise ValueError("all tokens are special")
    if words.min() < -1 or words.max() >= words.shape[-1]:
        raise ValueError("impossible numbers of words")
    flat = words.reshape(-1, words.shape[-1])
    chosen = torch.rand(len(flat), int(words.max()) + 1, generator=generator) < rate
    return ~(chosen.gather(1, flat.clamp(min=0)).view(words.shape) & (words >= 0))


# %% 10.5 wrong | every text has as many draws as the first one has words: longer texts raise an error
from torch import Generator


@exercise("10.5")
def choose_words(
    words: Int[Tensor, "*batch n"], rate: float = 0.15, generator: Generator | None = None
) -> Bool[Tensor, "*batch n"]:
    if words.is_floating_point() or words.dtype == torch.bool:
        raise TypeError("words must be whole numbers")
    if not 0 < rate <= 1:
        raise ValueError("the rate must be above 0 and at most 1")
    if (words < 0).all():
        raise ValueError("all tokens are special")
    if words.min() < -1 or words.max() >= words.shape[-1]:
        raise ValueError("impossible numbers of words")
    flat = words.reshape(-1, words.shape[-1])
    chosen = torch.rand(len(flat), int(flat[0].max()) + 1, generator=generator) < rate
    return chosen.gather(1, flat.clamp(min=0)).view(words.shape) & (words >= 0)


# %% 10.5 right | a draw for each text and word, gathered
from torch import Generator


@exercise("10.5")
def choose_words(
    words: Int[Tensor, "*batch n"], rate: float = 0.15, generator: Generator | None = None
) -> Bool[Tensor, "*batch n"]:
    if words.is_floating_point() or words.dtype == torch.bool:
        raise TypeError("words must be whole numbers")
    if not 0 < rate <= 1:
        raise ValueError("the rate must be above 0 and at most 1")
    if (words < 0).all():
        raise ValueError("all tokens are special")
    if words.min() < -1 or words.max() >= words.shape[-1]:
        raise ValueError("impossible numbers of words")
    flat = words.reshape(-1, words.shape[-1])
    chosen = torch.rand(len(flat), int(words.max()) + 1, generator=generator) < rate
    return chosen.gather(1, flat.clamp(min=0)).view(words.shape) & (words >= 0)


# %% 10.5 right | word by word in a loop
from torch import Generator


@exercise("10.5")
def choose_words(
    words: Int[Tensor, "*batch n"], rate: float = 0.15, generator: Generator | None = None
) -> Bool[Tensor, "*batch n"]:
    if words.is_floating_point() or words.dtype == torch.bool:
        raise TypeError("words must be whole numbers")
    if not 0 < rate <= 1:
        raise ValueError("the rate must be above 0 and at most 1")
    if (words < 0).all():
        raise ValueError("all tokens are special")
    if words.min() < -1 or words.max() >= words.shape[-1]:
        raise ValueError("impossible numbers of words")
    out = torch.zeros(words.shape, dtype=torch.bool)
    rows, to = words.reshape(-1, words.shape[-1]), out.view(-1, words.shape[-1])
    for i, row in enumerate(rows):
        for word in row.unique().tolist():
            if word >= 0 and torch.rand(1, generator=generator).item() < rate:
                to[i][row == word] = True
    return out


# %% 10.5 right | numbers made different between texts, one Bernoulli draw each
from torch import Generator


@exercise("10.5")
def choose_words(
    words: Int[Tensor, "*batch n"], rate: float = 0.15, generator: Generator | None = None
) -> Bool[Tensor, "*batch n"]:
    if words.is_floating_point() or words.dtype == torch.bool:
        raise TypeError("words must be whole numbers")
    if not 0 < rate <= 1:
        raise ValueError("the rate must be above 0 and at most 1")
    if (words < 0).all():
        raise ValueError("all tokens are special")
    if words.min() < -1 or words.max() >= words.shape[-1]:
        raise ValueError("impossible numbers of words")
    n = words.shape[-1]
    flat = words.reshape(-1, n)
    size = int(words.max()) + 1
    number = flat + size * torch.arange(len(flat)).unsqueeze(1)
    coins = torch.bernoulli(torch.full((len(flat) * size,), float(rate)), generator=generator).bool()
    return torch.where(flat < 0, False, coins[number.clamp(min=0)]).reshape(words.shape)


# %% 10.5 right | with fewer checks: a rate of 0 is let through, and words may have any numbers from 0 on
from torch import Generator


@exercise("10.5")
def choose_words(
    words: Int[Tensor, "*batch n"], rate: float = 0.15, generator: Generator | None = None
) -> Bool[Tensor, "*batch n"]:
    if words.dtype.is_floating_point:
        raise TypeError("words must be whole numbers")
    if rate < 0 or rate > 1 or not (words >= 0).any():
        raise ValueError("impossible rate, or nothing to choose")
    numbers, index = words.unique(return_inverse=True)
    rows = index.reshape(-1, words.shape[-1])
    chosen = torch.rand(rows.shape[0], len(numbers), generator=generator) < rate
    return torch.gather(chosen, 1, rows).reshape(words.shape) & (words != -1)


# %% 10.6 wrong | the sign is turned round: -1 is the one after
from course.studies.head_patterns import Weights


@exercise("10.6")
def offset_score(weights: Weights, offset: int) -> Float[Tensor, "layer head"]:
    n = weights.shape[-1]
    if abs(offset) >= n:
        raise ValueError("no token has a neighbour there")
    return weights.diagonal(-offset, dim1=-2, dim2=-1).mean(-1)


# %% 10.6 wrong | divides by the number of all tokens, also of those that have none there
from course.studies.head_patterns import Weights


@exercise("10.6")
def offset_score(weights: Weights, offset: int) -> Float[Tensor, "layer head"]:
    n = weights.shape[-1]
    if abs(offset) >= n:
        raise ValueError("no token has a neighbour there")
    return weights.diagonal(offset, dim1=-2, dim2=-1).sum(-1) / n


# %% 10.6 wrong | the sum and not the mean
from course.studies.head_patterns import Weights


@exercise("10.6")
def offset_score(weights: Weights, offset: int) -> Float[Tensor, "layer head"]:
    n = weights.shape[-1]
    if abs(offset) >= n:
        raise ValueError("no token has a neighbour there")
    return weights.diagonal(offset, dim1=-2, dim2=-1).sum(-1)


# %% 10.6 wrong | goes round the end of the text: tokens without a neighbour get the one at the other end
from course.studies.head_patterns import Weights


@exercise("10.6")
def offset_score(weights: Weights, offset: int) -> Float[Tensor, "layer head"]:
    n = weights.shape[-1]
    if abs(offset) >= n:
        raise ValueError("no token has a neighbour there")
    return weights.roll(-offset, dims=-1).diagonal(dim1=-2, dim2=-1).mean(-1)


# %% 10.6 wrong | no ValueError where no token has one: NaN
from course.studies.head_patterns import Weights


@exercise("10.6")
def offset_score(weights: Weights, offset: int) -> Float[Tensor, "layer head"]:
    n = weights.shape[-1]
    if abs(offset) >= n:
        return torch.full(weights.shape[:2], math.nan)
    return weights.diagonal(offset, dim1=-2, dim2=-1).mean(-1)


# %% 10.6 wrong | no ValueError where no token has one: 0
from course.studies.head_patterns import Weights


@exercise("10.6")
def offset_score(weights: Weights, offset: int) -> Float[Tensor, "layer head"]:
    if abs(offset) >= weights.shape[-1]:
        return torch.zeros(weights.shape[:2])
    return weights.diagonal(offset, dim1=-2, dim2=-1).mean(-1)


# %% 10.6 wrong | both sides together, the one before and the one after
from course.studies.head_patterns import Weights


@exercise("10.6")
def offset_score(weights: Weights, offset: int) -> Float[Tensor, "layer head"]:
    n = weights.shape[-1]
    if abs(offset) >= n:
        raise ValueError("no token has a neighbour there")
    after = weights.diagonal(abs(offset), dim1=-2, dim2=-1)
    before = weights.diagonal(-abs(offset), dim1=-2, dim2=-1)
    return (after.mean(-1) + before.mean(-1)) / 2


# %% 10.6 wrong | the greatest weight there and not the mean
from course.studies.head_patterns import Weights


@exercise("10.6")
def offset_score(weights: Weights, offset: int) -> Float[Tensor, "layer head"]:
    n = weights.shape[-1]
    if abs(offset) >= n:
        raise ValueError("no token has a neighbour there")
    return weights.diagonal(offset, dim1=-2, dim2=-1).amax(-1)


# %% 10.6 wrong | the mean over heads as well: one number a layer
from course.studies.head_patterns import Weights


@exercise("10.6")
def offset_score(weights: Weights, offset: int) -> Float[Tensor, "layer head"]:
    n = weights.shape[-1]
    if abs(offset) >= n:
        raise ValueError("no token has a neighbour there")
    return weights.diagonal(offset, dim1=-2, dim2=-1).mean((-1, -2))


# %% 10.6 wrong | how often the neighbour gets the most attention and not how much
from course.studies.head_patterns import Weights


@exercise("10.6")
def offset_score(weights: Weights, offset: int) -> Float[Tensor, "layer head"]:
    n = weights.shape[-1]
    if abs(offset) >= n:
        raise ValueError("no token has a neighbour there")
    most = weights.argmax(-1) == torch.arange(n) + offset
    inside = (torch.arange(n) + offset >= 0) & (torch.arange(n) + offset < n)
    return most[..., inside].float().mean(-1)


# %% 10.6 wrong | the diagonal of the first two axes, layers and heads, and not of queries and keys
from course.studies.head_patterns import Weights


@exercise("10.6")
def offset_score(weights: Weights, offset: int) -> Float[Tensor, "layer head"]:
    n = weights.shape[-1]
    if abs(offset) >= n:
        raise ValueError("no token has a neighbour there")
    return weights.diagonal(offset).mean(-1)


# %% 10.6 wrong | an offset of n - 1, which one token has, is refused
from course.studies.head_patterns import Weights


@exercise("10.6")
def offset_score(weights: Weights, offset: int) -> Float[Tensor, "layer head"]:
    n = weights.shape[-1]
    if abs(offset) >= n - 1:
        raise ValueError("no token has a neighbour there")
    return weights.diagonal(offset, dim1=-2, dim2=-1).mean(-1)


# %% 10.6 wrong | all keys up to that offset count, not the one alone
from course.studies.head_patterns import Weights


@exercise("10.6")
def offset_score(weights: Weights, offset: int) -> Float[Tensor, "layer head"]:
    n = weights.shape[-1]
    if abs(offset) >= n:
        raise ValueError("no token has a neighbour there")
    step = 1 if offset >= 0 else -1
    return sum(weights.diagonal(k, dim1=-2, dim2=-1).mean(-1) for k in range(0, offset + step, step))


# %% 10.6 wrong | tokens at the edge are given the outermost key in place of being left out
from course.studies.head_patterns import Weights


@exercise("10.6")
def offset_score(weights: Weights, offset: int) -> Float[Tensor, "layer head"]:
    n = weights.shape[-1]
    if abs(offset) >= n:
        raise ValueError("no token has a neighbour there")
    keys = (torch.arange(n) + offset).clamp(0, n - 1)
    return weights[..., torch.arange(n), keys].mean(-1)


# %% 10.6 wrong | returns nested lists and no tensor
from course.studies.head_patterns import Weights


@exercise("10.6")
def offset_score(weights: Weights, offset: int) -> Float[Tensor, "layer head"]:
    n = weights.shape[-1]
    if abs(offset) >= n:
        raise ValueError("no token has a neighbour there")
    return weights.diagonal(offset, dim1=-2, dim2=-1).mean(-1).tolist()


# %% 10.6 wrong | layers and heads are swapped in the result
from course.studies.head_patterns import Weights


@exercise("10.6")
def offset_score(weights: Weights, offset: int) -> Float[Tensor, "layer head"]:
    n = weights.shape[-1]
    if abs(offset) >= n:
        raise ValueError("no token has a neighbour there")
    return weights.diagonal(offset, dim1=-2, dim2=-1).mean(-1).T


# %% 10.6 wrong | the first and the last token, [CLS] and [SEP], are always left out
from course.studies.head_patterns import Weights


@exercise("10.6")
def offset_score(weights: Weights, offset: int) -> Float[Tensor, "layer head"]:
    n = weights.shape[-1]
    if abs(offset) >= n:
        raise ValueError("no token has a neighbour there")
    inner = weights[..., 1:-1, 1:-1]
    if abs(offset) >= n - 2:
        return weights.diagonal(offset, dim1=-2, dim2=-1).mean(-1)
    return inner.diagonal(offset, dim1=-2, dim2=-1).mean(-1)


# %% 10.6 wrong | only offsets that are too large are refused; too far to the left gives NaN
from course.studies.head_patterns import Weights


@exercise("10.6")
def offset_score(weights: Weights, offset: int) -> Float[Tensor, "layer head"]:
    n = weights.shape[-1]
    if offset >= n:
        raise ValueError("no token has a neighbour there")
    if offset <= -n:
        return torch.full(weights.shape[:2], math.nan)
    return weights.diagonal(offset, dim1=-2, dim2=-1).mean(-1)


# %% 10.6 wrong | raises an IndexError where a ValueError is promised
from course.studies.head_patterns import Weights


@exercise("10.6")
def offset_score(weights: Weights, offset: int) -> Float[Tensor, "layer head"]:
    n = weights.shape[-1]
    if abs(offset) >= n:
        raise IndexError("no token has a neighbour there")
    return weights.diagonal(offset, dim1=-2, dim2=-1).mean(-1)


# %% 10.6 right | the diagonal
from course.studies.head_patterns import Weights


@exercise("10.6")
def offset_score(weights: Weights, offset: int) -> Float[Tensor, "layer head"]:
    n = weights.shape[-1]
    if abs(offset) >= n:
        raise ValueError(f"no token of {n} has another {offset} places on")
    return weights.diagonal(offset, dim1=2, dim2=3).mean(dim=-1)


# %% 10.6 right | indices of queries and keys
from course.studies.head_patterns import Weights


@exercise("10.6")
def offset_score(weights: Weights, offset: int) -> Float[Tensor, "layer head"]:
    n = weights.shape[-1]
    queries = [q for q in range(n) if 0 <= q + offset < n]
    if not queries:
        raise ValueError("no token has one there")
    return weights[:, :, queries, [q + offset for q in queries]].mean(-1)


# %% 10.6 right | a mask and a sum
from course.studies.head_patterns import Weights


@exercise("10.6")
def offset_score(weights: Weights, offset: int) -> Float[Tensor, "layer head"]:
    n = weights.size(-1)
    place = torch.arange(n)
    there = place[None, :] - place[:, None] == offset
    if not there.any():
        raise ValueError("the offset is longer than the text")
    return (weights * there).sum((-2, -1)) / there.sum()
