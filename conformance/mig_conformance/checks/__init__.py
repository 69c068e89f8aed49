"""Checks: what they are (`check`), read from cases/*.yaml (`load`), and carried out (`steps`, `trial`).

A check is data where sending and comparing is enough, and a function of `mig_conformance.temporal` where the
order of things in time is what it is about.
"""
