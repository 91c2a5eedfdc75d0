"""Tags in a text field: what is shown comes back as it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize_nb.contract import tag_lines

TEXTS = st.text(st.sampled_from('ab="\\ \n\r\t\u2028é:/@'), max_size=6)


@given(st.dictionaries(TEXTS, TEXTS, max_size=3))
def test_tags_come_back(tags):
    assert tag_lines.parsed(tag_lines.shown(tags)) == tags


@pytest.mark.parametrize(
    ("text", "wrong"),
    [("team", "key=value"), ('"a=b', "close"), ('"a"b=c', "key=value"), ('a="b" c', "follows"), ("a=1\na=2", "twice")],
)
def test_what_is_no_tag_is_refused(text, wrong):
    with pytest.raises(ValueError, match=wrong):
        tag_lines.parsed(text)
