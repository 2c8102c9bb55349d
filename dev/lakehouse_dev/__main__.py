"""Entry of `python -m lakehouse_dev`."""

from lakehouse_dev.cli import main

main()
