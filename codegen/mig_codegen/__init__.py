"""Reads spec/, refuses what does not agree with itself, and writes generated/mig_protocol."""
