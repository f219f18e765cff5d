"""Write gensim_update.json: two skip-gram updates by gensim, to which ours are compared.

Gensim is no dependency of the course. In an environment of its own (pip install gensim==4.4.0):

    python tests/text/gensim_update.py

The sentence is "a b", the window 1: gensim trains (b predicts a), then (a predicts b). Its table of negatives
is set so that every negative is "c".
"""

import json
from pathlib import Path

import gensim
import numpy as np
from gensim.models import Word2Vec

WORDS, D, LR = "abcde", 8, 0.05


def main() -> None:
    model = Word2Vec(
        vector_size=D, window=1, min_count=1, sg=1, negative=1, sample=0, workers=1, epochs=1, seed=1
    )
    model.build_vocab([[word for i, word in enumerate(WORDS) for _ in range(len(WORDS) - i)]])
    assert model.wv.index_to_key == list(WORDS)
    rng = np.random.default_rng(7)
    model.wv.vectors[:] = rng.normal(0, 0.8, (5, D)).astype(np.float32)
    model.syn1neg[:] = rng.normal(0, 0.8, (5, D)).astype(np.float32)
    before = [model.wv.vectors.tolist(), model.syn1neg.tolist()]
    end = model.cum_table[-1]
    model.cum_table[:] = [0, 0, end, end, end]
    model.train([["a", "b"]], total_examples=1, epochs=1, start_alpha=LR, end_alpha=LR)
    after = [model.wv.vectors.tolist(), model.syn1neg.tolist()]
    told = {
        "gensim": gensim.__version__,
        "lr": LR,
        "steps": [{"centre": 1, "targets": [0, 2]}, {"centre": 0, "targets": [1, 2]}],
        "before": before,
        "after": after,
    }
    Path(__file__).with_suffix(".json").write_text(json.dumps(told) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
