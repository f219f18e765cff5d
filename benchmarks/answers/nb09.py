"""Answers to the exercises of notebook 09, as people write them; none was made with a look at the checks."""

# %% 9.1 wrong | shots and question are drawn separately: the question can be one of the shots, and in lookup its letters were made up anew
import numpy as np
from course.in_context.prompts import Example, Task


@exercise("9.1")
def draw_prompt(
    task: Task | str, shots: int, random: np.random.Generator, held_out: bool = True
) -> tuple[list[Example], Example]:
    from course.in_context.tasks import TASKS

    task = TASKS[task] if isinstance(task, str) else task
    return task.draw(random, shots, held_out), task.draw(random, 1, held_out)[0]


# %% 9.1 wrong | held_out is ignored: always drawn from what training has seen
import numpy as np
from course.in_context.prompts import Example, Task


@exercise("9.1")
def draw_prompt(
    task: Task | str, shots: int, random: np.random.Generator, held_out: bool = True
) -> tuple[list[Example], Example]:
    from course.in_context.tasks import TASKS

    task = TASKS[task] if isinstance(task, str) else task
    examples = task.draw(random, shots + 1, False)
    return examples[:-1], examples[-1]


# %% 9.1 wrong | held_out is ignored: always drawn from what is held out
import numpy as np
from course.in_context.prompts import Example, Task


@exercise("9.1")
def draw_prompt(
    task: Task | str, shots: int, random: np.random.Generator, held_out: bool = True
) -> tuple[list[Example], Example]:
    from course.in_context.tasks import TASKS

    task = TASKS[task] if isinstance(task, str) else task
    examples = task.draw(random, shots + 1, True)
    return examples[:-1], examples[-1]


# %% 9.1 wrong | one shot too few: the question is taken out of the given number of shots
import numpy as np
from course.in_context.prompts import Example, Task


@exercise("9.1")
def draw_prompt(
    task: Task | str, shots: int, random: np.random.Generator, held_out: bool = True
) -> tuple[list[Example], Example]:
    from course.in_context.tasks import TASKS

    task = TASKS[task] if isinstance(task, str) else task
    examples = task.draw(random, max(shots, 1), held_out)
    return examples[:-1], examples[-1]


# %% 9.1 wrong | returns one list of all the examples and not shots and question apart
import numpy as np
from course.in_context.prompts import Example, Task


@exercise("9.1")
def draw_prompt(
    task: Task | str, shots: int, random: np.random.Generator, held_out: bool = True
) -> tuple[list[Example], Example]:
    from course.in_context.tasks import TASKS

    task = TASKS[task] if isinstance(task, str) else task
    return task.draw(random, shots + 1, held_out)


# %% 9.1 wrong | the last example comes as a list of one and not as an Example
import numpy as np
from course.in_context.prompts import Example, Task


@exercise("9.1")
def draw_prompt(
    task: Task | str, shots: int, random: np.random.Generator, held_out: bool = True
) -> tuple[list[Example], Example]:
    from course.in_context.tasks import TASKS

    task = TASKS[task] if isinstance(task, str) else task
    examples = task.draw(random, shots + 1, held_out)
    return examples[:shots], examples[shots:]


# %% 9.1 wrong | the question comes first and the shots second
import numpy as np
from course.in_context.prompts import Example, Task


@exercise("9.1")
def draw_prompt(
    task: Task | str, shots: int, random: np.random.Generator, held_out: bool = True
) -> tuple[list[Example], Example]:
    from course.in_context.tasks import TASKS

    task = TASKS[task] if isinstance(task, str) else task
    examples = task.draw(random, shots + 1, held_out)
    return examples[-1], examples[:-1]


# %% 9.1 wrong | a task given by its name raises an error, only a Task works
import numpy as np
from course.in_context.prompts import Example, Task


@exercise("9.1")
def draw_prompt(
    task: Task | str, shots: int, random: np.random.Generator, held_out: bool = True
) -> tuple[list[Example], Example]:
    examples = task.draw(random, shots + 1, held_out)
    return examples[:-1], examples[-1]


# %% 9.1 wrong | a generator of its own with a fixed seed is used and not the one given, so every prompt is the same
import numpy as np
from course.in_context.prompts import Example, Task


@exercise("9.1")
def draw_prompt(
    task: Task | str, shots: int, random: np.random.Generator, held_out: bool = True
) -> tuple[list[Example], Example]:
    from course.in_context.tasks import TASKS

    task = TASKS[task] if isinstance(task, str) else task
    random = np.random.default_rng(0)
    examples = task.draw(random, shots + 1, held_out)
    return examples[:-1], examples[-1]


# %% 9.1 wrong | the last example is one of the shots, so its answer stands in the prompt
import numpy as np
from course.in_context.prompts import Example, Task


@exercise("9.1")
def draw_prompt(
    task: Task | str, shots: int, random: np.random.Generator, held_out: bool = True
) -> tuple[list[Example], Example]:
    from course.in_context.tasks import TASKS

    task = TASKS[task] if isinstance(task, str) else task
    examples = task.draw(random, max(shots, 1), held_out)
    return examples[:shots], examples[int(random.integers(len(examples)))]


# %% 9.1 wrong | the shots are a tuple and not a list
import numpy as np
from course.in_context.prompts import Example, Task


@exercise("9.1")
def draw_prompt(
    task: Task | str, shots: int, random: np.random.Generator, held_out: bool = True
) -> tuple[list[Example], Example]:
    from course.in_context.tasks import TASKS

    task = TASKS[task] if isinstance(task, str) else task
    examples = task.draw(random, shots + 1, held_out)
    return tuple(examples[:-1]), examples[-1]


# %% 9.1 wrong | returns the question's text only, the right answer is lost
import numpy as np
from course.in_context.prompts import Example, Task


@exercise("9.1")
def draw_prompt(
    task: Task | str, shots: int, random: np.random.Generator, held_out: bool = True
) -> tuple[list[Example], Example]:
    from course.in_context.tasks import TASKS

    task = TASKS[task] if isinstance(task, str) else task
    *before, last = task.draw(random, shots + 1, held_out)
    return before, last.question


# %% 9.1 wrong | the shots are drawn one by one, so they can repeat, and lookup makes up its letters anew for each
import numpy as np
from course.in_context.prompts import Example, Task


@exercise("9.1")
def draw_prompt(
    task: Task | str, shots: int, random: np.random.Generator, held_out: bool = True
) -> tuple[list[Example], Example]:
    from course.in_context.tasks import TASKS

    task = TASKS[task] if isinstance(task, str) else task
    examples = [task.draw(random, 1, held_out)[0] for _ in range(shots + 1)]
    return examples[:-1], examples[-1]


# %% 9.1 wrong | with 0 shots the slice [-0:] is the whole list: one shot, and it is the question itself
import numpy as np
from course.in_context.prompts import Example, Task


@exercise("9.1")
def draw_prompt(
    task: Task | str, shots: int, random: np.random.Generator, held_out: bool = True
) -> tuple[list[Example], Example]:
    from course.in_context.tasks import TASKS

    task = TASKS[task] if isinstance(task, str) else task
    examples = task.draw(random, shots + 1, held_out)
    return examples[-shots:], examples[0]


# %% 9.1 wrong | the question has the answer of another example: questions and answers are paired with a shift
import numpy as np
from course.in_context.prompts import Example, Task


@exercise("9.1")
def draw_prompt(
    task: Task | str, shots: int, random: np.random.Generator, held_out: bool = True
) -> tuple[list[Example], Example]:
    from course.in_context.tasks import TASKS

    task = TASKS[task] if isinstance(task, str) else task
    examples = task.draw(random, shots + 1, held_out)
    return examples[:-1], Example(examples[-1].question, examples[0].answer)


# %% 9.1 wrong | the question is held out but the shots are not: they are always drawn from what training has seen
import numpy as np
from course.in_context.prompts import Example, Task


@exercise("9.1")
def draw_prompt(
    task: Task | str, shots: int, random: np.random.Generator, held_out: bool = True
) -> tuple[list[Example], Example]:
    from course.in_context.tasks import TASKS

    task = TASKS[task] if isinstance(task, str) else task
    return task.draw(random, shots, False), task.draw(random, 1, held_out)[0]


# %% 9.1 right | one draw for all, the last is asked
import numpy as np
from course.in_context.prompts import Example, Task


@exercise("9.1")
def draw_prompt(
    task: Task | str, shots: int, random: np.random.Generator, held_out: bool = True
) -> tuple[list[Example], Example]:
    from course.in_context.tasks import TASKS

    if isinstance(task, str):
        task = TASKS[task]
    *before, last = task.draw(random, shots + 1, held_out)
    return before, last


# %% 9.1 right | one draw for all, the first is asked
import numpy as np
from course.in_context.prompts import Example, Task


@exercise("9.1")
def draw_prompt(
    task: Task | str, shots: int, random: np.random.Generator, held_out: bool = True
) -> tuple[list[Example], Example]:
    from course.in_context.tasks import TASKS

    chosen = TASKS.get(task, task) if isinstance(task, str) else task
    examples = chosen.draw(random, shots + 1, held_out)
    return list(examples[1:]), examples[0]


# %% 9.1 right | drawn again until the question is new, except in lookup, which repeats
import numpy as np
from course.in_context.prompts import Example, Task


@exercise("9.1")
def draw_prompt(
    task: Task | str, shots: int, random: np.random.Generator, held_out: bool = True
) -> tuple[list[Example], Example]:
    from course.in_context.tasks import TASKS

    task = TASKS[task] if isinstance(task, str) else task
    while True:
        examples = task.draw(random, shots + 1, held_out)
        before, last = examples[:shots], examples[shots]
        if task.name == "lookup" or last.question not in {shot.question for shot in before}:
            return before, last


# %% 9.2 wrong | the share of right tokens of each answer and not whether all are right
from course.in_context.prompts import Encoded


@exercise("9.2")
def exact_matches(logits: Float[Tensor, "batch n vocab"], encoded: Encoded) -> Bool[Tensor, "batch examples"]:
    right = logits.argmax(-1) == encoded.targets
    columns = []
    for k in range(int(encoded.shots.max()) + 1):
        here = encoded.shots == k
        columns.append((right & here).sum(1) / here.sum(1))
    return torch.stack(columns, 1)


# %% 9.2 wrong | shifts by one, though the targets are shifted already
from course.in_context.prompts import Encoded


@exercise("9.2")
def exact_matches(logits: Float[Tensor, "batch n vocab"], encoded: Encoded) -> Bool[Tensor, "batch examples"]:
    guesses, targets, shots = logits.argmax(-1)[:, :-1], encoded.targets[:, 1:], encoded.shots[:, 1:]
    right = guesses == targets
    return torch.stack([(right | (shots != k)).all(1) for k in range(int(shots.max()) + 1)], 1)


# %% 9.2 wrong | compares with the token that is read at a place (ids) and not with the one to be predicted there
from course.in_context.prompts import Encoded


@exercise("9.2")
def exact_matches(logits: Float[Tensor, "batch n vocab"], encoded: Encoded) -> Bool[Tensor, "batch examples"]:
    right = logits.argmax(-1) == encoded.ids
    shots = encoded.shots
    return torch.stack([(right | (shots != k)).all(1) for k in range(int(shots.max()) + 1)], 1)


