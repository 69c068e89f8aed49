"""Smoke checks: is a MIG server there, and are its answers right? One command for each binding.

`arguments` and `report` are the command line, `calls` is the port that a binding implements, `judgements`
says what is wrong with an answer, and `unary` holds the checks that every binding can make.
"""
