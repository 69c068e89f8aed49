"""What a run found: the `model`, how results become one (`assemble`, `matrix`, `verdicts`), and its forms:
JSON, JUnit, a page, a badge, text.
"""