# %% 9.2 wrong | positions where nothing is asked count too, and can never be right: always False
from course.in_context.prompts import Encoded


@exercise("9.2")
def exact_matches(logits: Float[Tensor, "batch n vocab"], encoded: Encoded) -> Bool[Tensor, "batch examples"]:
    right = logits.argmax(-1) == encoded.targets
    shots = encoded.shots
    return torch.stack([right.all(1) for k in range(int(shots.max()) + 1)], 1)


# %% 9.2 wrong | the end behind the answer is left out: only its characters are looked at
from course.in_context.prompts import Encoded


@exercise("9.2")
def exact_matches(logits: Float[Tensor, "batch n vocab"], encoded: Encoded) -> Bool[Tensor, "batch examples"]:
    right = logits.argmax(-1) == encoded.targets
    columns = []
    for k in range(int(encoded.shots.max()) + 1):
        here = encoded.shots == k
        nexts = F.pad(here[:, 1:], (0, 1), value=False)
        columns.append((right | ~(here & nexts)).all(1))
    return torch.stack(columns, 1)


# %% 9.2 wrong | one right token is enough (any in place of all)
from course.in_context.prompts import Encoded


@exercise("9.2")
def exact_matches(logits: Float[Tensor, "batch n vocab"], encoded: Encoded) -> Bool[Tensor, "batch examples"]:
    right = logits.argmax(-1) == encoded.targets
    shots = encoded.shots
    return torch.stack([(right & (shots == k)).any(1) for k in range(int(shots.max()) + 1)], 1)


# %% 9.2 wrong | the likeliest is sought along the positions and not along the vocabulary
from course.in_context.prompts import Encoded


@exercise("9.2")
def exact_matches(logits: Float[Tensor, "batch n vocab"], encoded: Encoded) -> Bool[Tensor, "batch examples"]:
    right = logits.argmax(1)[:, : encoded.targets.shape[1]]
    right = F.pad(right, (0, encoded.targets.shape[1] - right.shape[1])) == encoded.targets
    shots = encoded.shots
    return torch.stack([(right | (shots != k)).all(1) for k in range(int(shots.max()) + 1)], 1)


# %% 9.2 wrong | one verdict for a whole prompt and not one for each example
from course.in_context.prompts import Encoded


@exercise("9.2")
def exact_matches(logits: Float[Tensor, "batch n vocab"], encoded: Encoded) -> Bool[Tensor, "batch examples"]:
    asked = encoded.shots >= 0
    right = logits.argmax(-1) == encoded.targets
    return (right | ~asked).all(1)


# %% 9.2 wrong | the -1 of places that do not count is used as an index and spoils the last example
from course.in_context.prompts import Encoded


@exercise("9.2")
def exact_matches(logits: Float[Tensor, "batch n vocab"], encoded: Encoded) -> Bool[Tensor, "batch examples"]:
    right = logits.argmax(-1) == encoded.targets
    out = torch.ones(len(right), int(encoded.shots.max()) + 1, dtype=torch.bool)
    for b in range(right.shape[0]):
        for i in range(right.shape[1]):
            out[b, encoded.shots[b, i]] &= right[b, i]
    return out


# %% 9.2 wrong | the -1 of places that do not count is an example of its own: one column too many, and all are moved by one
from course.in_context.prompts import Encoded


@exercise("9.2")
def exact_matches(logits: Float[Tensor, "batch n vocab"], encoded: Encoded) -> Bool[Tensor, "batch examples"]:
    right = logits.argmax(-1) == encoded.targets
    shots = encoded.shots
    return torch.stack([(right | (shots != k)).all(1) for k in range(-1, int(shots.max()) + 1)], 1)


# %% 9.2 wrong | only the first token of each answer is looked at
from course.in_context.prompts import Encoded


@exercise("9.2")
def exact_matches(logits: Float[Tensor, "batch n vocab"], encoded: Encoded) -> Bool[Tensor, "batch examples"]:
    right = logits.argmax(-1) == encoded.targets
    shots = encoded.shots
    first = F.pad(shots[:, :-1], (1, 0), value=-1) != shots
    return torch.stack([(right | (shots != k) | ~first).all(1) for k in range(int(shots.max()) + 1)], 1)


# %% 9.2 wrong | the greatest number of shots is taken for the number of examples: the last one is missing
from course.in_context.prompts import Encoded


@exercise("9.2")
def exact_matches(logits: Float[Tensor, "batch n vocab"], encoded: Encoded) -> Bool[Tensor, "batch examples"]:
    right = logits.argmax(-1) == encoded.targets
    shots = encoded.shots
    return torch.stack([(right | (shots != k)).all(1) for k in range(int(shots.max()))], 1)


# %% 9.2 wrong | writing at repeated indices keeps the last position's verdict only: the end decides alone
from course.in_context.prompts import Encoded


@exercise("9.2")
def exact_matches(logits: Float[Tensor, "batch n vocab"], encoded: Encoded) -> Bool[Tensor, "batch examples"]:
    right = logits.argmax(-1) == encoded.targets
    out = torch.zeros(len(right), int(encoded.shots.max()) + 1, dtype=torch.bool)
    for b in range(right.shape[0]):
        for i in range(right.shape[1]):
            if encoded.shots[b, i] >= 0:
                out[b, encoded.shots[b, i]] = right[b, i]
    return out


# %% 9.2 wrong | returns 0.0 and 1.0 and no booleans
from course.in_context.prompts import Encoded


@exercise("9.2")
def exact_matches(logits: Float[Tensor, "batch n vocab"], encoded: Encoded) -> Bool[Tensor, "batch examples"]:
    right = logits.argmax(-1) == encoded.targets
    shots = encoded.shots
    return torch.stack([(right | (shots != k)).all(1) for k in range(int(shots.max()) + 1)], 1).float()


# %% 9.2 wrong | a token must have more than half of the probability, where being the likeliest is enough
from course.in_context.prompts import Encoded


@exercise("9.2")
def exact_matches(logits: Float[Tensor, "batch n vocab"], encoded: Encoded) -> Bool[Tensor, "batch examples"]:
    p = logits.softmax(-1)
    p = p.gather(-1, encoded.targets.clamp(min=0).unsqueeze(-1)).squeeze(-1)
    right, shots = p > 0.5, encoded.shots
    return torch.stack([(right | (shots != k)).all(1) for k in range(int(shots.max()) + 1)], 1)


# %% 9.2 wrong | examples come first and prompts second
from course.in_context.prompts import Encoded


@exercise("9.2")
def exact_matches(logits: Float[Tensor, "batch n vocab"], encoded: Encoded) -> Bool[Tensor, "batch examples"]:
    right = logits.argmax(-1) == encoded.targets
    shots = encoded.shots
    return torch.stack([(right | (shots != k)).all(1) for k in range(int(shots.max()) + 1)], 0)


# %% 9.2 wrong | the second likeliest token counts as right as well
from course.in_context.prompts import Encoded


@exercise("9.2")
def exact_matches(logits: Float[Tensor, "batch n vocab"], encoded: Encoded) -> Bool[Tensor, "batch examples"]:
    right = (logits.topk(2).indices == encoded.targets[..., None]).any(-1)
    shots = encoded.shots
    return torch.stack([(right | (shots != k)).all(1) for k in range(int(shots.max()) + 1)], 1)


# %% 9.2 wrong | upside down: True where something is wrong
from course.in_context.prompts import Encoded


@exercise("9.2")
def exact_matches(logits: Float[Tensor, "batch n vocab"], encoded: Encoded) -> Bool[Tensor, "batch examples"]:
    wrong = (logits.argmax(-1) != encoded.targets) & (encoded.targets != -100)
    shots = encoded.shots
    return torch.stack([(wrong & (shots == k)).any(1) for k in range(int(shots.max()) + 1)], 1)


# %% 9.2 wrong | cumulative: an example is right only if all examples before it are right too
from course.in_context.prompts import Encoded


@exercise("9.2")
def exact_matches(logits: Float[Tensor, "batch n vocab"], encoded: Encoded) -> Bool[Tensor, "batch examples"]:
    right = logits.argmax(-1) == encoded.targets
    shots = encoded.shots
    return torch.stack([(right | (shots > k) | (shots < 0)).all(1) for k in range(int(shots.max()) + 1)], 1)


# %% 9.2 right | for each number of shots: right, or not asked here
from course.in_context.prompts import Encoded


@exercise("9.2")
def exact_matches(logits: Float[Tensor, "batch n vocab"], encoded: Encoded) -> Bool[Tensor, "batch examples"]:
    right = logits.argmax(dim=-1) == encoded.targets
    examples = int(encoded.shots.max(1).values.min()) + 1
    return torch.stack([(right | (encoded.shots != k)).all(dim=1) for k in range(examples)], dim=1)


# %% 9.2 right | counting mistakes by scatter_add
from course.in_context.prompts import Encoded


@exercise("9.2")
def exact_matches(logits: Float[Tensor, "batch n vocab"], encoded: Encoded) -> Bool[Tensor, "batch examples"]:
    asked = encoded.targets != -100
    mistakes = ((logits.argmax(-1) != encoded.targets) & asked).long()
    examples = int(encoded.shots.max()) + 1
    count = torch.zeros(len(mistakes), examples, dtype=torch.long)
    every = int(encoded.shots.max(1).values.min()) + 1
    return (count.scatter_add(1, encoded.shots.clamp(min=0), mistakes) == 0)[:, :every]


# %% 9.2 right | loops over prompts and places
from course.in_context.prompts import Encoded


@exercise("9.2")
def exact_matches(logits: Float[Tensor, "batch n vocab"], encoded: Encoded) -> Bool[Tensor, "batch examples"]:
    guesses = logits.max(-1).indices.tolist()
    examples = max(max(row) for row in encoded.shots.tolist()) + 1
    rows = []
    for guess, wanted, shots in zip(guesses, encoded.targets.tolist(), encoded.shots.tolist()):
        row = [True] * examples
        for g, w, s in zip(guess, wanted, shots):
            if s >= 0 and g != w:
                row[s] = False
        rows.append(row)
    every = min(max(row) for row in encoded.shots.tolist()) + 1
    return torch.tensor(rows)[:, :every]


# %% 9.2 right | one-hot of the shots, and a product
from course.in_context.prompts import Encoded


@exercise("9.2")
def exact_matches(logits: Float[Tensor, "batch n vocab"], encoded: Encoded) -> Bool[Tensor, "batch examples"]:
    asked = encoded.shots >= 0
    belongs = F.one_hot(encoded.shots.clamp(min=0)) * asked[..., None]
    mistakes = (logits.argmax(-1) != encoded.targets).long()
    every = int(encoded.shots.max(1).values.min()) + 1
    return torch.einsum("bn,bnk->bk", mistakes, belongs).eq(0)[:, :every]


# %% 9.3 wrong | the usual interval, p ± z·√(p(1-p)/n), and not Wilson's
@exercise("9.3")
def wilson_interval(right: int, asked: int, z: float = 1.96) -> tuple[float, float]:
    if asked < 1 or not 0 <= right <= asked:
        raise ValueError("right must be between 0 and asked")
    p = right / asked
    half = z * math.sqrt(p * (1 - p) / asked)
    return p - half, p + half


