"""`python -m personalize_nb.headless`: the command line of `notebook.headless`, at the address it has always had."""

import sys

from personalize_nb.notebook.headless import main

if __name__ == "__main__":
    sys.exit(main())
