"""What rooms without HTML give has an HTML form in notebooks, registered by name, and showing it asks no service."""

import subprocess
import sys

import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell

from personalize_nb.jobs.job import BatchInferenceJob
from personalize_nb.notebook import formatters
from personalize_nb.resources.solutions import SolutionVersion
from personalize_nb.results.theme_quality import ThemeQuality, theme_quality

ARN = "arn:aws:personalize:us-east-1:123456789012:"


@pytest.fixture
def show():
    shell = InteractiveShell.instance()
    try:
        assert formatters.register()
        yield lambda thing: shell.display_formatter.format(thing)[0]["text/html"]
    finally:
        InteractiveShell.clear_instance()


def test_a_job_and_a_model_name_the_next_step(show):
    job = show(BatchInferenceJob(f"{ARN}batch-inference-job/weekly", session=None))
    assert "<b>BatchInferenceJob</b> weekly</div>" in job
    assert "<div>.status tells how it stands, .wait() waits for its end</div>" in job
    model = show(SolutionVersion(f"{ARN}solution/a<b/1a2b3c4d", "aws-sims", f"{ARN}dataset-group/g", session=None))
    assert "<b>SolutionVersion</b> a&lt;b of aws-sims" in model
    assert "pnb.recommend(ids, this) starts a job" in model


def test_measures_are_a_table_with_their_notes(show):
    html = show(ThemeQuality(pd.DataFrame(), pd.Series({"good_form_share": 0.51234}), ("Few <items>.",)))
    assert "good form share" in html and "0.512" in html
    assert "Few &lt;items&gt;." in html


def test_every_figure_says_what_it_is(show):
    themes = pd.DataFrame(
        {"item_id": "a", "theme": "Sea voyages", "recommended_item_id": ["b", "c"], "relevance": [0.4, 0.05]}
    )
    measured = theme_quality(
        themes, pd.DataFrame({"item_id": ["b", "c", "d"], "title": ["A voyage", "The sea", "Roses"]})
    )
    html = show(measured)
    assert set(formatters._FIGURES) == set(measured.summary.index)
    assert "share of themes that read as a heading" in html and "than the whole catalogue" in html


def test_without_a_shell_nothing_is_registered():
    InteractiveShell.clear_instance()
    assert not formatters.register()


def test_a_kernel_registers_them_on_import_without_loading_more():
    code = (
        "import sys; from IPython.core.interactiveshell import InteractiveShell; shell = InteractiveShell.instance()\n"
        "import personalize_nb\n"
        "print(sorted({'pandas', 'boto3', 'pyarrow', 'numpy', 'ipywidgets'} & set(sys.modules)))\n"
        "from personalize_nb.jobs.run import Run\n"
        "print(Run in shell.display_formatter.formatters['text/html'])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.split("\n")[:2] == ["[]", "True"]