# %% 9.3 wrong | the usual interval, cut off at 0 and 1
@exercise("9.3")
def wilson_interval(right: int, asked: int, z: float = 1.96) -> tuple[float, float]:
    if asked < 1 or not 0 <= right <= asked:
        raise ValueError("right must be between 0 and asked")
    p = right / asked
    half = z * math.sqrt(p * (1 - p) / asked)
    return max(0.0, p - half), min(1.0, p + half)


# %% 9.3 wrong | the division by 1 + z²/n is forgotten
@exercise("9.3")
def wilson_interval(right: int, asked: int, z: float = 1.96) -> tuple[float, float]:
    if asked < 1 or not 0 <= right <= asked:
        raise ValueError("right must be between 0 and asked")
    p = right / asked
    centre = p + z**2 / (2 * asked)
    half = z * math.sqrt(p * (1 - p) / asked + z**2 / (4 * asked**2))
    return centre - half, centre + half


# %% 9.3 wrong | the division by 1 + z²/n is done for the centre and not for the half-width
@exercise("9.3")
def wilson_interval(right: int, asked: int, z: float = 1.96) -> tuple[float, float]:
    if asked < 1 or not 0 <= right <= asked:
        raise ValueError("right must be between 0 and asked")
    p = right / asked
    centre = (p + z**2 / (2 * asked)) / (1 + z**2 / asked)
    half = z * math.sqrt(p * (1 - p) / asked + z**2 / (4 * asked**2))
    return centre - half, centre + half


# %% 9.3 wrong | the centre is p and is not moved towards one half
@exercise("9.3")
def wilson_interval(right: int, asked: int, z: float = 1.96) -> tuple[float, float]:
    if asked < 1 or not 0 <= right <= asked:
        raise ValueError("right must be between 0 and asked")
    p = right / asked
    half = z * math.sqrt(p * (1 - p) / asked + z**2 / (4 * asked**2)) / (1 + z**2 / asked)
    return p - half, p + half


# %% 9.3 wrong | z²/4n² is missing under the root
@exercise("9.3")
def wilson_interval(right: int, asked: int, z: float = 1.96) -> tuple[float, float]:
    if asked < 1 or not 0 <= right <= asked:
        raise ValueError("right must be between 0 and asked")
    p = right / asked
    centre = (p + z**2 / (2 * asked)) / (1 + z**2 / asked)
    half = z * math.sqrt(p * (1 - p) / asked) / (1 + z**2 / asked)
    return centre - half, centre + half


# %% 9.3 wrong | z²/4n in place of z²/4n² under the root
@exercise("9.3")
def wilson_interval(right: int, asked: int, z: float = 1.96) -> tuple[float, float]:
    if asked < 1 or not 0 <= right <= asked:
        raise ValueError("right must be between 0 and asked")
    p = right / asked
    centre = (p + z**2 / (2 * asked)) / (1 + z**2 / asked)
    half = z * math.sqrt(p * (1 - p) / asked + z**2 / (4 * asked)) / (1 + z**2 / asked)
    return centre - half, centre + half


# %% 9.3 wrong | z is ignored, 1.96 is written into the formula
@exercise("9.3")
def wilson_interval(right: int, asked: int, z: float = 1.96) -> tuple[float, float]:
    if asked < 1 or not 0 <= right <= asked:
        raise ValueError("right must be between 0 and asked")
    p = right / asked
    centre = (p + 1.96**2 / (2 * asked)) / (1 + 1.96**2 / asked)
    half = 1.96 * math.sqrt(p * (1 - p) / asked + 1.96**2 / (4 * asked**2)) / (1 + 1.96**2 / asked)
    return centre - half, centre + half


# %% 9.3 wrong | z is not squared in centre and denominator
@exercise("9.3")
def wilson_interval(right: int, asked: int, z: float = 1.96) -> tuple[float, float]:
    if asked < 1 or not 0 <= right <= asked:
        raise ValueError("right must be between 0 and asked")
    p = right / asked
    centre = (p + z / (2 * asked)) / (1 + z / asked)
    half = z * math.sqrt(p * (1 - p) / asked + z**2 / (4 * asked**2)) / (1 + z / asked)
    return centre - half, centre + half


# %% 9.3 wrong | impossible counts raise no ValueError: more right than asked gives numbers, nothing asked a ZeroDivisionError
@exercise("9.3")
def wilson_interval(right: int, asked: int, z: float = 1.96) -> tuple[float, float]:
    p = right / asked
    centre = (p + z**2 / (2 * asked)) / (1 + z**2 / asked)
    half = z * max(0.0, p * (1 - p) / asked + z**2 / (4 * asked**2)) ** 0.5 / (1 + z**2 / asked)
    return centre - half, centre + half


# %% 9.3 wrong | only asked is checked: more right than asked, or fewer than none, is let through
@exercise("9.3")
def wilson_interval(right: int, asked: int, z: float = 1.96) -> tuple[float, float]:
    if asked <= 0:
        raise ValueError("nothing was asked")
    p = right / asked
    centre = (p + z**2 / (2 * asked)) / (1 + z**2 / asked)
    half = z * abs(p * (1 - p) / asked + z**2 / (4 * asked**2)) ** 0.5 / (1 + z**2 / asked)
    return centre - half, centre + half


# %% 9.3 wrong | none right and all right, which are allowed, are refused
@exercise("9.3")
def wilson_interval(right: int, asked: int, z: float = 1.96) -> tuple[float, float]:
    if not 0 < right < asked:
        raise ValueError("right must be between 0 and asked")
    p = right / asked
    centre = (p + z**2 / (2 * asked)) / (1 + z**2 / asked)
    half = z * math.sqrt(p * (1 - p) / asked + z**2 / (4 * asked**2)) / (1 + z**2 / asked)
    return centre - half, centre + half


# %% 9.3 wrong | nothing asked gives (0, 1) and no ValueError
@exercise("9.3")
def wilson_interval(right: int, asked: int, z: float = 1.96) -> tuple[float, float]:
    if asked == 0:
        return 0.0, 1.0
    if not 0 <= right <= asked:
        raise ValueError("right must be between 0 and asked")
    p = right / asked
    centre = (p + z**2 / (2 * asked)) / (1 + z**2 / asked)
    half = z * math.sqrt(p * (1 - p) / asked + z**2 / (4 * asked**2)) / (1 + z**2 / asked)
    return centre - half, centre + half


# %% 9.3 wrong | returns centre and half-width and not the two ends
@exercise("9.3")
def wilson_interval(right: int, asked: int, z: float = 1.96) -> tuple[float, float]:
    if asked < 1 or not 0 <= right <= asked:
        raise ValueError("right must be between 0 and asked")
    p = right / asked
    centre = (p + z**2 / (2 * asked)) / (1 + z**2 / asked)
    half = z * math.sqrt(p * (1 - p) / asked + z**2 / (4 * asked**2)) / (1 + z**2 / asked)
    return centre, half


# %% 9.3 wrong | the upper end comes first
@exercise("9.3")
def wilson_interval(right: int, asked: int, z: float = 1.96) -> tuple[float, float]:
    if asked < 1 or not 0 <= right <= asked:
        raise ValueError("right must be between 0 and asked")
    p = right / asked
    centre = (p + z**2 / (2 * asked)) / (1 + z**2 / asked)
    half = z * math.sqrt(p * (1 - p) / asked + z**2 / (4 * asked**2)) / (1 + z**2 / asked)
    return centre + half, centre - half


# %% 9.3 wrong | the interval of Agresti and Coull: Wilson's centre with the usual width around it
@exercise("9.3")
def wilson_interval(right: int, asked: int, z: float = 1.96) -> tuple[float, float]:
    if asked < 1 or not 0 <= right <= asked:
        raise ValueError("right must be between 0 and asked")
    n = asked + z**2
    p = (right + z**2 / 2) / n
    half = z * math.sqrt(p * (1 - p) / n)
    return p - half, p + half


# %% 9.3 wrong | whole-number division: the share is 0 unless all are right
@exercise("9.3")
def wilson_interval(right: int, asked: int, z: float = 1.96) -> tuple[float, float]:
    if asked < 1 or not 0 <= right <= asked:
        raise ValueError("right must be between 0 and asked")
    p = right // asked
    centre = (p + z**2 / (2 * asked)) / (1 + z**2 / asked)
    half = z * math.sqrt(p * (1 - p) / asked + z**2 / (4 * asked**2)) / (1 + z**2 / asked)
    return centre - half, centre + half


# %% 9.3 wrong | in per cent and not as shares
@exercise("9.3")
def wilson_interval(right: int, asked: int, z: float = 1.96) -> tuple[float, float]:
    if asked < 1 or not 0 <= right <= asked:
        raise ValueError("right must be between 0 and asked")
    p = right / asked
    centre = (p + z**2 / (2 * asked)) / (1 + z**2 / asked)
    half = z * math.sqrt(p * (1 - p) / asked + z**2 / (4 * asked**2)) / (1 + z**2 / asked)
    return 100 * (centre - half), 100 * (centre + half)


# %% 9.3 right | by the formula
@exercise("9.3")
def wilson_interval(right: int, asked: int, z: float = 1.96) -> tuple[float, float]:
    if asked <= 0 or not 0 <= right <= asked:
        raise ValueError(f"{right} of {asked} is no share")
    p = right / asked
    bottom = 1 + z**2 / asked
    centre = (p + z**2 / (2 * asked)) / bottom
    half = z / bottom * math.sqrt(p * (1 - p) / asked + z**2 / (4 * asked**2))
    return centre - half, centre + half


# %% 9.3 right | multiplied by n
@exercise("9.3")
def wilson_interval(right: int, asked: int, z: float = 1.96) -> tuple[float, float]:
    if asked < 1 or right < 0 or right > asked:
        raise ValueError("need 0 <= right <= asked, and a question")
    wrong = asked - right
    middle = right + z * z / 2
    width = z * (right * wrong / asked + z * z / 4) ** 0.5
    return (middle - width) / (asked + z * z), (middle + width) / (asked + z * z)


# %% 9.3 right | the roots of the quadratic equation, np floats
@exercise("9.3")
def wilson_interval(right: int, asked: int, z: float = 1.96) -> tuple[float, float]:
    import numpy as np

    if not (0 <= right <= asked and asked > 0):
        raise ValueError("impossible counts")
    p, c = right / asked, z**2 / asked
    a, b = 1 + c, -(2 * p + c)
    root = np.sqrt(b * b - 4 * a * p * p)
    return (-b - root) / (2 * a), (-b + root) / (2 * a)


# %% 9.4 wrong | inverts XᵀX, which has no inverse where there are fewer shots than dimensions: an error or nonsense
@exercise("9.4")
def least_squares(
    x: Float[Tensor, "*batch shots width"],
    y: Float[Tensor, "*batch shots"],
    query: Float[Tensor, "*batch width"],
) -> Float[Tensor, "*batch"]:
    w = torch.linalg.inv(x.mT @ x) @ (x.mT @ y.unsqueeze(-1))
    return (query.unsqueeze(-2) @ w)[..., 0, 0]


