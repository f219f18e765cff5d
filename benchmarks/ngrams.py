"""What counting alone reaches on tinyshakespeare: the loss on its last tenth, in nats a character.

    python benchmarks/ngrams.py [--out course/checkpoints/shakespeare-char/counting.json]

Counted on the first nine tenths and mixed as ``NGram`` says; notebook 08 shows these numbers
beside the network's.
"""

import argparse
import json
from pathlib import Path

from course.data import tinyshakespeare
from course.text.ngrams import NGram

ORDERS = {"unigram": 1, "bigram": 2, "5-gram": 5, "6-gram": 6, "7-gram": 7, "8-gram": 8}


def main(out: Path | None) -> None:
    corpus = tinyshakespeare.plays()
    train, validation = (corpus.characters.encode(text) for text in (corpus.train, corpus.validation))
    losses = {
        name: NGram(train, order, len(corpus.characters)).loss(validation) for name, order in ORDERS.items()
    }
    text = json.dumps(losses, indent=2)
    print(text)
    if out:
        out.write_text(text + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path)
    main(parser.parse_args().out)
