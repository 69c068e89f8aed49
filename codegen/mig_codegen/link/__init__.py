"""Proves that the files of a spec agree with each other and gives back the one model of what they say."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

from mig_codegen.link.agreement import Agreement
from mig_codegen.link.carriers import link_carriers
from mig_codegen.link.channels import link_channels
from mig_codegen.link.checks import link_checks
from mig_codegen.link.coverage import check_coverage
from mig_codegen.link.enums import link_enums
from mig_codegen.link.errors import error_statuses, link_errors
from mig_codegen.link.examples import check_examples
from mig_codegen.link.features import link_features, link_profiles
from mig_codegen.link.inline import check_inline
from mig_codegen.link.mapping import link_mapping
from mig_codegen.link.messages import link_messages
from mig_codegen.link.openapi import check_openapi
from mig_codegen.link.operations import check_all_named, link_operations, places
from mig_codegen.link.refs import check_refs
from mig_codegen.link.requirements import check_citations, link_requirements, requirement_rows
from mig_codegen.link.routes import document_name, link_routes
from mig_codegen.link.schemas import check_metaschemas, link_schemas
from mig_codegen.link.services import link_services
from mig_codegen.link.vectors import link_vectors
from mig_codegen.load import Spec
from mig_codegen.model import Channel, Document, Model, Operation, Schema
from mig_codegen.problem import Problems

__all__ = ["link"]


def link(spec: Spec) -> Model:
    """Build the model. Raises SpecError with every disagreement.

    Documents that are no JSON Schema or no OpenAPI at all are told first: nothing can be compared with them.
    Examples are looked at last, once there is agreement on what they have to obey. Whether requirements and
    checks cover each other is asked where the spec was loaded with the cases of the conformance suite.
    """
    problems = Problems()
    check_metaschemas(spec, problems)
    check_openapi(spec, problems)
    problems.refuse_if_any()
    model = _link(spec, problems)
    problems.refuse_if_any()
    check_examples(spec, problems)
    problems.refuse_if_any()
    return model


def _link(spec: Spec, problems: Problems) -> Model:
    used = check_refs(spec, problems)
    check_inline(spec, problems)
    schemas = link_schemas(spec, problems)
    mapping = link_mapping(spec, schemas, problems)
    messages = link_messages(spec, schemas, mapping, problems)
    enums = link_enums(spec, schemas, mapping, problems)
    services = link_services(spec)
    errors = link_errors(spec, enums, problems)
    features = link_features(spec, problems)
    profiles = link_profiles(spec, features, problems)
    carriers = link_carriers(spec, messages, problems)
    routes = link_routes(spec, problems)
    channels = link_channels(spec, problems)
    known = places(services, routes, channels)
    operations = link_operations(spec, schemas, known, problems)
    check_all_named(operations, known, channels, problems)
    agreement = Agreement(
        schemas=schemas,
        messages={message.name: message for message in messages},
        carriers=carriers,
        error_statuses=frozenset(error_statuses(errors)),
        problems=problems,
    )
    _check_agreement(agreement, operations, channels)
    _check_unused(used, operations, schemas.values(), {*mapping.json_only}, problems)
    requirements = link_requirements(spec, profiles, problems)
    check_citations(spec, requirements, problems)
    if spec.cases:
        check_coverage(requirement_rows(spec), link_checks(spec, problems), problems)
    return Model(
        spec_dir=spec.root,
        spec_hash=spec.hash,
        proto_package=spec.protos[0].descriptor.package,
        proto_root=spec.root / "proto",
        proto_files=tuple(proto.descriptor.name for proto in spec.protos),
        messages=messages,
        enums=enums,
        services=services,
        schemas=tuple(schemas.values()),
        operations=operations,
        channels=channels,
        errors=errors,
        features=features,
        profiles=profiles,
        header_carriers=carriers,
        json_mapping=mapping,
        requirements=requirements,
        openapi=tuple(
            Document(name=document_name(file), file=file.name, value=file.value)
            for file in spec.folder("openapi")
        ),
        asyncapi=_asyncapi(spec),
        vectors=link_vectors(spec, schemas, messages, operations, errors, problems),
    )


def _check_agreement(
    agreement: Agreement, operations: tuple[Operation, ...], channels: tuple[Channel, ...]
) -> None:
    for operation in operations:
        agreement.check(operation)
    for channel in channels:
        here = [row for row in operations if _is_on(row, channel)]
        for operation in here:
            if channel.protocol == "websocket":
                agreement.check_websocket(operation, channel)
        agreement.check_payloads(channel, here)


def _is_on(operation: Operation, channel: Channel) -> bool:
    if channel.protocol == "websocket":
        return operation.route is not None and operation.route.path == channel.address
    return operation.channel is not None and operation.channel.id == channel.id


def _check_unused(
    used: frozenset[str],
    operations: Iterable[Operation],
    schemas: Iterable[Schema],
    json_only: set[str],
    problems: Problems,
) -> None:
    named = {title for row in operations for title in (row.request, row.query, row.response)}
    for schema in schemas:
        if schema.title in json_only and schema.source.file not in used and schema.title not in named:
            what = f"nothing refers to {posixpath.basename(schema.source.file)}"
            problems.add(schema.source, what, "remove the file and its row in json_only, or refer to it")


def _asyncapi(spec: Spec) -> Document:
    file = spec.folder("asyncapi")[0]
    return Document(name=document_name(file), file=file.name, value=file.value)