# %% 9.4 wrong | adds a penalty of 0.1 to make XᵀX invertible: that is ridge
@exercise("9.4")
def least_squares(
    x: Float[Tensor, "*batch shots width"],
    y: Float[Tensor, "*batch shots"],
    query: Float[Tensor, "*batch width"],
) -> Float[Tensor, "*batch"]:
    a = x.mT @ x + 0.1 * torch.eye(x.shape[-1])
    w = torch.linalg.solve(a, (x.mT @ y.unsqueeze(-1)))[..., 0]
    return (w * query).sum(-1)


# %% 9.4 wrong | returns w and does not apply it to the query
@exercise("9.4")
def least_squares(
    x: Float[Tensor, "*batch shots width"],
    y: Float[Tensor, "*batch shots"],
    query: Float[Tensor, "*batch width"],
) -> Float[Tensor, "*batch"]:
    return (torch.linalg.pinv(x) @ y.unsqueeze(-1)).squeeze(-1)


# %% 9.4 wrong | transposes with .T, which turns all axes round: right for one prompt, an error for batches
@exercise("9.4")
def least_squares(
    x: Float[Tensor, "*batch shots width"],
    y: Float[Tensor, "*batch shots"],
    query: Float[Tensor, "*batch width"],
) -> Float[Tensor, "*batch"]:
    w = torch.linalg.pinv(x.T @ x) @ x.T @ y
    return (w * query).sum(-1)


# %% 9.4 wrong | the inverse is left out: w = Xᵀy
@exercise("9.4")
def least_squares(
    x: Float[Tensor, "*batch shots width"],
    y: Float[Tensor, "*batch shots"],
    query: Float[Tensor, "*batch width"],
) -> Float[Tensor, "*batch"]:
    w = (x.mT @ y.unsqueeze(-1)).squeeze(-1)
    return (w * query).sum(-1)


# %% 9.4 wrong | w is Xᵀy over the number of shots, one gradient step, and NaN without shots
@exercise("9.4")
def least_squares(
    x: Float[Tensor, "*batch shots width"],
    y: Float[Tensor, "*batch shots"],
    query: Float[Tensor, "*batch width"],
) -> Float[Tensor, "*batch"]:
    w = (x * y.unsqueeze(-1)).mean(-2)
    return (w * query).sum(-1)


# %% 9.4 wrong | fits a constant as well (a column of ones), which the task does not have
@exercise("9.4")
def least_squares(
    x: Float[Tensor, "*batch shots width"],
    y: Float[Tensor, "*batch shots"],
    query: Float[Tensor, "*batch width"],
) -> Float[Tensor, "*batch"]:
    ones = torch.ones(*x.shape[:-1], 1)
    w = torch.linalg.pinv(torch.cat([x, ones], -1)) @ y.unsqueeze(-1)
    return (torch.cat([query, torch.ones(*query.shape[:-1], 1)], -1) * w.squeeze(-1)).sum(-1)


# %% 9.4 wrong | the answer keeps an axis of length 1 at its end
@exercise("9.4")
def least_squares(
    x: Float[Tensor, "*batch shots width"],
    y: Float[Tensor, "*batch shots"],
    query: Float[Tensor, "*batch width"],
) -> Float[Tensor, "*batch"]:
    w = torch.linalg.pinv(x) @ y.unsqueeze(-1)
    return (query.unsqueeze(-2) @ w).squeeze(-1)


# %% 9.4 wrong | one w for the whole batch: the prompts' shots are thrown together
@exercise("9.4")
def least_squares(
    x: Float[Tensor, "*batch shots width"],
    y: Float[Tensor, "*batch shots"],
    query: Float[Tensor, "*batch width"],
) -> Float[Tensor, "*batch"]:
    w = torch.linalg.pinv(x.reshape(-1, x.shape[-1])) @ y.reshape(-1)
    return query @ w


# %% 9.4 wrong | detached: no gradient reaches the shots
@exercise("9.4")
def least_squares(
    x: Float[Tensor, "*batch shots width"],
    y: Float[Tensor, "*batch shots"],
    query: Float[Tensor, "*batch width"],
) -> Float[Tensor, "*batch"]:
    w = torch.linalg.pinv(x.detach()) @ y.detach().unsqueeze(-1)
    return (w.squeeze(-1) * query.detach()).sum(-1)


# %% 9.4 wrong | only as many shots as there are dimensions are used, the rest is thrown away
@exercise("9.4")
def least_squares(
    x: Float[Tensor, "*batch shots width"],
    y: Float[Tensor, "*batch shots"],
    query: Float[Tensor, "*batch width"],
) -> Float[Tensor, "*batch"]:
    k = x.shape[-1]
    w = torch.linalg.pinv(x[..., :k, :]) @ y[..., :k].unsqueeze(-1)
    return (w.squeeze(-1) * query).sum(-1)


# %% 9.4 wrong | without shots raises a ValueError where the answer should be 0
@exercise("9.4")
def least_squares(
    x: Float[Tensor, "*batch shots width"],
    y: Float[Tensor, "*batch shots"],
    query: Float[Tensor, "*batch width"],
) -> Float[Tensor, "*batch"]:
    if x.shape[-2] == 0:
        raise ValueError("no shots")
    w = torch.linalg.pinv(x) @ y.unsqueeze(-1)
    return (w.squeeze(-1) * query).sum(-1)


# %% 9.4 wrong | without shots gives NaN where the answer should be 0
@exercise("9.4")
def least_squares(
    x: Float[Tensor, "*batch shots width"],
    y: Float[Tensor, "*batch shots"],
    query: Float[Tensor, "*batch width"],
) -> Float[Tensor, "*batch"]:
    if x.shape[-2] == 0:
        return torch.full(query.shape[:-1], math.nan)
    w = torch.linalg.pinv(x) @ y.unsqueeze(-1)
    return (w.squeeze(-1) * query).sum(-1)


# %% 9.4 wrong | fits x from y and not y from x: each dimension by itself
@exercise("9.4")
def least_squares(
    x: Float[Tensor, "*batch shots width"],
    y: Float[Tensor, "*batch shots"],
    query: Float[Tensor, "*batch width"],
) -> Float[Tensor, "*batch"]:
    w = (x * y.unsqueeze(-1)).sum(-2) / (y * y).sum(-1, keepdim=True).clamp(min=1e-6)
    return (w * query).sum(-1)


# %% 9.4 wrong | each dimension is fitted alone, as though the others were not there
@exercise("9.4")
def least_squares(
    x: Float[Tensor, "*batch shots width"],
    y: Float[Tensor, "*batch shots"],
    query: Float[Tensor, "*batch width"],
) -> Float[Tensor, "*batch"]:
    w = (x * y.unsqueeze(-1)).sum(-2) / x.square().sum(-2).clamp(min=1e-12)
    return (w * query).sum(-1)


# %% 9.4 wrong | with fewer shots than dimensions only the first dimensions are used, which is not the shortest w
@exercise("9.4")
def least_squares(
    x: Float[Tensor, "*batch shots width"],
    y: Float[Tensor, "*batch shots"],
    query: Float[Tensor, "*batch width"],
) -> Float[Tensor, "*batch"]:
    k = min(x.shape[-2:])
    w = torch.linalg.pinv(x[..., :k]) @ y.unsqueeze(-1)
    return (w.squeeze(-1) * query[..., :k]).sum(-1)


# %% 9.4 wrong | cuts small singular values at a fifth of the greatest: directions of the fit are lost
@exercise("9.4")
def least_squares(
    x: Float[Tensor, "*batch shots width"],
    y: Float[Tensor, "*batch shots"],
    query: Float[Tensor, "*batch width"],
) -> Float[Tensor, "*batch"]:
    w = torch.linalg.pinv(x, rtol=0.2) @ y.unsqueeze(-1)
    return (w.squeeze(-1) * query).sum(-1)


# %% 9.4 wrong | the answer is the mean over the batch
@exercise("9.4")
def least_squares(
    x: Float[Tensor, "*batch shots width"],
    y: Float[Tensor, "*batch shots"],
    query: Float[Tensor, "*batch width"],
) -> Float[Tensor, "*batch"]:
    w = torch.linalg.pinv(x) @ y.unsqueeze(-1)
    return (w.squeeze(-1) * query).sum(-1).mean()


# %% 9.4 right | the pseudo-inverse
@exercise("9.4")
def least_squares(
    x: Float[Tensor, "*batch shots width"],
    y: Float[Tensor, "*batch shots"],
    query: Float[Tensor, "*batch width"],
) -> Float[Tensor, "*batch"]:
    w = torch.linalg.pinv(x) @ y[..., None]
    return (query[..., None, :] @ w)[..., 0, 0]


# %% 9.4 right | torch's lstsq by singular values
@exercise("9.4")
def least_squares(
    x: Float[Tensor, "*batch shots width"],
    y: Float[Tensor, "*batch shots"],
    query: Float[Tensor, "*batch width"],
) -> Float[Tensor, "*batch"]:
    if x.shape[-2] == 0:
        return torch.zeros(query.shape[:-1], dtype=query.dtype)
    w = torch.linalg.lstsq(x, y.unsqueeze(-1), driver="gelsd").solution.squeeze(-1)
    return torch.einsum("...d,...d->...", w, query)


# %% 9.4 right | singular values by hand
@exercise("9.4")
def least_squares(
    x: Float[Tensor, "*batch shots width"],
    y: Float[Tensor, "*batch shots"],
    query: Float[Tensor, "*batch width"],
) -> Float[Tensor, "*batch"]:
    u, s, vh = torch.linalg.svd(x, full_matrices=False)
    inverse = torch.where(s > 1e-6 * s.amax(-1, keepdim=True), 1 / s, 0.0) if s.shape[-1] else s
    w = torch.einsum("...kd,...k,...nk,...n->...d", vh, inverse, u, y)
    return (w * query).sum(-1)


# %% 9.4 right | two formulas, for few shots and for many
@exercise("9.4")
def least_squares(
    x: Float[Tensor, "*batch shots width"],
    y: Float[Tensor, "*batch shots"],
    query: Float[Tensor, "*batch width"],
) -> Float[Tensor, "*batch"]:
    n, d = x.shape[-2:]
    if n == 0:
        return (query * 0).sum(-1)
    if n <= d:
        w = x.mT @ torch.linalg.solve(x @ x.mT, y.unsqueeze(-1))
    else:
        w = torch.linalg.solve(x.mT @ x, x.mT @ y.unsqueeze(-1))
    return (w.squeeze(-1) * query).sum(-1)


# %% 9.5 wrong | the penalty is ignored: plain least squares
@exercise("9.5")
def ridge(
    x: Float[Tensor, "*batch shots width"],
    y: Float[Tensor, "*batch shots"],
    query: Float[Tensor, "*batch width"],
    penalty: float | Float[Tensor, "*batch"],
) -> Float[Tensor, "*batch"]:
    w = torch.linalg.pinv(x) @ y.unsqueeze(-1)
    return (w.squeeze(-1) * query).sum(-1)


# %% 9.5 wrong | the penalty is added to every element of XᵀX and not to its diagonal alone
@exercise("9.5")
def ridge(
    x: Float[Tensor, "*batch shots width"],
    y: Float[Tensor, "*batch shots"],
    query: Float[Tensor, "*batch width"],
    penalty: float | Float[Tensor, "*batch"],
) -> Float[Tensor, "*batch"]:
    penalty = torch.as_tensor(penalty, dtype=x.dtype)[..., None, None]
    w = torch.linalg.pinv(x.mT @ x + penalty) @ x.mT @ y.unsqueeze(-1)
    return (w.squeeze(-1) * query).sum(-1)


