"""The paper's numbers agree with one another, and are drawn where they belong."""

import pytest

from course import plots
from course.data.published import (
    CONLL_2019,
    GLUE_2019,
    GLUE_LABELS,
    LONG_RANGE_ARENA,
    SQUAD_1_2019,
    SQUAD_2_2019,
    SUSTAINED_FLOPS,
    SWAG_2019,
    TRANSFORMER_2017,
)

BY_MODEL = {row.model: row for row in TRANSFORMER_2017}


def test_every_row_has_a_score_and_no_cost_without_one():
    assert len(BY_MODEL) == 10 and {row.kind for row in TRANSFORMER_2017} == set(plots.KINDS)
    for row in TRANSFORMER_2017:
        assert any(row.bleu.values())
        assert all(row.bleu[pair] for pair, flops in row.flops.items() if flops)


@pytest.mark.parametrize("model, hours", [("Transformer (base)", 12), ("Transformer (big)", 3.5 * 24)])
def test_the_transformers_cost_is_time_times_eight_gpus(model, hours):
    """Vaswani et al. 2017, §5.2 and footnote 5."""
    cost = hours * 3600 * 8 * SUSTAINED_FLOPS["P100"]
    assert BY_MODEL[model].flops == {pair: pytest.approx(cost, rel=0.01) for pair in ("EN–DE", "EN–FR")}


def test_what_the_paper_says_of_its_table():
    best_before = max(row.bleu["EN–DE"] or 0 for row in TRANSFORMER_2017 if row.kind != "Transformer")
    assert BY_MODEL["Transformer (big)"].bleu["EN–DE"] - best_before > 2.0  # §6.1: "by more than 2.0 BLEU"
    single = [row for row in TRANSFORMER_2017 if row.kind == "before"]
    assert BY_MODEL["Transformer (big)"].bleu["EN–FR"] > max(row.bleu["EN–FR"] or 0 for row in single)
    cost = BY_MODEL["Transformer (big)"].flops["EN–FR"]
    assert all(cost < row.flops["EN–FR"] / 4 for row in single if row.flops["EN–FR"])  # "less than 1/4"


def test_the_picture_shows_every_row_that_has_both_numbers():
    figure = plots.bleu_against_flops(TRANSFORMER_2017)
    panels = [sum(len(c.get_offsets()) for c in axes.collections) for axes in figure.axes]
    assert panels == [7, 9]
    assert [axes.get_xscale() for axes in figure.axes] == ["log"] * 2
    assert [len(axes.texts) for axes in figure.axes] == panels, "every point has its name"
    assert "ByteNet" in figure.axes[0].get_xlabel()


# ---- BERT's tables -------------------------------------------------------------------------------

BERT_TABLES = {
    "GLUE": GLUE_2019,
    "SQuAD 1.1": SQUAD_1_2019,
    "SQuAD 2.0": SQUAD_2_2019,
    "SWAG": SWAG_2019,
    "CoNLL-2003": CONLL_2019,
}


def best(table, kind: str, column: str) -> float:
    return max(row.scores[column] or 0 for row in table if row.kind == kind)


@pytest.mark.parametrize("table", BERT_TABLES.values(), ids=BERT_TABLES)
def test_a_table_has_one_row_a_system_and_scores_in_every_row(table):
    assert len({row.system for row in table}) == len(table)
    for row in table:
        assert row.kind in ("human", "before", "BERT", "features")
        assert row.scores.keys() == table[0].scores.keys()
        assert all(0 < score < 100 for score in row.scores.values() if score is not None)
        assert any(row.scores.values())


def test_glues_average_is_the_mean_of_its_nine_columns():
    for row in GLUE_2019:
        *scores, average = row.scores.values()
        assert sum(scores) / len(scores) == pytest.approx(average, abs=0.07)  # ELMo's row is 0.06 off
    assert set(GLUE_LABELS) == set(GLUE_2019[0].scores) - {"MNLI-mm", "average"}


def test_exact_match_never_exceeds_f1():
    for row in SQUAD_1_2019 + SQUAD_2_2019:
        for part in ("dev", "test"):
            exact, f1 = row.scores[f"{part} EM"], row.scores[f"{part} F1"]
            assert None in (exact, f1) or exact < f1


def test_what_the_paper_says_of_its_tables():
    """Abstract and §4: the gains over the best before; and where BERT passes people, and where not."""
    glue = {row.system: row.scores["average"] for row in GLUE_2019}
    assert glue["BERT (base)"] - glue["OpenAI GPT"] == pytest.approx(4.5)
    assert glue["BERT (large)"] - glue["OpenAI GPT"] == pytest.approx(7.0)
    for column in ("MNLI-m", "QQP", "QNLI", "SST-2", "CoLA", "STS-B", "MRPC", "RTE"):
        assert all(row.scores[column] > best(GLUE_2019, "before", column) for row in GLUE_2019[-2:])
    for table, column, gain in [
        (SQUAD_1_2019, "test F1", 1.5),
        (SQUAD_2_2019, "test F1", 5.1),
        (SWAG_2019, "test", 8.3),
    ]:
        assert best(table, "BERT", column) - best(table, "before", column) == pytest.approx(gain)
    assert best(SQUAD_1_2019, "BERT", "test F1") > best(SQUAD_1_2019, "human", "test F1")
    assert best(SQUAD_2_2019, "BERT", "test F1") < best(SQUAD_2_2019, "human", "test F1")
    assert 85.0 < best(SWAG_2019, "BERT", "test") < 88.0
    assert best(CONLL_2019, "BERT", "test F1") < best(CONLL_2019, "before", "test F1")
    base = next(row for row in CONLL_2019 if row.system == "BERT (base)").scores["dev F1"]
    assert base - best(CONLL_2019, "features", "dev F1") == pytest.approx(0.3)  # §5.3


def test_the_arenas_averages_are_those_of_its_five_tasks():
    for row in LONG_RANGE_ARENA:
        *five, path_x, average = row.scores.values()
        assert path_x is None and average == pytest.approx(sum(five) / 5, abs=0.011)
    full = LONG_RANGE_ARENA[0].scores["average"]
    assert max(row.scores["average"] for row in LONG_RANGE_ARENA) - full < 1
