"""Where things of the package have moved to, and a learner's code rewritten to find them there.

The one table of moves: what is moved or parted next is added here, and ``update`` brings every copy along.
A name of the first table moved with its module; those of the second left theirs (as it is called now) for
another. Standard library only.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

MODULES = {  # old module -> where it is now
    **{
        f"course.{name}": f"course.models.{name}"
        for name in (
            *("attention_pass", "bert", "bert_files", "deberta", "electra", "gpt", "gpt_reader"),
            *("interventions", "language_model", "marian", "masked_lm", "transformer"),
        )
    },
    "course.gpt2_files": "course.models.gpt_files",
    "course.toy": "course.models.toy_attention",
    "course.in_context.rotary_gpt": "course.models.rotary_gpt",
    **{
        f"course.{name}": f"course.text.{name}"
        for name in ("characters", "decoding", "ngrams", "sampling", "tokenizers", "wordpiece")
    },
    **{
        f"course.{name}": f"course.studies.{name}"
        for name in (
            *("alignment", "anatomy", "fine_tuning", "flops", "head_patterns"),
            *("one_way_two_way", "probes"),
        )
    },
    "course.scores": "course.studies.metrics",
    "course.pretraining": "course.studies.bert_pretraining",
    "course.published": "course.data.published",
    "course.completion": "course.in_context.completion",
    "course.in_context.model": "course.in_context.few_shot",
    **{
        f"course.{name}": f"course.workbook.{name}"
        for name in ("bootstrap", "build", "cli", "lectures", "pytest_plugin", "save_hook")
    },
    **{
        f"course.exercises.{name}": f"course.workbook.{name}"
        for name in ("judge", "notebook", "progress", "record", "stub")
    },
    "course.exercises.command": "course.workbook.grading",
    **{
        f"course.training.{name}": f"course.training.recipes.{name}"
        for name in (
            *("after_bert", "bert", "bert_comparison", "bert_rates", "bert_small", "bert_small_causal"),
            *("characters", "docstrings", "few_shot", "fine_tuned", "in_context_regression", "induction"),
            *("multi30k_en_de", "scaling", "shakespeare_char", "shakespeare_char_gpu", "stories", "texts"),
            *("translation", "translator"),
        )
    },
}

NAMES = {  # module -> new module -> the names that went there
    "course.attention": {
        "course.heads": (
            *("LoopedMultiHeadAttention", "MultiHeadAttention", "merge_heads", "record_attention"),
            *("split_heads",),
        )
    },
    "course.masking": {
        "course.next_sentence": (*("IS_NEXT", "NOT_NEXT", "Sentence", "SentencePair", "next_sentence_pairs"),)
    },
    "course.plots": {
        "course.fonts": (
            *("CJK_FONTS", "LONGEST", "cjk_font", "drawable", "dressed", "elide", "glyphs", "needs_cjk"),
        )
    },
    "course.models.bert": {
        "course.models.bert_heads": (
            *("BertForMaskedLM", "BertForNextSentencePrediction", "BertForPreTraining"),
            *("BertForQuestionAnswering", "BertForSequenceClassification", "BertForTokenClassification"),
            *("CausalBert", "MaskedLMHead"),
        )
    },
    "course.models.attention_pass": {"course.models.attention_outputs": ("OUTPUTS",)},
    "course.widgets.explorer": {"course.widgets.packing": ("FLOAT16_UP_TO", "encode")},
    "course.models.gpt": {"course.masking": ("IGNORED",)},
    "course.models.transformer": {"course.models.translator": ("LiveTranslator", "PARTS", "Translation")},
    "course.studies.fine_tuning": {
        "course.studies.downstream": (
            *("Classification", "Pairs", "Reading", "Spans", "Tags", "Task", "batch_of", "best_span"),
            *("first_piece_labels", "token_span", "windows"),
        )
    },
    "course.data.little_reports": {"course.data.choices": ("One",)},
    "course.training.trainer": {"course.training.log": ("Log",)},
    "course.text": {"course.text.plain": ("bare_words", "plain_text")},
    "course.studies.alignment": {
        "course.data.aligned_sentences": ("AlignedPair", "Links", "aligned_sentences")
    },
    "course.studies.head_patterns": {
        "course.data.parsed_sentences": ("Parsed", "Relation", "parsed_sentences"),
    },
    "course.studies.metrics": {
        "course.studies.baselines": (
            *("NaiveBayes", "bag_of_words", "fit_overlap", "fit_tags", "most_frequent"),
            *("overlap_answer", "overlapping_sentence"),
        )
    },
    "course.exercises": {"course": ("check", "exercise", "hint", "lend", "progress", "solution")},
    "course.workbook.progress": {"course.workbook.bootstrap": ("NOTEBOOKS",)},
    "course.exercises.c00": {"course.exercises.inputs": ("randn", "rows", "with_fixed_weights")},
}

_HOMES = {(old, name): new for old, homes in NAMES.items() for new, names in homes.items() for name in names}


def home(module: str, name: str | None = None) -> str:
    """The module that holds now what a module, or a name of it, held once: itself where nothing moved."""
    further = _HOMES.get((module, name or "")) or MODULES.get(module)
    return home(further, name) if further else module


def rewritten(code: str) -> str:
    """A cell's code with what it takes from the course taken from where that is now.

    Lines of IPython (``%time``, ``!ls``) stay as they are, and so does code that is no Python (yet).
    """
    try:
        tree = ast.parse(_without_magics(code))
    except (SyntaxError, ValueError):
        return code
    lines = code.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line.encode()))
    content = code.encode()  # ast counts bytes
    for node, text in sorted(_changes(tree, lines), key=lambda change: -_start(change[0], starts)):
        end = starts[node.end_lineno - 1] + node.end_col_offset
        content = content[: _start(node, starts)] + text.encode() + content[end:]
    return content.decode()


def _start(node: ast.AST, starts: list[int]) -> int:
    return starts[node.lineno - 1] + node.col_offset


def _without_magics(code: str) -> str:
    """The same lines, those of IPython replaced by ``pass``."""
    return re.sub(r"^([ \t]*)[%!?].*$", r"\1pass", code, flags=re.MULTILINE)


def _changes(tree: ast.AST, lines: list[str]) -> Iterator[tuple[ast.AST, str]]:
    """Nodes to replace, and by what."""
    used = {dotted(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level == 0 and _is_ours(node.module):
            before = lines[node.lineno - 1].encode()[: node.col_offset].decode()
            text = _from_import(node, "; " if before.strip() else "\n" + before)
        elif isinstance(node, ast.Import) and any(_is_ours(alias.name) for alias in node.names):
            text = _import(node, used)
        elif isinstance(node, ast.Attribute):
            text = _attribute(node)
        else:
            continue
        if text:
            yield node, text


def _is_ours(module: str | None) -> bool:
    return (module or "").partition(".")[0] == "course"


def _from_import(node: ast.ImportFrom, between: str) -> str | None:
    """``from course.scores import accuracy, fit_tags``: one statement for each module that has some of it."""
    homes: dict[tuple[str, str | None], list[str]] = {}
    changed = False
    for alias in node.names:
        module, name, asname = node.module, alias.name, alias.asname
        whole = f"{module}.{name}"
        if whole in MODULES:  # the name is a module
            place, new_name = MODULES[whole].rsplit(".", 1)
            asname = asname or (name if new_name != name else None)
        else:
            place, new_name = home(module, name), name
        changed |= (place, new_name) != (module, name)
        homes.setdefault(place, []).append(new_name + (f" as {asname}" if asname else ""))
    if not changed:
        return None
    lines = [f"from {place} import {', '.join(names)}" for place, names in homes.items()]
    return between.join(lines)


def _import(node: ast.Import, used: set[str]) -> str | None:
    """``import course.gpt``; where names left the module for others, these are imported as well."""
    wanted: dict[str, None] = {}
    for alias in node.names:
        name = home(alias.name) + (f" as {alias.asname}" if alias.asname else "")
        wanted[name] = None
        if not alias.asname:
            theirs = [u.rpartition(".") for u in used if u.rpartition(".")[0] == alias.name]
            wanted.update(dict.fromkeys(sorted({home(module, what) for module, _, what in theirs})))
    text = "import " + ", ".join(wanted)
    return text if text != ast.unparse(node) else None


def _attribute(node: ast.Attribute) -> str | None:
    """``course.gpt.GPT``."""
    module, _, name = dotted(node).rpartition(".")
    if not _is_ours(module) or home(module, name) == module:
        return None
    return f"{home(module, name)}.{name}"


def dotted(node: ast.AST) -> str:
    """``a.b.c`` as it is written; empty for what is no chain of names."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else ""
    return ""