# %% 9.5 wrong | the penalty is squared
@exercise("9.5")
def ridge(
    x: Float[Tensor, "*batch shots width"],
    y: Float[Tensor, "*batch shots"],
    query: Float[Tensor, "*batch width"],
    penalty: float | Float[Tensor, "*batch"],
) -> Float[Tensor, "*batch"]:
    penalty = torch.as_tensor(penalty, dtype=x.dtype)[..., None, None]
    a = x.mT @ x + penalty**2 * torch.eye(x.shape[-1])
    return (torch.linalg.solve(a, x.mT @ y.unsqueeze(-1)).squeeze(-1) * query).sum(-1)


# %% 9.5 wrong | XᵀX and Xᵀy are divided by the number of shots, so the penalty weighs that many times too much
@exercise("9.5")
def ridge(
    x: Float[Tensor, "*batch shots width"],
    y: Float[Tensor, "*batch shots"],
    query: Float[Tensor, "*batch width"],
    penalty: float | Float[Tensor, "*batch"],
) -> Float[Tensor, "*batch"]:
    penalty = torch.as_tensor(penalty, dtype=x.dtype)[..., None, None]
    n = max(x.shape[-2], 1)
    a = x.mT @ x / n + penalty * torch.eye(x.shape[-1])
    return (torch.linalg.solve(a, x.mT @ y.unsqueeze(-1) / n).squeeze(-1) * query).sum(-1)


# %% 9.5 wrong | a penalty for each prompt is not broadcast over the matrices: an error, or the wrong axis
@exercise("9.5")
def ridge(
    x: Float[Tensor, "*batch shots width"],
    y: Float[Tensor, "*batch shots"],
    query: Float[Tensor, "*batch width"],
    penalty: float | Float[Tensor, "*batch"],
) -> Float[Tensor, "*batch"]:
    a = x.mT @ x + penalty * torch.eye(x.shape[-1])
    return (torch.linalg.solve(a, x.mT @ y.unsqueeze(-1)).squeeze(-1) * query).sum(-1)


# %% 9.5 wrong | of a penalty for each prompt only the mean is used
@exercise("9.5")
def ridge(
    x: Float[Tensor, "*batch shots width"],
    y: Float[Tensor, "*batch shots"],
    query: Float[Tensor, "*batch width"],
    penalty: float | Float[Tensor, "*batch"],
) -> Float[Tensor, "*batch"]:
    penalty = torch.as_tensor(penalty, dtype=x.dtype).mean()
    a = x.mT @ x + penalty * torch.eye(x.shape[-1])
    return (torch.linalg.solve(a, x.mT @ y.unsqueeze(-1)).squeeze(-1) * query).sum(-1)


# %% 9.5 wrong | a penalty given as a number raises an error, only tensors work
@exercise("9.5")
def ridge(
    x: Float[Tensor, "*batch shots width"],
    y: Float[Tensor, "*batch shots"],
    query: Float[Tensor, "*batch width"],
    penalty: float | Float[Tensor, "*batch"],
) -> Float[Tensor, "*batch"]:
    a = x.mT @ x + penalty[..., None, None] * torch.eye(x.shape[-1])
    return (torch.linalg.solve(a, x.mT @ y.unsqueeze(-1)).squeeze(-1) * query).sum(-1)


# %% 9.5 wrong | returns w and does not apply it to the query
@exercise("9.5")
def ridge(
    x: Float[Tensor, "*batch shots width"],
    y: Float[Tensor, "*batch shots"],
    query: Float[Tensor, "*batch width"],
    penalty: float | Float[Tensor, "*batch"],
) -> Float[Tensor, "*batch"]:
    penalty = torch.as_tensor(penalty, dtype=x.dtype)[..., None, None]
    a = x.mT @ x + penalty * torch.eye(x.shape[-1])
    return torch.linalg.solve(a, x.mT @ y.unsqueeze(-1)).squeeze(-1)


# %% 9.5 wrong | the penalty is subtracted
@exercise("9.5")
def ridge(
    x: Float[Tensor, "*batch shots width"],
    y: Float[Tensor, "*batch shots"],
    query: Float[Tensor, "*batch width"],
    penalty: float | Float[Tensor, "*batch"],
) -> Float[Tensor, "*batch"]:
    penalty = torch.as_tensor(penalty, dtype=x.dtype)[..., None, None]
    a = x.mT @ x - penalty * torch.eye(x.shape[-1])
    return (torch.linalg.pinv(a) @ x.mT @ y.unsqueeze(-1)).squeeze(-1).mul(query).sum(-1)


# %% 9.5 wrong | XᵀX is penalised with 1 and the result divided by the penalty
@exercise("9.5")
def ridge(
    x: Float[Tensor, "*batch shots width"],
    y: Float[Tensor, "*batch shots"],
    query: Float[Tensor, "*batch width"],
    penalty: float | Float[Tensor, "*batch"],
) -> Float[Tensor, "*batch"]:
    penalty = torch.as_tensor(penalty, dtype=x.dtype)
    a = x.mT @ x + torch.eye(x.shape[-1])
    return (torch.linalg.solve(a, x.mT @ y.unsqueeze(-1)).squeeze(-1) * query).sum(-1) / penalty


# %% 9.5 wrong | the least-squares answer is shrunk by 1/(1 + penalty), the same in all directions
@exercise("9.5")
def ridge(
    x: Float[Tensor, "*batch shots width"],
    y: Float[Tensor, "*batch shots"],
    query: Float[Tensor, "*batch width"],
    penalty: float | Float[Tensor, "*batch"],
) -> Float[Tensor, "*batch"]:
    penalty = torch.as_tensor(penalty, dtype=x.dtype)
    w = torch.linalg.pinv(x) @ y.unsqueeze(-1)
    return (w.squeeze(-1) * query).sum(-1) / (1 + penalty)


# %% 9.5 wrong | the first weight is left without a penalty, as though it were a constant
@exercise("9.5")
def ridge(
    x: Float[Tensor, "*batch shots width"],
    y: Float[Tensor, "*batch shots"],
    query: Float[Tensor, "*batch width"],
    penalty: float | Float[Tensor, "*batch"],
) -> Float[Tensor, "*batch"]:
    penalty = torch.as_tensor(penalty, dtype=x.dtype)[..., None, None]
    eye = torch.eye(x.shape[-1])
    eye[0, 0] = 1e-6
    a = x.mT @ x + penalty * eye
    return (torch.linalg.solve(a, x.mT @ y.unsqueeze(-1)).squeeze(-1) * query).sum(-1)


# %% 9.5 wrong | x and y are centred first, as though a constant were fitted
@exercise("9.5")
def ridge(
    x: Float[Tensor, "*batch shots width"],
    y: Float[Tensor, "*batch shots"],
    query: Float[Tensor, "*batch width"],
    penalty: float | Float[Tensor, "*batch"],
) -> Float[Tensor, "*batch"]:
    penalty = torch.as_tensor(penalty, dtype=x.dtype)[..., None, None]
    n = max(x.shape[-2], 1)
    mx, my = x.sum(-2, keepdim=True) / n, y.sum(-1, keepdim=True) / n
    xc, yc = x - mx, y - my
    a = xc.mT @ xc + penalty * torch.eye(x.shape[-1])
    w = torch.linalg.solve(a, xc.mT @ yc.unsqueeze(-1)).squeeze(-1)
    return (w * (query - mx.squeeze(-2))).sum(-1) + my.squeeze(-1)


# %% 9.5 wrong | the unit matrix is as large as the number of shots: XᵀX + penalty · I fails unless shots and width agree
@exercise("9.5")
def ridge(
    x: Float[Tensor, "*batch shots width"],
    y: Float[Tensor, "*batch shots"],
    query: Float[Tensor, "*batch width"],
    penalty: float | Float[Tensor, "*batch"],
) -> Float[Tensor, "*batch"]:
    penalty = torch.as_tensor(penalty, dtype=x.dtype)[..., None, None]
    a = x.mT @ x + penalty * torch.eye(x.shape[-2])
    return (torch.linalg.solve(a, x.mT @ y.unsqueeze(-1)).squeeze(-1) * query).sum(-1)


# %% 9.5 wrong | the answer keeps an axis of length 1 at its end
@exercise("9.5")
def ridge(
    x: Float[Tensor, "*batch shots width"],
    y: Float[Tensor, "*batch shots"],
    query: Float[Tensor, "*batch width"],
    penalty: float | Float[Tensor, "*batch"],
) -> Float[Tensor, "*batch"]:
    penalty = torch.as_tensor(penalty, dtype=x.dtype)[..., None, None]
    a = x.mT @ x + penalty * torch.eye(x.shape[-1])
    return (query.unsqueeze(-2) @ torch.linalg.solve(a, x.mT @ y.unsqueeze(-1))).squeeze(-1)


# %% 9.5 wrong | the penalty is on the wrong side: Xᵀy is shifted by it as well
@exercise("9.5")
def ridge(
    x: Float[Tensor, "*batch shots width"],
    y: Float[Tensor, "*batch shots"],
    query: Float[Tensor, "*batch width"],
    penalty: float | Float[Tensor, "*batch"],
) -> Float[Tensor, "*batch"]:
    penalty = torch.as_tensor(penalty, dtype=x.dtype)[..., None, None]
    a = x.mT @ x + penalty * torch.eye(x.shape[-1])
    return (torch.linalg.solve(a, x.mT @ y.unsqueeze(-1) + penalty).squeeze(-1) * query).sum(-1)


# %% 9.5 wrong | penalty · width in place of the penalty
@exercise("9.5")
def ridge(
    x: Float[Tensor, "*batch shots width"],
    y: Float[Tensor, "*batch shots"],
    query: Float[Tensor, "*batch width"],
    penalty: float | Float[Tensor, "*batch"],
) -> Float[Tensor, "*batch"]:
    penalty = torch.as_tensor(penalty, dtype=x.dtype)[..., None, None] * x.shape[-1]
    a = x.mT @ x + penalty * torch.eye(x.shape[-1])
    return (torch.linalg.solve(a, x.mT @ y.unsqueeze(-1)).squeeze(-1) * query).sum(-1)


# %% 9.5 wrong | transposes with .T: right for one prompt, an error for batches
@exercise("9.5")
def ridge(
    x: Float[Tensor, "*batch shots width"],
    y: Float[Tensor, "*batch shots"],
    query: Float[Tensor, "*batch width"],
    penalty: float | Float[Tensor, "*batch"],
) -> Float[Tensor, "*batch"]:
    a = x.T @ x + penalty * torch.eye(x.shape[-1])
    return torch.linalg.solve(a, x.T @ y) @ query


# %% 9.5 right | solve
@exercise("9.5")
def ridge(
    x: Float[Tensor, "*batch shots width"],
    y: Float[Tensor, "*batch shots"],
    query: Float[Tensor, "*batch width"],
    penalty: float | Float[Tensor, "*batch"],
) -> Float[Tensor, "*batch"]:
    penalty = torch.as_tensor(penalty, dtype=x.dtype)[..., None, None]
    a = x.mT @ x + penalty * torch.eye(x.shape[-1], dtype=x.dtype)
    w = torch.linalg.solve(a, x.mT @ y.unsqueeze(-1)).squeeze(-1)
    return (w * query).sum(-1)


