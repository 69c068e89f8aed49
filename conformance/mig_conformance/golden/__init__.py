"""The golden messages as requests of a check: which rows (`rows`), how each is put (`saying`, `query`,
`protobuf_requests`) over which binding (`asks`), and what has to come back (`judging`).
"""
