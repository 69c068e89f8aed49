"""`python -m mig_codegen`."""

from mig_codegen.cli import main

main(prog_name="mig-codegen")