# %% 9.5 right | the inverse, on the diagonal by hand
@exercise("9.5")
def ridge(
    x: Float[Tensor, "*batch shots width"],
    y: Float[Tensor, "*batch shots"],
    query: Float[Tensor, "*batch width"],
    penalty: float | Float[Tensor, "*batch"],
) -> Float[Tensor, "*batch"]:
    a = torch.einsum("...nd,...ne->...de", x, x).clone()
    a.diagonal(dim1=-2, dim2=-1).add_(torch.as_tensor(penalty, dtype=x.dtype).unsqueeze(-1))
    b = torch.einsum("...nd,...n->...d", x, y)
    return torch.einsum("...d,...de,...e->...", query, torch.linalg.inv(a), b)


# %% 9.5 right | the dual form, as large as the number of shots
@exercise("9.5")
def ridge(
    x: Float[Tensor, "*batch shots width"],
    y: Float[Tensor, "*batch shots"],
    query: Float[Tensor, "*batch width"],
    penalty: float | Float[Tensor, "*batch"],
) -> Float[Tensor, "*batch"]:
    lam = torch.as_tensor(penalty, dtype=x.dtype)[..., None, None]
    gram = x @ x.mT + lam * torch.eye(x.shape[-2], dtype=x.dtype)
    alpha = torch.linalg.solve(gram, y.unsqueeze(-1))
    return (x @ query.unsqueeze(-1)).mul(alpha).sum((-2, -1))


# %% 9.5 right | Cholesky
@exercise("9.5")
def ridge(
    x: Float[Tensor, "*batch shots width"],
    y: Float[Tensor, "*batch shots"],
    query: Float[Tensor, "*batch width"],
    penalty: float | Float[Tensor, "*batch"],
) -> Float[Tensor, "*batch"]:
    eye = torch.eye(x.shape[-1], dtype=x.dtype)
    lam = penalty[..., None, None] if isinstance(penalty, Tensor) else penalty
    factor = torch.linalg.cholesky(x.transpose(-1, -2) @ x + lam * eye)
    w = torch.cholesky_solve(x.transpose(-1, -2) @ y[..., None], factor)[..., 0]
    return (query * w).sum(dim=-1)


# %% 9.6 wrong | the point's own pair is among its shots: it is told the answer
from course.in_context.regression import Estimator


@exercise("9.6")
def predict_each(
    estimator: Estimator, x: Float[Tensor, "*batch points width"], y: Float[Tensor, "*batch points"]
) -> Float[Tensor, "*batch points"]:
    return torch.stack(
        [estimator(x[..., : i + 1, :], y[..., : i + 1], x[..., i, :]) for i in range(x.shape[-2])], -1
    )


# %% 9.6 wrong | begins with 1 shot: the prediction from 0 shots is missing
from course.in_context.regression import Estimator


@exercise("9.6")
def predict_each(
    estimator: Estimator, x: Float[Tensor, "*batch points width"], y: Float[Tensor, "*batch points"]
) -> Float[Tensor, "*batch points"]:
    return torch.stack(
        [estimator(x[..., :i, :], y[..., :i], x[..., i, :]) for i in range(1, x.shape[-2])], -1
    )


# %% 9.6 wrong | ends one too early: the last point is not predicted
from course.in_context.regression import Estimator


@exercise("9.6")
def predict_each(
    estimator: Estimator, x: Float[Tensor, "*batch points width"], y: Float[Tensor, "*batch points"]
) -> Float[Tensor, "*batch points"]:
    return torch.stack(
        [estimator(x[..., :i, :], y[..., :i], x[..., i, :]) for i in range(x.shape[-2] - 1)], -1
    )


# %% 9.6 wrong | asks for the point before (x[i - 1]), which is among the shots
from course.in_context.regression import Estimator


@exercise("9.6")
def predict_each(
    estimator: Estimator, x: Float[Tensor, "*batch points width"], y: Float[Tensor, "*batch points"]
) -> Float[Tensor, "*batch points"]:
    return torch.stack(
        [estimator(x[..., :i, :], y[..., :i], x[..., i - 1, :]) for i in range(x.shape[-2])], -1
    )


# %% 9.6 wrong | cuts and counts along the first axis: right for one prompt, wrong in batches
from course.in_context.regression import Estimator


@exercise("9.6")
def predict_each(
    estimator: Estimator, x: Float[Tensor, "*batch points width"], y: Float[Tensor, "*batch points"]
) -> Float[Tensor, "*batch points"]:
    return torch.stack([estimator(x[:i], y[:i], x[i]) for i in range(len(x))], -1)


# %% 9.6 wrong | the answers are stacked along the first axis, so in a batch points come before prompts
from course.in_context.regression import Estimator


@exercise("9.6")
def predict_each(
    estimator: Estimator, x: Float[Tensor, "*batch points width"], y: Float[Tensor, "*batch points"]
) -> Float[Tensor, "*batch points"]:
    return torch.stack([estimator(x[..., :i, :], y[..., :i], x[..., i, :]) for i in range(x.shape[-2])], 0)


# %% 9.6 wrong | all other pairs are the shots, those that come later too
from course.in_context.regression import Estimator


@exercise("9.6")
def predict_each(
    estimator: Estimator, x: Float[Tensor, "*batch points width"], y: Float[Tensor, "*batch points"]
) -> Float[Tensor, "*batch points"]:
    n = x.shape[-2]
    others = [[j for j in range(n) if j != i] for i in range(n)]
    return torch.stack([estimator(x[..., o, :], y[..., o], x[..., i, :]) for i, o in enumerate(others)], -1)


# %% 9.6 wrong | the pairs behind the point are the shots and not those before it
from course.in_context.regression import Estimator


@exercise("9.6")
def predict_each(
    estimator: Estimator, x: Float[Tensor, "*batch points width"], y: Float[Tensor, "*batch points"]
) -> Float[Tensor, "*batch points"]:
    n = x.shape[-2]
    return torch.stack([estimator(x[..., i + 1 :, :], y[..., i + 1 :], x[..., i, :]) for i in range(n)], -1)


# %% 9.6 wrong | only the last point is predicted
from course.in_context.regression import Estimator


@exercise("9.6")
def predict_each(
    estimator: Estimator, x: Float[Tensor, "*batch points width"], y: Float[Tensor, "*batch points"]
) -> Float[Tensor, "*batch points"]:
    return estimator(x[..., :-1, :], y[..., :-1], x[..., -1, :])


# %% 9.6 wrong | 0 shots are not given to the estimator: its answer is taken to be 0
from course.in_context.regression import Estimator


@exercise("9.6")
def predict_each(
    estimator: Estimator, x: Float[Tensor, "*batch points width"], y: Float[Tensor, "*batch points"]
) -> Float[Tensor, "*batch points"]:
    out = torch.zeros_like(y)
    for i in range(1, x.shape[-2]):
        out[..., i] = estimator(x[..., :i, :], y[..., :i], x[..., i, :])
    return out


# %% 9.6 wrong | returns a list of tensors
from course.in_context.regression import Estimator


@exercise("9.6")
def predict_each(
    estimator: Estimator, x: Float[Tensor, "*batch points width"], y: Float[Tensor, "*batch points"]
) -> Float[Tensor, "*batch points"]:
    return [estimator(x[..., :i, :], y[..., :i], x[..., i, :]) for i in range(x.shape[-2])]


# %% 9.6 wrong | the size of the batch is taken for the number of points
from course.in_context.regression import Estimator


@exercise("9.6")
def predict_each(
    estimator: Estimator, x: Float[Tensor, "*batch points width"], y: Float[Tensor, "*batch points"]
) -> Float[Tensor, "*batch points"]:
    return torch.stack([estimator(x[..., :i, :], y[..., :i], x[..., i, :]) for i in range(x.shape[0])], -1)


# %% 9.6 wrong | the estimator is ignored and least squares always used
from course.in_context.regression import Estimator


@exercise("9.6")
def predict_each(
    estimator: Estimator, x: Float[Tensor, "*batch points width"], y: Float[Tensor, "*batch points"]
) -> Float[Tensor, "*batch points"]:
    answers = []
    for i in range(x.shape[-2]):
        w = torch.linalg.pinv(x[..., :i, :]) @ y[..., :i].unsqueeze(-1)
        answers.append((w.squeeze(-1) * x[..., i, :]).sum(-1))
    return torch.stack(answers, -1)


# %% 9.6 wrong | returns the errors, prediction minus y
from course.in_context.regression import Estimator


@exercise("9.6")
def predict_each(
    estimator: Estimator, x: Float[Tensor, "*batch points width"], y: Float[Tensor, "*batch points"]
) -> Float[Tensor, "*batch points"]:
    said = [estimator(x[..., :i, :], y[..., :i], x[..., i, :]) for i in range(x.shape[-2])]
    return torch.stack(said, -1) - y


# %% 9.6 wrong | only the last five pairs before the point are used
from course.in_context.regression import Estimator


@exercise("9.6")
def predict_each(
    estimator: Estimator, x: Float[Tensor, "*batch points width"], y: Float[Tensor, "*batch points"]
) -> Float[Tensor, "*batch points"]:
    said = []
    for i in range(x.shape[-2]):
        a = max(0, i - 5)
        said.append(estimator(x[..., a:i, :], y[..., a:i], x[..., i, :]))
    return torch.stack(said, -1)


# %% 9.6 wrong | the query keeps the axis of the points, with length 1: estimators get a shape that they do not take
from course.in_context.regression import Estimator


@exercise("9.6")
def predict_each(
    estimator: Estimator, x: Float[Tensor, "*batch points width"], y: Float[Tensor, "*batch points"]
) -> Float[Tensor, "*batch points"]:
    said = [estimator(x[..., :i, :], y[..., :i], x[..., i : i + 1, :]) for i in range(x.shape[-2])]
    return torch.cat(said, -1)


# %% 9.6 wrong | turned into Python floats: batches raise an error, and no gradient runs
from course.in_context.regression import Estimator


@exercise("9.6")
def predict_each(
    estimator: Estimator, x: Float[Tensor, "*batch points width"], y: Float[Tensor, "*batch points"]
) -> Float[Tensor, "*batch points"]:
    said = [float(estimator(x[..., :i, :], y[..., :i], x[..., i, :])) for i in range(x.shape[-2])]
    return torch.tensor(said)


# %% 9.6 wrong | the answers are written into y itself, so later shots are predictions and the caller's y is changed
from course.in_context.regression import Estimator


@exercise("9.6")
def predict_each(
    estimator: Estimator, x: Float[Tensor, "*batch points width"], y: Float[Tensor, "*batch points"]
) -> Float[Tensor, "*batch points"]:
    for i in range(x.shape[-2]):
        y[..., i] = estimator(x[..., :i, :], y[..., :i], x[..., i, :])
    return y


# %% 9.6 wrong | predictions are fed back: the shots' y are earlier predictions and not the true ones
from course.in_context.regression import Estimator


