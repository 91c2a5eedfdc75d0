"""Amazon Personalize batch inference from JupyterLab, on AWS or on the embedded service of this machine.

    import personalize_nb as pnb
    pnb.connect()
    model = pnb.train(interactions, items, name="books")
    job = pnb.recommend(["12", "7"], model, num_results=10)
    job.wait().recommendations(items=items)

The public names are listed in `__init__.pyi`, and nowhere else: editors and type checkers read them there, and at run
time each is loaded when it is first used, so that the import itself costs next to nothing.
"""

import logging
import sys

import lazy_loader

__version__ = "0.1.0"

# Quiet until the user's own program asks for records.
logging.getLogger(__name__).addHandler(logging.NullHandler())

_load, _, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ = sorted([*__all__, "__version__"])


def __getattr__(name: str) -> object:
    if name in __all__:
        return _load(name)
    from personalize_nb.text.public import no_attribute  # loaded when something is misspelt

    raise no_attribute("personalize_nb", name, __all__)


def __dir__() -> list[str]:
    return list(__all__)


if "IPython" in sys.modules:
    from personalize_nb.notebook import completions, formatters

    formatters.register()
    completions.register()
    del completions, formatters
