"""Proxies between the suite and a server, one for each kind of endpoint. Without changes nobody notices."""