@exercise("9.6")
def predict_each(
    estimator: Estimator, x: Float[Tensor, "*batch points width"], y: Float[Tensor, "*batch points"]
) -> Float[Tensor, "*batch points"]:
    said = torch.zeros_like(y)
    for i in range(x.shape[-2]):
        said[..., i] = estimator(x[..., :i, :], said[..., :i], x[..., i, :])
    return said


# %% 9.6 right | stacked along the last axis
from course.in_context.regression import Estimator


@exercise("9.6")
def predict_each(
    estimator: Estimator, x: Float[Tensor, "*batch points width"], y: Float[Tensor, "*batch points"]
) -> Float[Tensor, "*batch points"]:
    points = x.shape[-2]
    return torch.stack([estimator(x[..., :k, :], y[..., :k], x[..., k, :]) for k in range(points)], dim=-1)


# %% 9.6 right | written into an empty tensor
from course.in_context.regression import Estimator


@exercise("9.6")
def predict_each(
    estimator: Estimator, x: Float[Tensor, "*batch points width"], y: Float[Tensor, "*batch points"]
) -> Float[Tensor, "*batch points"]:
    out = torch.empty_like(y)
    for k in range(y.shape[-1]):
        out[..., k] = estimator(x[..., :k, :], y[..., :k], x[..., k, :])
    return out


# %% 9.6 right | cat of columns, narrow
from course.in_context.regression import Estimator


@exercise("9.6")
def predict_each(
    estimator: Estimator, x: Float[Tensor, "*batch points width"], y: Float[Tensor, "*batch points"]
) -> Float[Tensor, "*batch points"]:
    columns = []
    for k in range(x.size(-2)):
        before_x, before_y = x.narrow(-2, 0, k), y.narrow(-1, 0, k)
        columns.append(estimator(before_x, before_y, x.select(-2, k)).unsqueeze(-1))
    return torch.cat(columns, dim=-1)


# %% 9.7 wrong | marks the earlier occurrence itself and not the token after it
@exercise("9.7")
def continues_earlier(ids: Int[Tensor, "batch n"]) -> Bool[Tensor, "batch query key"]:
    n = ids.shape[1]
    same = ids[:, :, None] == ids[:, None, :]
    return same & torch.ones(n, n, dtype=torch.bool).tril(-1)


# %% 9.7 wrong | marks the token before the earlier occurrence and not the one after
@exercise("9.7")
def continues_earlier(ids: Int[Tensor, "batch n"]) -> Bool[Tensor, "batch query key"]:
    n = ids.shape[1]
    nexts = F.pad(ids[:, 1:], (0, 1), value=-1)
    same = ids[:, :, None] == nexts[:, None, :]
    return same & torch.ones(n, n, dtype=torch.bool).tril(-2)


# %% 9.7 wrong | "earlier" is forgotten: later occurrences and the token itself count too
@exercise("9.7")
def continues_earlier(ids: Int[Tensor, "batch n"]) -> Bool[Tensor, "batch query key"]:
    before = F.pad(ids[:, :-1], (1, 0), value=-1)
    return ids[:, :, None] == before[:, None, :]


# %% 9.7 wrong | the query's own occurrence counts as an earlier one: the token right after the query is marked
@exercise("9.7")
def continues_earlier(ids: Int[Tensor, "batch n"]) -> Bool[Tensor, "batch query key"]:
    n = ids.shape[1]
    before = F.pad(ids[:, :-1], (1, 0), value=-1)
    same = ids[:, :, None] == before[:, None, :]
    return same & torch.ones(n, n, dtype=torch.bool).tril(1)


# %% 9.7 wrong | queries and keys are swapped
@exercise("9.7")
def continues_earlier(ids: Int[Tensor, "batch n"]) -> Bool[Tensor, "batch query key"]:
    n = ids.shape[1]
    before = F.pad(ids[:, :-1], (1, 0), value=-1)
    same = ids[:, :, None] == before[:, None, :]
    return (same & torch.ones(n, n, dtype=torch.bool).tril()).mT


# %% 9.7 wrong | roll goes round: the first key is taken to follow the last token of the text, though nothing stands before it
@exercise("9.7")
def continues_earlier(ids: Int[Tensor, "batch n"]) -> Bool[Tensor, "batch query key"]:
    n = ids.shape[1]
    before = ids.roll(1, dims=1)
    same = ids[:, :, None] == before[:, None, :]
    return same & torch.ones(n, n, dtype=torch.bool).tril()


# %% 9.7 wrong | the query's own place is left out, though it continues an earlier occurrence where a token stands twice in a row
@exercise("9.7")
def continues_earlier(ids: Int[Tensor, "batch n"]) -> Bool[Tensor, "batch query key"]:
    n = ids.shape[1]
    before = F.pad(ids[:, :-1], (1, 0), value=-1)
    same = ids[:, :, None] == before[:, None, :]
    return same & torch.ones(n, n, dtype=torch.bool).tril(-1)


# %% 9.7 wrong | only what followed the latest earlier occurrence is marked and not every one
@exercise("9.7")
def continues_earlier(ids: Int[Tensor, "batch n"]) -> Bool[Tensor, "batch query key"]:
    batch, n = ids.shape
    out = torch.zeros(batch, n, n, dtype=torch.bool)
    for b in range(batch):
        last = {}
        for q, token in enumerate(ids[b].tolist()):
            if token in last:
                out[b, q, last[token] + 1] = True
            last[token] = q
    return out


# %% 9.7 wrong | only what followed the first occurrence is marked and not every one
@exercise("9.7")
def continues_earlier(ids: Int[Tensor, "batch n"]) -> Bool[Tensor, "batch query key"]:
    batch, n = ids.shape
    out = torch.zeros(batch, n, n, dtype=torch.bool)
    for b in range(batch):
        first = {}
        for q, token in enumerate(ids[b].tolist()):
            if token in first:
                out[b, q, first[token] + 1] = True
            first.setdefault(token, q)
    return out


# %% 9.7 wrong | floats in place of booleans
@exercise("9.7")
def continues_earlier(ids: Int[Tensor, "batch n"]) -> Bool[Tensor, "batch query key"]:
    n = ids.shape[1]
    before = F.pad(ids[:, :-1], (1, 0), value=-1)
    same = ids[:, :, None] == before[:, None, :]
    return (same & torch.ones(n, n, dtype=torch.bool).tril()).float()


# %% 9.7 wrong | all texts get the marks of the first one
@exercise("9.7")
def continues_earlier(ids: Int[Tensor, "batch n"]) -> Bool[Tensor, "batch query key"]:
    n = ids.shape[1]
    before = F.pad(ids[:1, :-1], (1, 0), value=-1)
    same = ids[:1, :, None] == before[:, None, :]
    return (same & torch.ones(n, n, dtype=torch.bool).tril()).expand(len(ids), n, n)


# %% 9.7 wrong | marks keys whose token is the one that really comes next after the query, wherever it stood
@exercise("9.7")
def continues_earlier(ids: Int[Tensor, "batch n"]) -> Bool[Tensor, "batch query key"]:
    n = ids.shape[1]
    nexts = F.pad(ids[:, 1:], (0, 1), value=-1)
    same = nexts[:, :, None] == ids[:, None, :]
    return same & torch.ones(n, n, dtype=torch.bool).tril()


# %% 9.7 wrong | the first column is missing: keys begin at the second token
@exercise("9.7")
def continues_earlier(ids: Int[Tensor, "batch n"]) -> Bool[Tensor, "batch query key"]:
    n = ids.shape[1]
    same = ids[:, :, None] == ids[:, None, :-1]
    return same & torch.ones(n, n, dtype=torch.bool).tril()[:, 1:]


# %% 9.7 wrong | the text is taken to be its first half twice: one key half a text back is marked, whatever the tokens are
@exercise("9.7")
def continues_earlier(ids: Int[Tensor, "batch n"]) -> Bool[Tensor, "batch query key"]:
    batch, n = ids.shape
    half = n // 2
    out = torch.zeros(batch, n, n, dtype=torch.bool)
    for q in range(half, n):
        out[:, q, q - half + 1] = True
    return out


# %% 9.7 wrong | padded with 0 before the first token, so where 0 is a token the first key seems to follow it
@exercise("9.7")
def continues_earlier(ids: Int[Tensor, "batch n"]) -> Bool[Tensor, "batch query key"]:
    n = ids.shape[1]
    before = F.pad(ids[:, :-1], (1, 0), value=0)
    same = ids[:, :, None] == before[:, None, :]
    return same & torch.ones(n, n, dtype=torch.bool).tril()


# %% 9.7 wrong | upper triangle in place of lower: the keys after later occurrences are marked
@exercise("9.7")
def continues_earlier(ids: Int[Tensor, "batch n"]) -> Bool[Tensor, "batch query key"]:
    n = ids.shape[1]
    before = F.pad(ids[:, :-1], (1, 0), value=-1)
    same = ids[:, :, None] == before[:, None, :]
    return same & torch.ones(n, n, dtype=torch.bool).triu(1)


# %% 9.7 wrong | returns the places of the marks and not the table
@exercise("9.7")
def continues_earlier(ids: Int[Tensor, "batch n"]) -> Bool[Tensor, "batch query key"]:
    n = ids.shape[1]
    before = F.pad(ids[:, :-1], (1, 0), value=-1)
    same = ids[:, :, None] == before[:, None, :]
    return (same & torch.ones(n, n, dtype=torch.bool).tril()).nonzero()


# %% 9.7 wrong | writes a marker into the caller's ids
@exercise("9.7")
def continues_earlier(ids: Int[Tensor, "batch n"]) -> Bool[Tensor, "batch query key"]:
    n = ids.shape[1]
    tokens = ids.clone()
    ids[:, 1:] = tokens[:, :-1]
    ids[:, 0] = -1
    same = tokens[:, :, None] == ids[:, None, :]
    return same & torch.ones(n, n, dtype=torch.bool).tril()


# %% 9.7 right | moved by one, compared, lower triangle
@exercise("9.7")
def continues_earlier(ids: Int[Tensor, "batch n"]) -> Bool[Tensor, "batch query key"]:
    n = ids.shape[1]
    before = F.pad(ids[:, :-1], (1, 0), value=-1)
    same = ids.unsqueeze(2) == before.unsqueeze(1)
    return same & torch.ones(n, n, dtype=torch.bool).tril()


# %% 9.7 right | loops
@exercise("9.7")
def continues_earlier(ids: Int[Tensor, "batch n"]) -> Bool[Tensor, "batch query key"]:
    batch, n = ids.shape
    out = torch.zeros(batch, n, n, dtype=torch.bool)
    for b in range(batch):
        for q in range(n):
            for k in range(1, q + 1):
                out[b, q, k] = ids[b, k - 1] == ids[b, q]
    return out


# %% 9.7 right | earlier occurrences first, then moved to the right
@exercise("9.7")
def continues_earlier(ids: Int[Tensor, "batch n"]) -> Bool[Tensor, "batch query key"]:
    n = ids.size(1)
    place = torch.arange(n)
    earlier = (ids[:, :, None] == ids[:, None, :]) & (place[None, :] < place[:, None])
    out = torch.zeros_like(earlier)
    out[:, :, 1:] = earlier[:, :, :-1]
    return out


# %% 9.7 right | roll, and the first column emptied
@exercise("9.7")
def continues_earlier(ids: Int[Tensor, "batch n"]) -> Bool[Tensor, "batch query key"]:
    table = (ids[..., None] == ids.roll(1, -1)[:, None]).tril()
    table[:, :, 0] = False
    return table


