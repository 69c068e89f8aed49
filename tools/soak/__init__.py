"""A long life in a few minutes: a million mixed operations, and what they leave behind in a real migd.

`python -m tools.soak` starts migd with the sqlite store, an audit file and metrics, and works it over a fixed
number of connections: every operation, good and bad, with tenants, topics, keys and ids that are made up on
the way until the bounds of what the gateway keeps are met. The last line says whether anything came that
should not have, and whether memory went on growing after that.

`kinds` is the table of what is done, and the place to add to; `caller` is how it is sent.
"""
