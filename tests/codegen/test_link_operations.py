"""The linker refuses an operation that differs between the documents, and a place that no operation has."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.broken_spec import PROTO, Break, assert_told, copy_spec, named, problems, replace

ROWS = "registry/operations.yaml"
HTTP = "openapi/mig.v0.1.yaml"
ADMIN = "openapi/admin.v0.1.yaml"
PRO = "openapi/pro.v0.1.yaml"
NATS = "asyncapi/mig.v0.1.yaml"
AGREE = "make it agree with spec/registry/operations.yaml"
NAMED = "add it to a row of spec/registry/operations.yaml or remove it"
HELLO = "{id: HELLO, method: hello, rpc: Discovery/Hello, http: mig/hello, nats: hello,"

MISSING_PLACES = [
    Break(
        name="no rpc",
        file=ROWS,
        old=HELLO,
        new=HELLO.replace(" rpc: Discovery/Hello,", ""),
        says="HELLO says nothing about rpc; name its place in the proto file (Service/Method) "
        'or write "n/a: reason"',
    ),
    Break(
        name="no route",
        file=ROWS,
        old=HELLO,
        new=HELLO.replace(" http: mig/hello,", ""),
        says="HELLO says nothing about http; name its place in an OpenAPI document (document/operationId) "
        'or write "n/a: reason"',
    ),
    Break(
        name="no subject",
        file=ROWS,
        old=HELLO,
        new=HELLO.replace(" nats: hello,", ""),
        says="HELLO says nothing about nats; name its place in a channel of the AsyncAPI document "
        'or write "n/a: reason"',
    ),
    Break(
        name="n/a without a reason",
        file=ROWS,
        old=HELLO,
        new=HELLO.replace("nats: hello", 'nats: "n/a:"'),
        says='HELLO has no nats and gives no reason; write "n/a: reason"',
    ),
    Break(
        name="an rpc that does not exist",
        file=ROWS,
        old=HELLO,
        new=HELLO.replace("Discovery/Hello", "Discovery/Greet"),
        says="HELLO names the rpc 'Discovery/Greet', which does not exist; "
        'add it to the proto file (Service/Method), correct the name or write "n/a: reason"',
    ),
    Break(
        name="a route that does not exist",
        file=ROWS,
        old=HELLO,
        new=HELLO.replace("mig/hello", "mig/greet"),
        says="HELLO names the http 'mig/greet', which does not exist; add it to an OpenAPI document "
        '(document/operationId), correct the name or write "n/a: reason"',
    ),
    Break(
        name="a channel that does not exist",
        file=ROWS,
        old=HELLO,
        new=HELLO.replace("nats: hello", "nats: greet"),
        says="HELLO names the nats 'greet', which does not exist; add it to a channel of the AsyncAPI "
        'document, correct the name or write "n/a: reason"',
    ),
    Break(
        name="an rpc in no row",
        file=PROTO,
        old="  rpc Cancel(CancelRequest)",
        new="  rpc Stop(CancelRequest) returns (CancelAck);\n  rpc Cancel(CancelRequest)",
        at="  rpc Stop",
        says=f"no operation names the rpc Control/Stop; {NAMED}",
    ),
    Break(
        name="a route in no row",
        file=ROWS,
        old=HELLO,
        new=HELLO.replace("mig/hello", '"n/a: asked over gRPC only"'),
        told_in=HTTP,
        at="    post:\n      operationId: hello",
        says=f"no operation names the route mig/hello (POST /mig/v0.1/hello); {NAMED}",
    ),
    Break(
        name="a channel in no row",
        file=ROWS,
        old=HELLO,
        new=HELLO.replace("nats: hello", 'nats: "n/a: asked over HTTP only"'),
        told_in=NATS,
        at="  hello:\n    address",
        says=f"no operation names the channel 'hello'; {NAMED}",
    ),
]

DISAGREEMENTS = [
    Break(
        name="a request that has no schema",
        file=ROWS,
        old="request: HelloRequest,",
        new="request: Greeting,",
        says="the request of HELLO is 'Greeting', which has no schema file; "
        "correct the name or add the schema",
    ),
    Break(
        name="the request of an rpc",
        file=PROTO,
        old="rpc Hello(HelloRequest)",
        new="rpc Hello(DiscoverRequest)",
        says=f"the rpc Discovery/Hello takes DiscoverRequest, HELLO has HelloRequest; {AGREE}",
    ),
    Break(
        name="the response of an rpc",
        file=PROTO,
        old="returns (HelloResponse)",
        new="returns (DiscoverResponse)",
        says=f"the rpc Discovery/Hello gives DiscoverResponse, HELLO has HelloResponse; {AGREE}",
    ),
    Break(
        name="the direction of a frame",
        file=ROWS,
        old="request: RequestFrame,",
        new="request: StreamFrame,",
        told_in=PROTO,
        at="  rpc StreamInvoke",
        says=f"the rpc Invocation/StreamInvoke takes RequestFrame, STREAM has StreamFrame; {AGREE}",
    ),
    Break(
        name="an rpc that streams",
        file=PROTO,
        old="returns (HelloResponse)",
        new="returns (stream HelloResponse)",
        says="the rpc Discovery/Hello does not stream as the shape unary of HELLO says; "
        "correct the stream keywords or the shape",
    ),
    Break(
        name="the body of a route",
        file=HTTP,
        old="$ref: ../schema/hello-request.schema.json",
        new="$ref: ../schema/discover-request.schema.json",
        at="    post:\n      operationId: hello",
        says=f"the body of POST /mig/v0.1/hello is DiscoverRequest, HELLO has HelloRequest; {AGREE}",
    ),
    Break(
        name="a body that the row does not have",
        file=ROWS,
        old="request: HelloRequest, response: HelloResponse",
        new="response: HelloResponse",
        told_in=HTTP,
        at="    post:\n      operationId: hello",
        says=f"the body of POST /mig/v0.1/hello is HelloRequest, HELLO has nothing; {AGREE}",
    ),
    Break(
        name="the answer of a route",
        file=HTTP,
        old="$ref: ../schema/hello-response.schema.json",
        new="$ref: ../schema/discover-response.schema.json",
        at="        '200':\n          description: The selection.",
        says=f"200 of POST /mig/v0.1/hello carries DiscoverResponse, HELLO has HelloResponse; {AGREE}",
    ),
    Break(
        name="an answer without a body",
        file=ROWS,
        old="rpc: Invocation/StreamInvoke, http: mig/stream, nats: stream, shape: duplex,",
        new="rpc: Invocation/StreamInvoke, http: mig/stream, nats: stream, shape: unary, status: 101,",
        told_in=HTTP,
        at="        '101':",
        says=f"101 of GET /mig/v0.1/stream carries nothing, STREAM has StreamFrame; {AGREE}",
    ),
    Break(
        name="the events of a stream",
        file=ROWS,
        old="response: EventMessage",
        new="response: StreamFrame",
        told_in=HTTP,
        at="        '200':\n          description: |\n",
        says="200 of GET /mig/v0.1/subscribe/{topic} carries SseEvent, SUBSCRIBE has StreamFrame; " + AGREE,
    ),
    Break(
        name="text",
        file=ROWS,
        old="response: text",
        new="response: HealthStatus",
        told_in=ADMIN,
        at="        '200':\n          description: The metrics",
        says=f"200 of GET /metrics carries text, METRICS has HealthStatus; {AGREE}",
    ),
    Break(
        name="the success status",
        file=ROWS,
        old="http: cloud/createOrg, shape: unary, rights: admin, status: 201",
        new="http: cloud/createOrg, shape: unary, rights: admin",
        told_in="openapi/cloud.v0.1.yaml",
        at="    post:\n      operationId: createOrg",
        says=f"POST /cloud/v0.1/orgs answers 201, CREATE_ORG answers 200; {AGREE}",
    ),
    Break(
        name="an error status that no code has",
        file=HTTP,
        old="        '504':\n          $ref: '#/components/responses/InvocationTimeout'",
        new="        '502':\n          $ref: '#/components/responses/InvocationTimeout'",
        says="INVOKE answers 502, which no row of spec/registry/errors.yaml has; "
        "remove the status or add it to an error row",
    ),
    Break(
        name="a status that is no number",
        file=HTTP,
        old="        '504':\n          $ref: '#/components/responses/InvocationTimeout'",
        new="        default:\n          $ref: '#/components/responses/InvocationTimeout'",
        says="the status 'default' is no number; "
        "list each status by itself, so that it can be linked to an error",
    ),
    Break(
        name="an error without the envelope",
        file=HTTP,
        old="    InvocationTimeout:\n",
        new="    InvocationTimeout:\n      description: Late.\n      content:\n        application/json:\n"
        "          schema:\n            $ref: ../schema/mig-error.schema.json\n    Unused:\n",
        at="        '504':\n          $ref: '#/components/responses/InvocationTimeout'",
        says="504 of INVOKE carries MigError; every error carries an ErrorEnvelope",
    ),
    Break(
        name="a public route that asks for a credential",
        file=ROWS,
        old="http: admin/liveness, shape: unary, rights: public",
        new="http: admin/liveness, shape: unary, rights: admin",
        told_in=ADMIN,
        at="    get:\n      operationId: liveness",
        says="LIVENESS has the rights 'admin', its route asks for no credential; "
        "write `security: []` exactly where rights are public",
    ),
    Break(
        name="path parameters",
        file=ROWS,
        old="path_fields: {capability: capability}",
        new="path_fields: {}",
        told_in=HTTP,
        at="    post:\n      operationId: invoke",
        says=f"the path parameters of INVOKE are capability, its path_fields nothing; {AGREE}",
    ),
    Break(
        name="a query parameter that is missing",
        file=PRO,
        old="        - name: tenant_id\n          in: query",
        new="        - name: tenant\n          in: query",
        at="    get:\n      operationId: exportAudit",
        says="the query of /pro/v0.1/audit/export lacks 'tenant_id', AuditQuery has it; "
        "give both the same names",
    ),
    Break(
        name="a query parameter too many",
        file=PRO,
        old="        - name: tenant_id\n          in: query",
        new="        - name: tenant\n          in: query",
        at="    get:\n      operationId: exportAudit",
        says="the query of /pro/v0.1/audit/export has 'tenant', AuditQuery lacks it; "
        "give both the same names",
    ),
    Break(
        name="the bounds of a header parameter",
        file=HTTP,
        old="        maximum: 4294967295\n      example: 10000",
        new="        maximum: 1000\n      example: 10000",
        at="    DeadlineHeader:",
        says="the parameter 'MIG-Deadline-Ms' is not bounded as RequestHeader.deadline_ms at "
        "spec/schema/request-header.schema.json:N; give both the same type and bounds, best by one $ref",
    ),
    Break(
        name="what a channel takes",
        file=NATS,
        old="$ref: ../schema/hello-request.schema.json",
        new="$ref: ../schema/discover-request.schema.json",
        at="  hello:\n    address",
        says=f"the channel 'hello' receives DiscoverRequest, HELLO has HelloRequest; {AGREE}",
    ),
    Break(
        name="what a channel takes and no operation has",
        file=NATS,
        old="$ref: ../schema/hello-request.schema.json",
        new="$ref: ../schema/discover-request.schema.json",
        at="  hello:\n    address",
        says=f"the channel 'hello' receives DiscoverRequest, which no operation there has; {AGREE}",
    ),
    Break(
        name="what a channel replies",
        file=NATS,
        old="        - $ref: '#/channels/inbox/messages/helloResponse'\n",
        new="",
        at="  hello:\n    address",
        says=f"the channel 'hello' replies with ErrorEnvelope, HELLO has HelloResponse; {AGREE}",
    ),
    Break(
        name="what a channel sends",
        file=NATS,
        old="$ref: ../schema/event-message.schema.json",
        new="$ref: ../schema/publish-ack.schema.json",
        at="  events:\n    address",
        says=f"the channel 'events' sends PublishAck, SUBSCRIBE has EventMessage; {AGREE}",
    ),
    Break(
        name="the frames of the WebSocket",
        file=NATS,
        old="$ref: ../schema/request-frame.schema.json",
        new="$ref: ../schema/stream-accepted.schema.json",
        at="  websocket:\n    address",
        says=f"the channel 'websocket' receives StreamAccepted, STREAM has RequestFrame; {AGREE}",
    ),
    Break(
        name="the parameters of a subject",
        file=NATS,
        old="address: mig.v0_1.{tenant}.invoke.{capability}",
        new="address: mig.v0_1.{tenant}.invoke.{name}",
        at="  invoke:\n    address",
        says="the channel 'invoke' declares capability, tenant, its address has name, tenant; "
        "make parameters and address agree",
    ),
    Break(
        name="a parameter that the operation does not know",
        file=NATS,
        old="address: mig.v0_1.{tenant}.invoke.{capability}",
        new="address: mig.v0_1.{tenant}.invoke.{name}",
        at="  invoke:\n    address",
        says="mig.v0_1.{tenant}.invoke.{name} has 'name', which INVOKE does not know; "
        "add it to path_fields or take it out of the address",
    ),
    Break(
        name="an operation twice",
        file=ROWS,
        old="{id: DISCOVER, method: discover",
        new="{id: HELLO, method: discover",
        says=f"the id 'HELLO' is also that of spec/{ROWS}:N; give one of them another",
    ),
    Break(
        name="a method twice",
        file=ROWS,
        old="{id: DISCOVER, method: discover",
        new="{id: DISCOVER, method: hello",
        says=f"the method 'hello' is also that of spec/{ROWS}:N; give one of them another",
    ),
    Break(
        name="a route in two rows",
        file=ROWS,
        old="http: mig/discover",
        new="http: mig/hello",
        at="rpc: Discovery/Discover",
        says=f"the http 'mig/hello' is also that of spec/{ROWS}:N; give one of them another",
    ),
]


@pytest.mark.parametrize("case", MISSING_PLACES, ids=named)
def test_an_operation_is_everywhere_or_says_why_not(case: Break, tmp_path: Path) -> None:
    assert_told(tmp_path, case)


@pytest.mark.parametrize("case", DISAGREEMENTS, ids=named)
def test_an_operation_that_differs_between_documents_is_refused(case: Break, tmp_path: Path) -> None:
    assert_told(tmp_path, case)


def test_an_operation_id_that_two_routes_have_is_refused(tmp_path: Path) -> None:
    spec = copy_spec(tmp_path)
    replace(spec / HTTP, "operationId: hello", "operationId: discover")
    found = problems(spec)
    # openapi-spec-validator sees it first: it is a rule of OpenAPI.
    assert any(line.startswith(f"spec/{HTTP}:") and "'discover'" in line for line in found), found
