"""Checks of which the order of things in time is the point: one module an area, one function a check.

Each takes the Trial and raises FlawError where the server is wrong. None waits for a fixed time where it can
wait for an event.
"""
