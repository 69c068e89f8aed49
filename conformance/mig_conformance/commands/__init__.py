"""What the command `mig-conformance` does, a module for each of its words. See `cli`."""
