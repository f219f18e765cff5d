"""Fields within fields: artificial intelligence, machine learning, deep learning, large language models.

What happened in each, with its date and where that stands. An event's ``field`` is the innermost that it
belongs to; it belongs to all around that one, too.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from course.data.notable_models import as_year

FIELDS = {
    "AI": "artificial intelligence: machines that do what takes intelligence, however they come by it",
    "ML": "machine learning: those that get better by examples",
    "DL": "deep learning: those that learn in many layers, by gradients",
    "LLM": "large language models: those of them that predict text, and have seen very much of it",
}
"""The outermost first; each lies within the one before."""


class Event(NamedTuple):
    """Something that happened; a day of 1 stands also for a source that names the month alone."""

    day: date
    field: str
    name: str
    what: str
    source: str

    @property
    def year(self) -> float:
        """The date as a number."""
        return as_year(self.day)


def fields_of(innermost: str) -> tuple[str, ...]:
    """The field and all that it lies within, the outermost first.

    Raises:
        ValueError: if there is no such field.
    """
    names = tuple(FIELDS)
    if innermost not in names:
        raise ValueError(f"there is no field {innermost!r}; there are {', '.join(names)}")
    return names[: names.index(innermost) + 1]


_TABLE = """
1950-10-01 | AI | Can machines think? | A game in place of the question | Turing 1950, Mind 59
1956-06-18 | AI | The name | A summer at Dartmouth on "artificial intelligence" | McCarthy, Minsky, Rochester and Shannon 1955, the proposal
1957-01-01 | ML | The perceptron | A machine that learns to tell pictures apart by examples | Rosenblatt 1957, Cornell report 85-460-1
1959-07-01 | ML | Checkers, learned | A program that plays better than the man who wrote it; "machine learning" is in the title | Samuel 1959, IBM Journal 3(3)
1966-01-01 | AI | ELIZA | A conversation by rules: nothing is learned | Weizenbaum 1966, Communications of the ACM 9(1)
1976-01-01 | AI | MYCIN | A doctor's knowledge as hundreds of rules written by hand | Shortliffe 1976, Computer-Based Medical Consultations
1980-04-01 | DL | The neocognitron | Many layers for pictures, as in the eye | Fukushima 1980, Biological Cybernetics 36
1986-10-09 | DL | Back-propagation | Hidden layers learn by the chain rule | Rumelhart, Hinton and Williams 1986, Nature 323
1995-09-01 | ML | Support vectors | Learning without hidden layers, the best for many years | Cortes and Vapnik 1995, Machine Learning 20(3)
1997-05-11 | AI | Deep Blue beats Kasparov | Search, by rules that people tuned | Campbell, Hoane and Hsu 2002, Artificial Intelligence 134
1997-11-15 | DL | The LSTM | A recurrent network that remembers (notebook 01) | Hochreiter and Schmidhuber 1997, Neural Computation 9(8)
2001-10-01 | ML | Random forests | Many trees that vote | Breiman 2001, Machine Learning 45(1)
2003-02-01 | DL | A neural language model | Words as vectors, learned by predicting the next | Bengio and others 2003, JMLR 3
2007-06-28 | ML | "Large language models" | The name, long before the thing: counts of five words in two trillion | Brants and others 2007, EMNLP-CoNLL
2012-12-03 | DL | AlexNet wins ImageNet | Eight layers, two graphics cards, and ImageNet's error falls by two fifths | Krizhevsky, Sutskever and Hinton 2012, NIPS
2013-01-16 | ML | Word2Vec | Vectors of words, by a network without a hidden layer (notebook 07) | Mikolov and others 2013, arXiv 1301.3781
2014-09-01 | DL | Attention | A translator that looks back (notebook 02) | Bahdanau, Cho and Bengio 2014, arXiv 1409.0473
2016-01-28 | DL | AlphaGo | Deep networks with a search around them | Silver and others 2016, Nature 529
2016-03-09 | ML | XGBoost | Trees again: not deep, and in wide use on tables to this day | Chen and Guestrin 2016, arXiv 1603.02754
2017-06-12 | DL | The Transformer | Attention without recurrence (notebook 05) | Vaswani and others 2017, arXiv 1706.03762
2018-06-11 | LLM | GPT | Pre-trained on books, then fine-tuned (notebook 08) | Radford and others 2018
2018-10-11 | LLM | BERT | Both ways at once (notebook 10) | Devlin and others 2018, arXiv 1810.04805
2019-02-14 | LLM | GPT-2 | Tasks without fine-tuning | Radford and others 2019
2020-01-23 | LLM | Scaling laws | Loss as a power of size, data and compute | Kaplan and others 2020, arXiv 2001.08361
2020-05-28 | LLM | GPT-3 | Tasks from a few examples in the prompt (notebook 09) | Brown and others 2020, arXiv 2005.14165
2020-11-30 | DL | AlphaFold 2 at CASP14 | Structures of proteins, at CASP14 | Jumper and others 2021, Nature 596
2021-08-16 | LLM | "Foundation models" | A name for one model under many tasks | Bommasani and others 2021, arXiv 2108.07258
2022-03-04 | LLM | InstructGPT | Instructions and preferences | Ouyang and others 2022, arXiv 2203.02155
2022-03-29 | LLM | Chinchilla against Gopher | A smaller model on more text does better for the same compute | Hoffmann and others 2022, arXiv 2203.15556
2022-08-22 | DL | Stable Diffusion | Pictures from words, for everybody to download | Rombach and others 2022, CVPR
2022-11-30 | LLM | ChatGPT | A conversation, open to all | OpenAI, 30 November 2022
2023-03-15 | LLM | GPT-4 | Text and pictures in, text out; sizes no longer told | OpenAI 2023, arXiv 2303.08774
2023-11-14 | DL | The weather, learned | GraphCast forecasts ten days | Lam and others 2023, Science 382
2025-01-22 | LLM | Reasoning, with open weights | DeepSeek-R1: reinforcement learning on answers that can be checked | DeepSeek-AI 2025, arXiv 2501.12948
"""  # noqa: E501


def _event(line: str) -> Event:
    day, field, name, what, source = (cell.strip() for cell in line.split("|"))
    return Event(date.fromisoformat(day), field, name, what, source)


EVENTS = tuple(map(_event, _TABLE.strip().splitlines()))
"""The oldest first."""
