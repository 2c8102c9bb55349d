"""`python -m lakehouse_operator`."""

import sys

from lakehouse_operator.main import main

sys.exit(main())
