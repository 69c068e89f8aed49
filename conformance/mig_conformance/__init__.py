"""What a MIG implementation can be held to, with nothing of the gateway in it.

So far: the golden messages of spec/vectors, judged against codecs and against a running server.
"""
