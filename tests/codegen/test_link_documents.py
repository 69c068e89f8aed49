"""The linker refuses OpenAPI and AsyncAPI documents that are invalid or that define objects of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.broken_spec import Break, assert_told, named

HTTP = "openapi/mig.v0.1.yaml"
NATS = "asyncapi/mig.v0.1.yaml"
BODY = "            schema:\n              $ref: ../schema/hello-request.schema.json\n"
FEATURES = "    description: Agree on version, binding and features.\n"
MOVE = "move it to a file of spec/schema and refer to that with $ref"

MISTAKES = [
    Break(
        name="a version of OpenAPI that tools do not know",
        file=HTTP,
        old="openapi: 3.2.0",
        new="openapi: 2.0.0",
        says="openapi is '2.0.0'; write a version 3.1.x or 3.2.x",
    ),
    Break(
        name="no OpenAPI",
        file=HTTP,
        old="  version: 0.1.0\n",
        new="",
        at="info:",
        says='not valid OpenAPI 3.2: info: "version" is a required property; correct the document',
    ),
    Break(
        name="an object inline",
        file=HTTP,
        old=BODY,
        new="            schema:\n              type: object\n",
        at="            schema:\n              type: object\n",
        says=f"an object is defined inline (type: object); {MOVE}",
    ),
    Break(
        name="properties inline",
        file=HTTP,
        old=BODY,
        new="            schema:\n              properties: {colour: {type: string}}\n",
        at="            schema:\n              properties",
        says=f"an object is defined inline (properties); {MOVE}",
    ),
    Break(
        name="a composition inline",
        file=HTTP,
        old=BODY,
        new="            schema:\n              allOf:\n"
        "                - $ref: ../schema/hello-request.schema.json\n",
        at="            schema:\n              allOf",
        says=f"an object is defined inline (allOf); {MOVE}",
    ),
    Break(
        name="an array of objects inline",
        file=HTTP,
        old=BODY,
        new="            schema:\n              type: array\n              items: {type: object}\n",
        at="              items",
        says=f"an object is defined inline (type: object); {MOVE}",
    ),
    Break(
        name="a schema among the components",
        file=HTTP,
        old="components:\n",
        new="components:\n  schemas:\n    Colour:\n      type: string\n",
        at="    Colour:",
        says=f"the document defines the schema 'Colour'; {MOVE}",
    ),
    Break(
        name="a scalar that is no schema",
        file=HTTP,
        old="        type: integer\n        minimum: 0\n        maximum: 4294967295\n",
        new="        type: integer\n        minimum: nothing\n        maximum: 4294967295\n",
        at="        minimum: nothing",
        says="not valid under 2020-12: minimum: 'nothing' is not of type 'number'; correct the keyword",
    ),
    Break(
        name="a $ref of a schema to what is none",
        file=HTTP,
        old=BODY,
        new="            schema:\n              $ref: '#/components/responses/InvocationTimeout'\n",
        at="            schema:\n              $ref: '#/components/responses/InvocationTimeout'\n",
        says="$ref '#/components/responses/InvocationTimeout' leads to what is no schema file; "
        "refer to a file of spec/schema",
    ),
    Break(
        name="a $ref to itself",
        file=HTTP,
        old="components:\n",
        new="components:\n  requestBodies:\n    Loop:\n      $ref: '#/components/requestBodies/Loop'\n",
        at="    Loop:",
        says="$ref '#/components/requestBodies/Loop' leads nowhere; correct the path or add the target",
    ),
    Break(
        name="a $ref to a component that is not there",
        file=HTTP,
        old="        '504':\n          $ref: '#/components/responses/InvocationTimeout'",
        new="        '504':\n          $ref: '#/components/responses/Late'",
        says="$ref '#/components/responses/Late' leads nowhere; correct the path or add the target",
    ),
    Break(
        name="a $ref to a file that is not there",
        file=HTTP,
        old="../schema/hello-request.schema.json",
        new="../schema/greeting.schema.json",
        at=BODY.replace("hello-request", "greeting"),
        says="$ref '../schema/greeting.schema.json' leads nowhere; correct the path or add the target",
    ),
    Break(
        name="a $ref with siblings",
        file=HTTP,
        old=BODY,
        new=BODY + "              description: The request.\n",
        at=BODY,
        says="$ref '../schema/hello-request.schema.json' has siblings (description), "
        "which draft-07 readers ignore; move them into the target",
    ),
    Break(
        name="no AsyncAPI 3.0",
        file=NATS,
        old="asyncapi: 3.0.0",
        new="asyncapi: 2.6.0",
        says="asyncapi: '2.6.0' does not match '^3[.]0[.][0-9]+$'; write the row as the others are",
    ),
    Break(
        name="an operation that does nothing",
        file=NATS,
        old="  hello:\n    action: receive\n",
        new="  hello:\n    action: listen\n",
        at="    action: listen",
        says="operations.hello.action: 'listen' is not one of ['send', 'receive']; "
        "write the row as the others are",
    ),
    Break(
        name="a payload inline",
        file=NATS,
        old="        $ref: ../schema/hello-request.schema.json\n",
        new="        type: object\n",
        at="      payload:\n        type: object\n",
        says=f"components.messages.helloRequest.payload is defined inline; {MOVE}",
    ),
    Break(
        name="a schema among AsyncAPI's components",
        file=NATS,
        old="components:\n",
        new="components:\n  schemas:\n    Colour:\n      type: string\n",
        at="    Colour:",
        says=f"the document defines the schema 'Colour'; {MOVE}",
    ),
    Break(
        name="a channel that leads nowhere",
        file=NATS,
        old="    channel:\n      $ref: '#/channels/hello'\n",
        new="    channel:\n      $ref: '#/channels/greeting'\n",
        at="    channel:\n      $ref: '#/channels/greeting'\n",
        says="$ref '#/channels/greeting' leads nowhere; correct the path or add the target",
    ),
    Break(
        name="a channel without a server",
        file=NATS,
        old=FEATURES + "    servers:\n      - $ref: '#/servers/nats'\n",
        new=FEATURES,
        at="  hello:\n    address",
        says="the channel 'hello' is on nothing; give it servers of one protocol: nats, ws or wss",
    ),
]


@pytest.mark.parametrize("case", MISTAKES, ids=named)
def test_a_mistaken_document_is_refused_with_its_line(case: Break, tmp_path: Path) -> None:
    assert_told(tmp_path, case)
