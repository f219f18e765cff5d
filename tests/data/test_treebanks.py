"""Sentences with their grammar are read as they are marked; pairs of pronouns mean one each."""

from course.data import treebanks, winobias
from course.data.parsed_sentences import Parsed, Relation
from course.data.treebanks import RELATIONS

ROWS = """\
# text = The old dog saw cats.
1\tThe\tthe\tDET\tDT\t_\t3\tdet\t_\t_
2\told\told\tADJ\tJJ\t_\t3\tamod\t_\t_
3\tdog\tdog\tNOUN\tNN\t_\t4\tnsubj\t_\t_
4\tsaw\tsee\tVERB\tVBD\t_\t0\troot\t_\t_
5\tcats\tcat\tNOUN\tNNS\t_\t4\tobj\t_\t_
6\t.\t.\tPUNCT\t.\t_\t4\tpunct\t_\t_
"""


def test_words_relations_and_parts_of_speech_are_those_of_the_file():
    (found,) = treebanks.parse(ROWS)
    assert found == Parsed(
        ("the", "old", "dog", "saw", "cats", "."),
        (
            Relation("determiner", 0, 2),
            Relation("adjective", 1, 2),
            Relation("subject", 2, 3),
            Relation("object", 4, 3),
        ),
        ("DET", "ADJ", "NOUN", "VERB", "NOUN", "PUNCT"),
    )


def test_what_a_tokenizer_would_cut_otherwise_is_left_out():
    short = "\n".join(ROWS.splitlines()[:4])
    assert treebanks.parse(ROWS.replace("cats", "n't")) == treebanks.parse(short) == []
    of_two = ROWS.replace("1\tThe", "1-2\tTheold" + 8 * "\t_" + "\n1\tThe")
    both = treebanks.parse(f"{ROWS}\n{of_two}")
    assert len(both) == 2 and both[0] == both[1]


def test_the_real_sentences_are_hundreds_with_every_relation(real_data):
    found = treebanks.sentences()
    assert len(found) == 1275
    assert {r.name for x in found for r in x.relations} == set(RELATIONS.values())
    assert all(max(max(r.word, r.head) for r in x.relations) < len(x.words) for x in found if x.relations)


PAIR = """\
1 [The developer] argued with the designer because [she] did not like the design.
2 The developer argued with [the designer] because [his] idea cannot be implemented.
3 The cook met [the guard] and left.
4 [The cook] met the guard because [he] was late.
"""


def test_of_a_pair_each_sentence_means_the_one_that_the_other_does_not():
    one, other = winobias.parse(PAIR)
    assert [x.words[x.pronoun] for x in (one, other)] == ["she", "his"]
    assert (one.words[one.right], one.words[one.wrong]) == ("developer", "designer")
    assert (other.words[other.right], other.words[other.wrong]) == ("designer", "developer")


def test_the_real_pairs_cannot_be_told_by_which_is_nearer(real_data):
    found = winobias.pronouns()
    nearer = [abs(x.pronoun - x.right) < abs(x.pronoun - x.wrong) for x in found]
    assert len(found) == 1402 and sum(nearer) == len(found) / 2
    assert {x.words[x.pronoun] for x in found} <= {"he", "she", "him", "her", "his"}
