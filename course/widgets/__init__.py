"""What moves: widgets drawn in the browser, each with a still picture for where there is no kernel."""

from importlib import import_module

_LAZY = {
    "AnalogyDesk": "analogy_desk",
    "AskBox": "ask_box",
    "Bottleneck": "bottleneck",
    "Budget": "budget",
    "ChatBox": "chat_box",
    "CourseWidget": "base",
    "Era": "era",
    "GateXray": "gate_xray",
    "Glossary": "glossary",
    "GradientRiver": "gradient_river",
    "HashLab": "hash_lab",
    "LeakDetector": "leak_detector",
    "MaskBuilder": "mask_builder",
    "MaskingPlayground": "masking_playground",
    "MemoryTape": "memory_tape",
    "MergeTape": "merge_tape",
    "PatternBuilder": "pattern_builder",
    "PositionExplorer": "position_explorer",
    "PromptLab": "prompt_lab",
    "SamplingPlayground": "sampling_playground",
    "Saturation": "saturation",
    "SkipGramStep": "skip_gram_step",
    "SoftDictionary": "dictionary",
    "SoftOrHard": "soft_or_hard",
    "Walk": "walk",
    "Window": "window",
    "WordMap": "word_map",
    "architecture": "architecture_view",
    "compare": "explorer",
    "explore": "explorer",
    "explore_model": "live",
    "fill_box": "ask_box",
    "pair_box": "ask_box",
    "scrub": "scrubber",
    "step_decoder": "decoder_stepper",
}

__all__ = list(_LAZY)


def __getattr__(name: str):
    if name in _LAZY:
        return getattr(import_module(f"course.widgets.{_LAZY[name]}"), name)
    raise AttributeError(f"module 'course.widgets' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_LAZY])
