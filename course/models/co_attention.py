"""Co-attention: two sequences look at one another through one table, read by rows and by columns."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

from course import checkpoints
from course.attention import masked_softmax, weighted_sum
from course.checkpoints.reading import build, read_settings, read_weights
from course.checkpoints.writing import write_checkpoint
from course.models.toy_attention import split_words

PAD, UNKNOWN = 0, 1


class CoAttention(NamedTuple):
    """What each side found in the other, and with which weights."""

    of_context: Float[Tensor, "*batch context d"]
    of_question: Float[Tensor, "*batch question d"]
    context_to_question: Float[Tensor, "*batch context question"]
    question_to_context: Float[Tensor, "*batch question context"]


def co_attention(
    context: Float[Tensor, "*batch context d"],
    question: Float[Tensor, "*batch question d"],
    weight: Float[Tensor, "d d"],
    context_mask: Bool[Tensor, "*batch context"] | None = None,
    question_mask: Bool[Tensor, "*batch question"] | None = None,
) -> CoAttention:
    """One table of affinities L = C W Qᵀ, two softmaxes: over the question for each context word, and back.

    Args:
        weight: W, of the one table that serves both ways.
        context_mask, question_mask: True for words, False for padding, which nobody looks at.

    Returns:
        Σ_j a_ij q_j for each context word i, Σ_i b_ji c_i for each question word j, and the weights a and b.

    Raises:
        TypeError, ValueError: as ``course.attention.masked_softmax``.

    Source: Lu et al. 2016 (parallel co-attention), equation 3; Xiong et al. 2017, §2.2; lecture row L2.3.a.
    """
    affinity = context @ weight @ question.mT  # [*batch, context, question]
    to_question = masked_softmax(affinity, None if question_mask is None else question_mask.unsqueeze(-2))
    to_context = masked_softmax(affinity.mT, None if context_mask is None else context_mask.unsqueeze(-2))
    return CoAttention(
        weighted_sum(to_question, question), weighted_sum(to_context, context), to_question, to_context
    )


class StoryReader(nn.Module):
    """Answers a question on a story of short sentences: each sentence and each question word look at one
    another.

    A sentence is the sum of its words' vectors, with something of its first word and of its place counted
    from the end (later ones undo earlier ones); a question's word is its vector with what a two-way GRU makes
    of it. What the question's words found is averaged and read by one linear map.

    Args:
        words: every word it knows; number 0 is padding, 1 stands for the others.

    Source: after Weston et al. 2015 (the task), Sukhbaatar et al. 2015, §4.1 (sentences as bags with their
    time) and Xiong et al. 2017; lecture row L2.3.a.
    """

    LONGEST = 30
    """Sentences of a story; of a longer one the last are read."""

    def __init__(self, words: Sequence[str], d: int = 48):
        super().__init__()
        self.words, self.d = list(words), d
        self.number = {word: i for i, word in enumerate(self.words)}
        self.embedding = nn.Embedding(len(self.words), d, padding_idx=PAD)
        self.time = nn.Embedding(self.LONGEST, d)
        self.mix = nn.Linear(2 * d, d)
        self.ask = nn.GRU(d, d // 2, batch_first=True, bidirectional=True)
        self.weight = nn.Parameter(torch.eye(d) / d**0.5)
        self.answer = nn.Linear(2 * d, len(self.words))

    def forward(
        self, stories: Int[Tensor, "batch sentence word"], questions: Int[Tensor, "batch word"]
    ) -> tuple[Float[Tensor, "batch answer"], CoAttention]:
        """A score for every word as the answer, and who looked where."""
        real = stories != PAD
        told, asked = real.any(-1), questions != PAD
        x = self.embedding(stories)
        # A bag with the order left out would not know who went where from who was where.
        halves = torch.cat([x[:, :, 0], x.sum(2) / real.sum(-1, keepdim=True).clamp(min=1)], dim=-1)
        ago = (told.flip(-1).cumsum(-1).flip(-1) - 1).clamp(0, self.LONGEST - 1)
        context = x.sum(2) + torch.tanh(self.mix(halves) + self.time(ago))
        words = self.embedding(questions)
        packed = pack_padded_sequence(words, asked.sum(1), batch_first=True, enforce_sorted=False)
        question, _ = pad_packed_sequence(
            self.ask(packed)[0], batch_first=True, total_length=questions.shape[1]
        )
        question = words + question  # a word in common is a match from the first step on
        found = co_attention(context, question, self.weight, told, asked)
        share = (asked / asked.sum(1, keepdim=True)).unsqueeze(1).to(x.dtype)  # [batch, 1, word]
        read = torch.cat([weighted_sum(share, found.of_question), weighted_sum(share, question)], dim=-1)
        return self.answer(read[:, 0]), found

    def loss(
        self,
        stories: Int[Tensor, "batch sentence word"],
        questions: Int[Tensor, "batch word"],
        answers: Int[Tensor, "batch"],
    ) -> Float[Tensor, ""]:
        """Cross-entropy of the answer; where to look is nowhere told."""
        return F.cross_entropy(self(stories, questions)[0], answers)

    def batch(
        self, stories: Sequence[Sequence[str]], questions: Sequence[str]
    ) -> tuple[Int[Tensor, "batch sentence word"], Int[Tensor, "batch word"]]:
        """Stories and questions as padded numbers; of a story longer than ``LONGEST`` the end."""
        kept = [list(story)[-self.LONGEST :] for story in stories]
        width = max(len(self.ids(sentence)) for story in kept for sentence in story)
        padded = [
            torch.stack([F.pad(self.ids(s), (0, width - len(self.ids(s)))) for s in story]) for story in kept
        ]
        return (
            pad_sequence(padded, batch_first=True, padding_value=PAD),
            pad_sequence([self.ids(q) for q in questions], batch_first=True, padding_value=PAD),
        )

    def ids(self, text: str) -> Int[Tensor, "word"]:
        """A sentence's words as numbers, without its full stop or question mark."""
        words = [word for word in split_words(text.lower()) if word.isalnum()]
        return torch.tensor([self.number.get(word, UNKNOWN) for word in words])

    @torch.no_grad()
    def read(self, story: Sequence[str], question: str) -> tuple[str, CoAttention]:
        """The answer to a question on a story, and where each side looked (no axis of a batch)."""
        was, _ = self.training, self.eval()
        scores, found = self(*self.batch([story], [question]))
        self.train(was)
        return self.words[scores[0].argmax()], CoAttention(*(x[0] for x in found))

    def save(self, folder: str | Path, dtype: torch.dtype | None = None) -> None:
        """Write config.json (words and width) and model.safetensors."""
        settings = {"words": self.words, "d": self.d}
        write_checkpoint(folder, settings, self.state_dict(), dtype, indent=None)

    @classmethod
    def from_pretrained(cls, name: str | Path) -> "StoryReader":
        """A reader that ``save`` wrote, or a shipped one by its name.

        Raises:
            FileNotFoundError: if there is no such checkpoint.
            ValueError: if it is of another kind, or a file is damaged or does not fit the other.
        """
        file, weights_file = (checkpoints.find_file(name, f) for f in ("config.json", "model.safetensors"))
        found = read_settings(file)
        if set(found) != {"words", "d"} or not isinstance(found["words"], list):
            raise ValueError(f"{file} is of another kind of model: it should hold a list of words, and d")
        return build(lambda: cls(**found), read_weights(weights_file), weights_file)
