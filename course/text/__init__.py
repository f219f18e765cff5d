"""Text into tokens, and tokens into text.

- ``plain``: text typed plainly; ``characters``, ``tokenizers`` (byte-level BPE), ``wordpiece``: vocabularies
- ``bpe``: both kinds of subwords from scratch; ``word2vec``, ``cooccurrence``, ``vectors``: words as vectors
- ``ngrams``: predicting by counting; ``sampling``, ``decoding``: how the next token is chosen
"""

from __future__ import annotations
