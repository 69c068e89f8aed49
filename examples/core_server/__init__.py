"""A MIG 0.1 server of the profile core, for whoever writes one. See README.md."""
