"""The server under test: what its manifest says of it, who may ask it what, how it is started and stopped."""
