"""The suite judges itself: servers that are wrong in one way each, made by changing what a right one says.

A mutant (`mutant`, read by `load` from mutants/*.yaml) says what is changed on the wire; `mutation` changes
one message, `proxies` stand between the suite and the server and let it, and `judge` demands that each check
that a mutant names finds it.
"""
