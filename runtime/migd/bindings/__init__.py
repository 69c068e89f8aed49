"""Thin shells around the core: each translates one transport and decides nothing."""