# %% 9.8 wrong | the mean over all queries, those too whose token was never there before
from course.in_context.induction import continues_earlier


@exercise("9.8")
def prefix_matching_score(
    weights: Float[Tensor, "batch *heads query key"], ids: Int[Tensor, "batch n"]
) -> Float[Tensor, "*heads"]:
    marked = continues_earlier(ids).float()
    return torch.einsum("b...qk,bqk->...", weights, marked) / ids.numel()


# %% 9.8 wrong | the mean of each text's mean, so that queries of texts with few repeats weigh more
from course.in_context.induction import continues_earlier


@exercise("9.8")
def prefix_matching_score(
    weights: Float[Tensor, "batch *heads query key"], ids: Int[Tensor, "batch n"]
) -> Float[Tensor, "*heads"]:
    marked = continues_earlier(ids)
    has = marked.any(-1).float()
    given = torch.einsum("b...qk,bqk->b...q", weights, marked.float())
    each = torch.einsum("b...q,bq->b...", given, has) / has.sum(-1).view(-1, *[1] * (given.dim() - 2))
    return each.mean(0)


# %% 9.8 wrong | divides by the number of marked keys and not of queries: the mean weight of a key
from course.in_context.induction import continues_earlier


@exercise("9.8")
def prefix_matching_score(
    weights: Float[Tensor, "batch *heads query key"], ids: Int[Tensor, "batch n"]
) -> Float[Tensor, "*heads"]:
    marked = continues_earlier(ids).float()
    return torch.einsum("b...qk,bqk->...", weights, marked) / marked.sum()


# %% 9.8 wrong | of several marked keys only the one with most attention counts and not their sum
from course.in_context.induction import continues_earlier


@exercise("9.8")
def prefix_matching_score(
    weights: Float[Tensor, "batch *heads query key"], ids: Int[Tensor, "batch n"]
) -> Float[Tensor, "*heads"]:
    marked = continues_earlier(ids)
    heads = weights.dim() - 3
    where = marked.view(len(ids), *[1] * heads, *marked.shape[1:])
    best = (weights * where).amax(-1)
    return torch.einsum("b...q->...", best) / marked.any(-1).sum()


# %% 9.8 wrong | the sum over the queries and not their mean
from course.in_context.induction import continues_earlier


@exercise("9.8")
def prefix_matching_score(
    weights: Float[Tensor, "batch *heads query key"], ids: Int[Tensor, "batch n"]
) -> Float[Tensor, "*heads"]:
    marked = continues_earlier(ids).float()
    return torch.einsum("b...qk,bqk->...", weights, marked)


# %% 9.8 wrong | looks at the earlier occurrences themselves and not at what followed them
from course.in_context.induction import continues_earlier


@exercise("9.8")
def prefix_matching_score(
    weights: Float[Tensor, "batch *heads query key"], ids: Int[Tensor, "batch n"]
) -> Float[Tensor, "*heads"]:
    n = ids.shape[1]
    marked = (ids[:, :, None] == ids[:, None, :]) & torch.ones(n, n, dtype=torch.bool).tril(-1)
    return torch.einsum("b...qk,bqk->...", weights, marked.float()) / marked.any(-1).sum()


# %% 9.8 wrong | one number for all heads together
from course.in_context.induction import continues_earlier


@exercise("9.8")
def prefix_matching_score(
    weights: Float[Tensor, "batch *heads query key"], ids: Int[Tensor, "batch n"]
) -> Float[Tensor, "*heads"]:
    marked = continues_earlier(ids).float()
    total = torch.einsum("b...qk,bqk->...", weights, marked)
    return (total / marked.any(-1).sum()).mean()


# %% 9.8 wrong | only for weights with a single axis of heads; layers and heads, or one head alone, raise an error
from course.in_context.induction import continues_earlier


@exercise("9.8")
def prefix_matching_score(
    weights: Float[Tensor, "batch *heads query key"], ids: Int[Tensor, "batch n"]
) -> Float[Tensor, "*heads"]:
    marked = continues_earlier(ids)
    given = (weights * marked[:, None]).sum(-1)
    batch, heads, n = given.shape
    return given.permute(1, 0, 2)[:, marked.any(-1)].mean(-1)


# %% 9.8 wrong | one score for each text: the axis of the batch stays
from course.in_context.induction import continues_earlier


@exercise("9.8")
def prefix_matching_score(
    weights: Float[Tensor, "batch *heads query key"], ids: Int[Tensor, "batch n"]
) -> Float[Tensor, "*heads"]:
    marked = continues_earlier(ids).float()
    has = marked.any(-1).sum(-1).clamp(min=1)
    total = torch.einsum("b...qk,bqk->b...", weights, marked)
    return total / has.view(-1, *[1] * (total.dim() - 1))


# %% 9.8 wrong | queries and keys of the weights are swapped
from course.in_context.induction import continues_earlier


@exercise("9.8")
def prefix_matching_score(
    weights: Float[Tensor, "batch *heads query key"], ids: Int[Tensor, "batch n"]
) -> Float[Tensor, "*heads"]:
    marked = continues_earlier(ids).float()
    return torch.einsum("b...kq,bqk->...", weights, marked) / marked.any(-1).sum()


# %% 9.8 wrong | how often the key with most attention is a marked one and not how much attention goes there
from course.in_context.induction import continues_earlier


@exercise("9.8")
def prefix_matching_score(
    weights: Float[Tensor, "batch *heads query key"], ids: Int[Tensor, "batch n"]
) -> Float[Tensor, "*heads"]:
    marked = continues_earlier(ids)
    heads = weights.dim() - 3
    where = marked.view(len(ids), *[1] * heads, *marked.shape[1:]).expand_as(weights)
    hit = where.gather(-1, weights.argmax(-1, keepdim=True)).squeeze(-1).float()
    return torch.einsum("b...q->...", hit) / marked.any(-1).sum()


# %% 9.8 wrong | a query in the first half never counts, as though every text were its half twice
from course.in_context.induction import continues_earlier


@exercise("9.8")
def prefix_matching_score(
    weights: Float[Tensor, "batch *heads query key"], ids: Int[Tensor, "batch n"]
) -> Float[Tensor, "*heads"]:
    marked = continues_earlier(ids)
    marked[:, : ids.shape[1] // 2] = False
    return torch.einsum("b...qk,bqk->...", weights, marked.float()) / marked.any(-1).sum()


# %% 9.8 wrong | averages over the keys of the weights: divided by n once too often
from course.in_context.induction import continues_earlier


@exercise("9.8")
def prefix_matching_score(
    weights: Float[Tensor, "batch *heads query key"], ids: Int[Tensor, "batch n"]
) -> Float[Tensor, "*heads"]:
    marked = continues_earlier(ids)
    heads = weights.dim() - 3
    where = marked.view(len(ids), *[1] * heads, *marked.shape[1:])
    given = (weights * where).mean(-1)
    return torch.einsum("b...q->...", given) / marked.any(-1).sum()


# %% 9.8 wrong | in per cent, from 0 to 100
from course.in_context.induction import continues_earlier


@exercise("9.8")
def prefix_matching_score(
    weights: Float[Tensor, "batch *heads query key"], ids: Int[Tensor, "batch n"]
) -> Float[Tensor, "*heads"]:
    marked = continues_earlier(ids).float()
    return 100 * torch.einsum("b...qk,bqk->...", weights, marked) / marked.any(-1).sum()


# %% 9.8 wrong | queries whose token was not there before count as 1, fully right, in place of being left out
from course.in_context.induction import continues_earlier


@exercise("9.8")
def prefix_matching_score(
    weights: Float[Tensor, "batch *heads query key"], ids: Int[Tensor, "batch n"]
) -> Float[Tensor, "*heads"]:
    marked = continues_earlier(ids)
    given = torch.einsum("b...qk,bqk->b...q", weights, marked.float())
    has = marked.any(-1)
    return (torch.einsum("b...q->...", given) + (~has).sum()) / has.numel()


# %% 9.8 wrong | weights are normalised once more over the marked keys, so every head scores 1
from course.in_context.induction import continues_earlier


@exercise("9.8")
def prefix_matching_score(
    weights: Float[Tensor, "batch *heads query key"], ids: Int[Tensor, "batch n"]
) -> Float[Tensor, "*heads"]:
    marked = continues_earlier(ids)
    heads = weights.dim() - 3
    where = marked.view(len(ids), *[1] * heads, *marked.shape[1:])
    kept = weights * where
    kept = kept / kept.sum(-1, keepdim=True).clamp(min=1e-9)
    return torch.einsum("b...qk->...", kept) / marked.any(-1).sum()


# %% 9.8 wrong | returns a list of floats and no tensor
from course.in_context.induction import continues_earlier


@exercise("9.8")
def prefix_matching_score(
    weights: Float[Tensor, "batch *heads query key"], ids: Int[Tensor, "batch n"]
) -> Float[Tensor, "*heads"]:
    marked = continues_earlier(ids).float()
    return (torch.einsum("b...qk,bqk->...", weights, marked) / marked.any(-1).sum()).tolist()


# %% 9.8 wrong | divides by the number of tokens that stood anywhere earlier in the batch, other texts included, and not in their own text
from course.in_context.induction import continues_earlier


@exercise("9.8")
def prefix_matching_score(
    weights: Float[Tensor, "batch *heads query key"], ids: Int[Tensor, "batch n"]
) -> Float[Tensor, "*heads"]:
    flat = ids.reshape(1, -1)
    marked = continues_earlier(ids).float()
    before = (flat[0][:, None] == flat[0][None, :]).tril(-1).any(-1)
    return torch.einsum("b...qk,bqk->...", weights, marked) / before.sum()


# %% 9.8 right | einsum over the number of queries
from course.in_context.induction import continues_earlier


@exercise("9.8")
def prefix_matching_score(
    weights: Float[Tensor, "batch *heads query key"], ids: Int[Tensor, "batch n"]
) -> Float[Tensor, "*heads"]:
    marked = continues_earlier(ids)
    given = torch.einsum("b...qk,bqk->...", weights, marked.to(weights.dtype))
    return given / marked.any(dim=-1).sum()


# %% 9.8 right | the batch moved behind the heads, a boolean index
from course.in_context.induction import continues_earlier


@exercise("9.8")
def prefix_matching_score(
    weights: Float[Tensor, "batch *heads query key"], ids: Int[Tensor, "batch n"]
) -> Float[Tensor, "*heads"]:
    marked = continues_earlier(ids)
    kept = weights.movedim(0, -3).masked_fill(~marked, 0.0).sum(-1)
    return kept[..., marked.any(-1)].mean(-1)


# %% 9.8 right | loops over texts and queries
from course.in_context.induction import continues_earlier


@exercise("9.8")
def prefix_matching_score(
    weights: Float[Tensor, "batch *heads query key"], ids: Int[Tensor, "batch n"]
) -> Float[Tensor, "*heads"]:
    marked = continues_earlier(ids)
    given = []
    for w, m in zip(weights, marked):
        for q in range(ids.shape[1]):
            if m[q].any():
                given.append(w[..., q, m[q]].sum(-1))
    return torch.stack(given).mean(0)
