"""Co-attention: one table, two softmaxes; a reader of stories whose padding changes nothing."""

import pytest
import torch

from course.models.co_attention import StoryReader, co_attention

WORDS = ["<pad>", "<unknown>", "daniel", "garden", "is", "kitchen", "mary", "the", "to", "went", "where"]


def test_both_ways_come_from_one_table():
    context, question, weight = torch.randn(5, 4), torch.randn(3, 4), torch.randn(4, 4)
    found = co_attention(context, question, weight)
    table = context @ weight @ question.T
    assert torch.allclose(found.context_to_question, table.softmax(1))
    assert torch.allclose(found.question_to_context, table.softmax(0).T, atol=1e-6)
    assert torch.allclose(found.of_question[2], found.question_to_context[2] @ context, atol=1e-6)


def test_exchanging_the_sides_exchanges_the_answers():
    context, question, weight = torch.randn(5, 4), torch.randn(3, 4), torch.randn(4, 4)
    a, b = co_attention(context, question, weight), co_attention(question, context, weight.T)
    assert torch.allclose(a.of_context, b.of_question, atol=1e-5)
    assert torch.allclose(a.question_to_context, b.context_to_question, atol=1e-6)


def test_nobody_looks_at_padding():
    mask = torch.tensor([True, True, False])
    found = co_attention(torch.randn(2, 4), torch.randn(3, 4), torch.eye(4), question_mask=mask)
    assert (found.context_to_question[:, 2] == 0).all()


@pytest.fixture
def reader():
    torch.manual_seed(0)
    return StoryReader(WORDS, d=8).eval()


def test_a_stories_padding_changes_nothing(reader):
    short, longer = ["Mary went to the kitchen."], ["Daniel went to the garden."] * 3
    alone = reader(*reader.batch([short], ["Where is Mary?"]))[0]
    beside = reader(*reader.batch([short, longer], ["Where is Mary?", "Where is Daniel?"]))[0][:1]
    assert torch.allclose(alone, beside, atol=1e-5)


def test_of_a_long_story_the_end_is_read(reader):
    story = ["Mary went to the kitchen."] * 40
    assert reader.batch([story], ["Where is Mary?"])[0].shape[1] == StoryReader.LONGEST


def test_what_is_saved_is_read_again(reader, tmp_path):
    reader.save(tmp_path)
    story = ["Mary went to the kitchen.", "Daniel went to the garden."]
    answer, found = StoryReader.from_pretrained(tmp_path).read(story, "Where is Mary?")
    assert answer in WORDS and torch.allclose(found[2], reader.read(story, "Where is Mary?")[1][2])


def test_the_shipped_reader_answers():
    reader = StoryReader.from_pretrained("stories-asked")
    story = ["Mary went to the kitchen.", "Daniel moved to the garden.", "Sandra travelled to the office."]
    answer, found = reader.read(story, "Where is Daniel?")
    assert answer == "garden"
    assert found.question_to_context.mean(0).argmax() == 1
