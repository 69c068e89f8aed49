"""gRPC as calls of the core: operations (`service`), subscriptions (`events`), frames (`streams`)."""
