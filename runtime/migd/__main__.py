"""`python -m migd` is the `migd` command."""

from migd.cli import main

main()
