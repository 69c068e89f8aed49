"""What a linked spec says: one frozen model, from which everything else is printed.

Nothing here decides anything. `load` reads files, `link` proves that they agree and builds a `Model`,
`emit` prints it. Sequences keep the order of the spec file they come from unless a docstring says sorted.
JSON values (`JsonObject`) are plain dicts and lists so that they can be encoded as they are; nobody may
change them.
"""

from mig_codegen.model.linked import Document, Model, Vectors
from mig_codegen.model.operations import (
    Channel,
    HttpBody,
    HttpResponse,
    Operation,
    Parameter,
    ParameterPlace,
    Rights,
    Route,
    Shape,
)
from mig_codegen.model.protobuf import Enum, EnumValue, Field, FieldKind, Message, Rpc, Service
from mig_codegen.model.schemas import JsonObject, JsonType, Property, Schema
from mig_codegen.model.source import Source
from mig_codegen.model.tables import (
    Direction,
    ErrorRow,
    Feature,
    HeaderCarrier,
    JsonMapping,
    Profile,
    Requirement,
)

__all__ = [
    "Channel",
    "Direction",
    "Document",
    "Enum",
    "EnumValue",
    "ErrorRow",
    "Feature",
    "Field",
    "FieldKind",
    "HeaderCarrier",
    "HttpBody",
    "HttpResponse",
    "JsonMapping",
    "JsonObject",
    "JsonType",
    "Message",
    "Model",
    "Operation",
    "Parameter",
    "ParameterPlace",
    "Profile",
    "Property",
    "Requirement",
    "Rights",
    "Route",
    "Rpc",
    "Schema",
    "Service",
    "Shape",
    "Source",
    "Vectors",
]
