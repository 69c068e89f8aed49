"""The gRPC services as the model holds them."""

from __future__ import annotations

from google.protobuf.descriptor_pb2 import MethodDescriptorProto

from mig_codegen.link.fields import short_name
from mig_codegen.load import ProtoFile, Spec
from mig_codegen.load.proto import METHOD, SERVICE
from mig_codegen.model import Rpc, Service


def link_services(spec: Spec) -> tuple[Service, ...]:
    """Every service, in the order of the proto files; protoc has already found their messages."""
    return tuple(
        Service(
            name=service.name,
            description=proto.comment(SERVICE, index),
            rpcs=tuple(
                _rpc(proto, index, i, service.name, method) for i, method in enumerate(service.method)
            ),
            source=proto.at(SERVICE, index),
        )
        for proto in spec.protos
        for index, service in enumerate(proto.descriptor.service)
    )


def _rpc(proto: ProtoFile, index: int, i: int, service: str, method: MethodDescriptorProto) -> Rpc:
    path = (SERVICE, index, METHOD, i)
    return Rpc(
        service=service,
        name=method.name,
        path=f"/{proto.descriptor.package}.{service}/{method.name}",
        request=short_name(method.input_type),
        response=short_name(method.output_type),
        client_streaming=method.client_streaming,
        server_streaming=method.server_streaming,
        description=proto.comment(*path),
        source=proto.at(*path),
    )
