"""The official protobuf and gRPC stubs."""
