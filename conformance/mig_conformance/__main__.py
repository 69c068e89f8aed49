"""`python -m mig_conformance` is the command `mig-conformance`."""

from mig_conformance.cli import main

if __name__ == "__main__":
    main()
