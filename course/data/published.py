"""Results from papers, as data, with their sources: to print beside what is measured here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TranslationResult:
    """A row of a table of translators; None where the paper says nothing.

    ``bleu`` and ``flops`` (of training, floating-point operations) are by language pair: "EN–DE", "EN–FR".
    """

    model: str
    kind: str
    bleu: dict[str, float | None]
    flops: dict[str, float | None]


_TABLE_2 = """
ByteNet                      | before      | 23.75 |       |        |
Deep-Att + PosUnk            | before      |       | 39.2  |        | 1.0e20
GNMT + RL                    | before      | 24.6  | 39.92 | 2.3e19 | 1.4e20
ConvS2S                      | before      | 25.16 | 40.46 | 9.6e18 | 1.5e20
MoE                          | before      | 26.03 | 40.56 | 2.0e19 | 1.2e20
Deep-Att + PosUnk, ensemble  | ensemble    |       | 40.4  |        | 8.0e20
GNMT + RL, ensemble          | ensemble    | 26.30 | 41.16 | 1.8e20 | 1.1e21
ConvS2S, ensemble            | ensemble    | 26.36 | 41.29 | 7.7e19 | 1.2e21
Transformer (base)           | Transformer | 27.3  | 38.1  | 3.3e18 | 3.3e18
Transformer (big)            | Transformer | 28.4  | 41.8  | 2.3e19 | 2.3e19
"""

PAIRS = ("EN–DE", "EN–FR")


def _row(line: str) -> TranslationResult:
    model, kind, *numbers = (cell.strip() for cell in line.split("|"))
    values = [float(number) if number else None for number in numbers]
    return TranslationResult(
        model, kind, dict(zip(PAIRS, values[:2], strict=True)), dict(zip(PAIRS, values[2:], strict=True))
    )


TRANSFORMER_2017 = [_row(line) for line in _TABLE_2.strip().splitlines()]
"""BLEU on newstest2014 and training cost; ``kind`` is "before", "ensemble" or "Transformer".

The paper's FLOPs are no count of operations: training time × number of GPUs × what one of them is taken to
sustain (its footnote 5). For the big model's EN–FR its first version and its §6.1 say 41.0, the table of
later versions 41.8.

Source: Vaswani et al. 2017 (arXiv 1706.03762, version 7), table 2; lecture row L2.4.d.
"""

SUSTAINED_FLOPS = {"K80": 2.8e12, "K40": 3.7e12, "M40": 6.0e12, "P100": 9.5e12}
"""FLOP/s, single precision, that the paper takes a GPU to sustain (Vaswani et al. 2017, footnote 5)."""


@dataclass(frozen=True)
class Result:
    """A row of a table of results: the scores, in per cent, by column; None where the paper says nothing.

    ``kind`` is "human", "before" (all that is not BERT), "BERT", or "features": BERT as it was pre-trained,
    read by another network.
    """

    system: str
    kind: str
    scores: dict[str, float | None]


def _table(columns: str, rows: str) -> list[Result]:
    names = [column.strip() for column in columns.split("|")]
    results = []
    for line in rows.strip().splitlines():
        system, kind, *cells = (cell.strip() for cell in line.split("|"))
        scores = [float(cell) if cell else None for cell in cells]
        results.append(Result(system, kind, dict(zip(names, scores, strict=True))))
    return results


GLUE_2019 = _table(
    "MNLI-m | MNLI-mm | QQP | QNLI | SST-2 | CoLA | STS-B | MRPC | RTE | average",
    """
Pre-OpenAI SOTA  | before | 80.6 | 80.1 | 66.1 | 82.3 | 93.2 | 35.0 | 81.0 | 86.0 | 61.7 | 74.0
BiLSTM+ELMo+Attn | before | 76.4 | 76.1 | 64.8 | 79.8 | 90.4 | 36.0 | 73.3 | 84.9 | 56.8 | 71.0
OpenAI GPT       | before | 82.1 | 81.4 | 70.3 | 87.4 | 91.3 | 45.4 | 80.0 | 82.3 | 56.0 | 75.1
BERT (base)      | BERT   | 84.6 | 83.4 | 71.2 | 90.5 | 93.5 | 52.1 | 85.8 | 88.9 | 66.4 | 79.6
BERT (large)     | BERT   | 86.7 | 85.9 | 72.1 | 92.7 | 94.9 | 60.5 | 86.5 | 89.3 | 70.1 | 82.1
""",
)
"""GLUE's test sets: F1 for QQP and MRPC, Spearman's correlation for STS-B, accuracy for the others.

