"""What migd costs, measured against floors that do as little as possible, both in one run.

`python -m tools.bench` measures everything; names choose; `--quick` takes a tenth of the time. One core is
the server's and another the load's. A floor and migd take turns and medians are compared, so that what else
the machine does falls on both.
"""