Source: Devlin et al. 2019, table 1, whose average leaves WNLI out; lecture row L3.1.a. (CoLA, which the
caption counts among the others, is scored by Matthews' correlation: Wang et al. 2019, §3.1.)
"""

GLUE_LABELS = {"MNLI-m": 392_000, "QQP": 363_000, "QNLI": 108_000, "SST-2": 67_000} | {
    "CoLA": 8_500,
    "STS-B": 5_700,
    "MRPC": 3_500,
    "RTE": 2_500,
}
"""Examples to train on, as in Devlin et al. 2019, table 1; both MNLI columns have one training set."""

SQUAD_1_2019 = _table(
    "dev EM | dev F1 | test EM | test F1",
    """
Human                          | human  |      |      | 82.3 | 91.2
nlnet, ensemble                | before |      |      | 86.0 | 91.7
QANet, ensemble                | before |      |      | 84.5 | 90.5
BiDAF+ELMo                     | before |      | 85.6 |      | 85.8
R.M. Reader, ensemble          | before | 81.2 | 87.9 | 82.3 | 88.5
BERT (base)                    | BERT   | 80.8 | 88.5 |      |
BERT (large)                   | BERT   | 84.1 | 90.9 |      |
BERT (large), ensemble         | BERT   | 85.8 | 91.8 |      |
BERT (large) + TriviaQA        | BERT   | 84.2 | 91.1 | 85.1 | 91.8
BERT (large) + TriviaQA, ensemble | BERT | 86.2 | 92.2 | 87.4 | 93.2
""",
)
"""SQuAD 1.1: exact match and F1. The first three rows are the leaderboard's of 10 December 2018.

Source: Devlin et al. 2019, table 2; lecture row L3.1.a.
"""

SQUAD_2_2019 = _table(
    "dev EM | dev F1 | test EM | test F1",
    """
Human           | human  | 86.3 | 89.0 | 86.9 | 89.5
MIR-MRC (F-Net) | before |      |      | 74.8 | 78.0
nlnet           | before |      |      | 74.2 | 77.1
unet, ensemble  | before |      |      | 71.4 | 74.9
SLQA+           | before |      |      | 71.4 | 74.4
BERT (large)    | BERT   | 78.7 | 81.9 | 80.0 | 83.1
""",
)
"""SQuAD 2.0, in which some questions have no answer: exact match and F1.

Source: Devlin et al. 2019, table 3; lecture row L3.1.a.
"""

SWAG_2019 = _table(
    "dev | test",
    """
ESIM+GloVe             | before | 51.9 | 52.7
ESIM+ELMo              | before | 59.1 | 59.2
OpenAI GPT             | before |      | 78.0
BERT (base)            | BERT   | 81.6 |
BERT (large)           | BERT   | 86.6 | 86.3
Human, expert          | human  |      | 85.0
Human, 5 annotations   | human  |      | 88.0
""",
)
"""SWAG, which of four sentences goes on: accuracy. People were asked about 100 samples.

Source: Devlin et al. 2019, table 4; lecture row L3.1.a.
"""

CONLL_2019 = _table(
    "dev F1 | test F1",
    """
ELMo                          | before   | 95.7 | 92.2
CVT                           | before   |      | 92.6
CSE                           | before   |      | 93.1
BERT (large)                  | BERT     | 96.6 | 92.8
BERT (base)                   | BERT     | 96.4 | 92.4
Embeddings                    | features | 91.0 |
Second-to-last hidden         | features | 95.6 |
Last hidden                   | features | 94.9 |
Weighted sum last four hidden | features | 95.9 |
Concat last four hidden       | features | 96.1 |
Weighted sum all 12 layers    | features | 95.5 |
""",
)
"""CoNLL-2003's named entities: F1, mean of five runs. "features": BERT-base as it is, under a BiLSTM.

Source: Devlin et al. 2019, table 7; lecture row L3.1.a.
"""

LONG_RANGE_ARENA = _table(
    "ListOps | Text | Retrieval | Image | Path | Path-X | average",
    """
Transformer     | full        | 36.37 | 64.27 | 57.46 | 42.44 | 71.40 | | 54.39
Local attention | local       | 15.82 | 52.98 | 53.39 | 41.46 | 66.63 | | 46.06
Longformer      | sparse      | 35.63 | 62.85 | 56.89 | 42.22 | 69.71 | | 53.46
BigBird         | sparse      | 36.05 | 64.02 | 59.29 | 40.83 | 74.87 | | 55.01
Linformer       | low rank    | 35.70 | 53.94 | 52.27 | 38.56 | 76.34 | | 51.36
Reformer        | hashing     | 37.27 | 56.10 | 53.40 | 38.07 | 68.50 | | 50.67
Performer       | kernels     | 18.01 | 65.40 | 53.82 | 42.77 | 77.05 | | 51.41
""",
)
"""Accuracy on texts, formulas and pictures of 1,000 to 4,000 tokens; on Path-X (16,000) all failed: no better
than chance. ``kind`` says how a model attends. The average leaves Path-X out. Some of its rows are left out.

Source: Tay et al. 2021, "Long Range Arena", table 1; lecture rows L1.5.d to L1.5.f.
"""
