"""migd.yaml: what it gives, and the one line that says what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import msgspec
import pytest

from migd.core.catalog import Capability
from migd.core.limits import Allowance
from migd.manifest import Manifest, ManifestError, load_manifest
from migd.providers.builtin import REFERENCE_ID
from migd.providers.http import HttpProvider
from migd.providers.python import PythonProvider

Write = Callable[..., Path]
HTTP_ENTRY = """
migd: 1
capabilities:
  - http: http://127.0.0.1:8091/render
    id: text.render
"""
PYTHON_MODULE = """
from msgspec import Struct
from migd.capability import capability

class Word(Struct):
    text: str

@capability(id="test.{name}")
async def {name}(word: Word) -> Word:
    return word

plain = 7
"""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes migd.yaml, its first line being line 1."""

    def to_file(text: str) -> Path:
        path = tmp_path / "migd.yaml"
        path.write_text(dedent(text).lstrip("\n"), encoding="utf-8")
        return path

    return to_file


def load(path: Path, **environ: str) -> Manifest:
    return load_manifest(path, environ)


def ids(manifest: Manifest) -> list[str]:
    return [capability.descriptor.id for capability in manifest.capabilities]


def only_other(manifest: Manifest) -> Capability:
    (found,) = [each for each in manifest.capabilities if each.descriptor.id != REFERENCE_ID]
    return found


def test_the_reference_capability_is_there_without_being_listed(write: Write) -> None:
    manifest = load(write("migd: 1"))
    assert ids(manifest) == [REFERENCE_ID]
    assert manifest.capabilities[0].tenants is None


def test_the_reference_capability_can_be_kept_to_tenants_or_switched_off(write: Write) -> None:
    kept = load(write("migd: 1\ncapabilities: [{builtin: reference, tenants: [acme]}]"))
    assert kept.capabilities[0].tenants == frozenset({"acme"})
    off = load(write("migd: 1\ncapabilities: [{builtin: reference, enabled: false}]"))
    assert ids(off) == []


def test_an_http_entry_has_every_key(write: Write, tmp_path: Path) -> None:
    (tmp_path / "in.json").write_text('{"type": "object", "required": ["markdown"]}')
    manifest = load(
        write(
            """
            migd: 1
            capabilities:
              - http: http://${HOST:-127.0.0.1}:${PORT}/render
                stream_url: http://127.0.0.1:${PORT}/stream
                id: text.markdown.render
                version: 2.0.1
                modes: [unary, server_stream]
                scopes: [capability:render]
                event_topics: [text.rendered]
                input_schema: in.json
                output_schema: {type: object, properties: {html: {type: string, description: "${x}"}}}
                output_schema_uri: schema://elsewhere/v9
                max_payload_bytes: 1000
                max_response_bytes: 2000
                timeout_ms: ${TIMEOUT:-1500}
                headers: {Authorization: "Bearer ${TOKEN}"}
                tenants: [acme, globex]
            """
        ),
        PORT="8091",
        TOKEN="hush",
    )
    found = only_other(manifest)
    assert msgspec.to_builtins(found.descriptor) == {
        "id": "text.markdown.render",
        "version": "2.0.1",
        "modes": ["unary", "server_stream"],
        "input_schema_uri": "schema://text/markdown/render-input/v2",
        "output_schema_uri": "schema://elsewhere/v9",
        "event_topics": ["text.rendered"],
        "auth_scopes": ["capability:render"],
        "qos": {
            "max_payload_bytes": 1000,
            "supports_replay": True,
            "delivery_semantics": "at_least_once",
            "supports_ordering": True,
        },
    }
    assert found.input_schema == {"type": "object", "required": ["markdown"]}
    assert found.output_schema == {
        "type": "object",
        "properties": {"html": {"type": "string", "description": "${x}"}},
    }
    assert found.tenants == frozenset({"acme", "globex"})
    assert isinstance(found.provider, HttpProvider)
    service = found.provider.service
    assert service.url == "http://127.0.0.1:8091/render"
    assert service.stream_url == "http://127.0.0.1:8091/stream"
    assert (service.timeout_s, service.max_response_bytes) == (1.5, 2000)
    assert service.headers == {"Authorization": "Bearer hush"}
    assert "hush" not in repr(service)


def test_an_http_entry_needs_only_a_url_and_an_id(write: Write) -> None:
    found = only_other(load(write(HTTP_ENTRY)))
    assert found.descriptor.version == "1.0.0"
    assert [mode.value for mode in found.descriptor.modes] == ["unary"]
    assert (found.input_schema, found.output_schema) == ({"type": "object"}, {"type": "object"})
    assert found.tenants is None
    assert isinstance(found.provider, HttpProvider)
    assert found.provider.service.timeout_s == 30.0
    assert found.provider.service.stream_url == found.provider.service.url


def test_a_python_entry_is_found_beside_the_file(write: Write, tmp_path: Path) -> None:
    (tmp_path / "beside_capability.py").write_text(PYTHON_MODULE.format(name="shout"))
    path = write("migd: 1\ncapabilities:\n  - python: beside_capability:shout\n    tenants: [acme]")
    found = only_other(load(path))
    assert found.descriptor.id == "test.shout"
    assert isinstance(found.provider, PythonProvider)
    assert found.input_schema is not None
    assert found.input_schema["required"] == ["text"]
    assert found.tenants == frozenset({"acme"})


def test_an_installed_package_can_offer_a_capability(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site"
    (package / "offering-1.0.dist-info").mkdir(parents=True)
    (package / "offering-1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: offering\nVersion: 1.0\n"
    )
    (package / "offering-1.0.dist-info" / "entry_points.txt").write_text(
        "[migd.capabilities]\ntest.offered = offering_module:offered\n"
    )
    (package / "offering_module.py").write_text(PYTHON_MODULE.format(name="offered"))
    monkeypatch.syspath_prepend(package)
    manifest = load(write("migd: 1\ncapabilities:\n  - entry_point: test.offered"))
    assert ids(manifest) == [REFERENCE_ID, "test.offered"]
    with pytest.raises(ManifestError, match=r'offers "test\.offred".*did you mean "test\.offered"'):
        load(write("migd: 1\ncapabilities:\n  - entry_point: test.offred"))


def test_limits_are_a_tenants_or_a_capabilitys(write: Write, tmp_path: Path) -> None:
    (tmp_path / "limited_capability.py").write_text(PYTHON_MODULE.format(name="limited"))
    manifest = load(
        write(
            """
            migd: 1
            limits:
              tenants:
                acme: {rate_per_s: 0.5, burst: 3, concurrency: "${PLACES}"}
                globex: {rate_per_s: 0}
            capabilities:
              - {builtin: reference, limits: {rate_per_s: 10}}
              - {python: "limited_capability:limited", limits: {concurrency: 2}}
              - {http: "http://127.0.0.1:1/", id: test.http, limits: {rate_per_s: 7, burst: 9}}
            """
        ),
        PLACES="4",
    )
    assert manifest.tenants == {
        "acme": Allowance(rate_per_s=0.5, burst=3, concurrency=4),
        "globex": Allowance(rate_per_s=0.0),
    }
    assert [capability.limits for capability in manifest.capabilities] == [
        Allowance(rate_per_s=10.0),
        Allowance(concurrency=2),
        Allowance(rate_per_s=7.0, burst=9),
    ]


def test_anchors_and_merges_share_settings(write: Write) -> None:
    manifest = load(
        write(
            """
            migd: 1
            capabilities:
              - &first
                http: http://127.0.0.1:1/a
                id: test.a
                timeout_ms: 50
              - <<: *first
                id: test.b
            """
        )
    )
    assert ids(manifest) == [REFERENCE_ID, "test.a", "test.b"]
    last = manifest.capabilities[-1].provider
    assert isinstance(last, HttpProvider)
    assert (last.service.capability, last.service.timeout_s) == ("test.b", 0.05)


def test_a_double_dollar_is_one(write: Write) -> None:
    found = only_other(load(write(HTTP_ENTRY + "    headers: {X-Price: '$${a} $5 ${B}'}\n"), B="b${C}"))
    assert isinstance(found.provider, HttpProvider)
    assert found.provider.service.headers == {"X-Price": "${a} $5 b${C}"}


def test_an_empty_variable_takes_the_default(write: Write) -> None:
    path = write(HTTP_ENTRY + "    headers: {X-A: '${A:-d}', X-B: '${B:-}', X-C: 'c${C}'}\n")
    found = only_other(load(path, A="", C=""))
    assert isinstance(found.provider, HttpProvider)
    assert found.provider.service.headers == {"X-A": "d", "X-B": "", "X-C": "c"}


def entry(*lines: str) -> str:
    """An http entry whose further lines start at line 5 of the file."""
    return HTTP_ENTRY + "".join(f"    {line}\n" for line in lines)


BROKEN = {
    "empty file": ("", "1: the file is empty"),
    "not a mapping": ("- 1", "1: expected a mapping, found a list"),
    "syntax": ("migd: 1\ncapabilities: [", "2: not YAML: "),
    "tab": ("migd: 1\n\tcapabilities: []", "2: not YAML: "),
    "two documents": ("migd: 1\n---\nmigd: 1", "2: not YAML: "),
    "no version": ("capabilities: []", "1: the file lacks `migd: 1`"),
    "other version": ("migd: 2", "1: migd: 2 is not a whole number from 1 to 1"),
    "unknown top": ("migd: 1\ncapabilites: []", '2: capabilites: unknown key; did you mean "capabilities"?'),
    "repeated key": ("migd: 1\nmigd: 1", "2: migd: given twice, first in line 1"),
    "list wanted": ("migd: 1\ncapabilities: {}", "2: capabilities: expected a list, found a mapping"),
    "entry is text": ("migd: 1\ncapabilities: [x]", "2: capabilities[0]: expected a mapping, found a string"),
    "no kind": (
        "migd: 1\ncapabilities:\n  - id: a.b",
        "3: capabilities[0]: a capability says what it runs on with one of "
        "python, entry_point, http, builtin; it has none",
    ),
    "two kinds": (
        "migd: 1\ncapabilities:\n  - http: http://x/\n    python: a:b",
        "3: capabilities[0]: a capability says what it runs on with one of "
        "python, entry_point, http, builtin; it has http and python",
    ),
    "unknown builtin": (
        "migd: 1\ncapabilities:\n  - builtin: other",
        '3: capabilities[0].builtin: "other" is not one of reference',
    ),
    "builtin twice": (
        "migd: 1\ncapabilities:\n  - builtin: reference\n  - builtin: reference",
        "4: capabilities[1]: the reference capability is set already, in line 3",
    ),
    "enabled is text": (
        "migd: 1\ncapabilities:\n  - builtin: reference\n    enabled: 'no'",
        "4: capabilities[0].enabled: expected true or false, found a string",
    ),
    "no id": (
        "migd: 1\ncapabilities:\n  - http: http://x/",
        "3: capabilities[0]: an http capability needs an id",
    ),
    "bad id": (
        "migd: 1\ncapabilities:\n  - http: http://x/\n    id: a b",
        '4: capabilities[0].id: "a b" is not a capability id',
    ),
    "unknown key": (
        entry("timout_ms: 5"),
        '5: capabilities[0].timout_ms: unknown key; did you mean "timeout_ms"?',
    ),
    "unlike any key": (
        entry("zzz: 5"),
        "5: capabilities[0].zzz: unknown key; known here: http, stream_url, id",
    ),
    "bad mode": (
        entry("modes: [unary,", "  stream]"),
        '6: capabilities[0].modes[1]: "stream" is not one of unary, server_stream',
    ),
    "no modes": (entry("modes: []"), "5: capabilities[0].modes: list one or both of unary, server_stream"),
    "mode twice": (entry("modes: [unary, unary]"), "5: capabilities[0].modes: list one or both"),
    "version is a number": (
        entry("version: 1.0"),
        '5: capabilities[0].version: expected a string, found a number; write "1.0" in quotes',
    ),
    "bad version": (
        entry("version: one"),
        '5: capabilities[0].version: "one" is not a version such as 1.0.0',
    ),
    "bad scope": (entry("scopes: ['a b']"), '5: capabilities[0].scopes[0]: "a b" is not a scope'),
    "bad topic": (entry("event_topics: [one]"), '5: capabilities[0].event_topics[0]: "one" is not a topic'),
    "bad uri": (entry("input_schema_uri: x"), '5: capabilities[0].input_schema_uri: "x" is not a URI'),
    "no tenants": (entry("tenants: []"), "5: capabilities[0].tenants: names no tenant"),
    "bad tenant": (entry("tenants: ['*']"), '5: capabilities[0].tenants[0]: "*" is not a tenant id'),
    "rate is text": (
        entry("limits: {rate_per_s: many}"),
        "5: capabilities[0].limits.rate_per_s: many is not a number from 0 to 1000000",
    ),
    "rate is negative": (
        entry("limits: {rate_per_s: -1}"),
        "5: capabilities[0].limits.rate_per_s: -1 is not a number from 0",
    ),
    "burst alone": (
        entry("limits: {burst: 5}"),
        "5: capabilities[0].limits.burst: a burst needs a rate_per_s beside it",
    ),
    "concurrency is no number of places": (
        entry("limits: {concurrency: 1.5}"),
        "5: capabilities[0].limits.concurrency: 1.5 is not a whole number",
    ),
    "unknown limit": (
        entry("limits: {rate: 1}"),
        "5: capabilities[0].limits.rate: unknown key; known here: rate_per_s, burst, concurrency",
    ),
    "limits of something else": (
        "migd: 1\nlimits: {tenant: {acme: {}}}",
        '2: limits.tenant: unknown key; did you mean "tenants"?',
    ),
    "limits of no tenant": (
        "migd: 1\nlimits:\n  tenants:\n    a b: {rate_per_s: 1}",
        '4: limits.tenants.a b: "a b" is not a tenant id',
    ),
    "timeout is text": (
        entry("timeout_ms: fast"),
        "5: capabilities[0].timeout_ms: fast is not a whole number from 1 to 86400000",
    ),
    "timeout is zero": (
        entry("timeout_ms: 0"),
        "5: capabilities[0].timeout_ms: 0 is not a whole number from 1",
    ),
    "timeout is negative": (
        entry("timeout_ms: -1"),
        "5: capabilities[0].timeout_ms: -1 is not a whole number",
    ),
    "payload too large": (
        entry("max_payload_bytes: 99999999999"),
        "5: capabilities[0].max_payload_bytes: 99999999999 is not a whole number",
    ),
    "undefined variable": (
        entry("headers: {Authorization: 'Bearer ${UPSTREAM_TOKEN}'}"),
        "5: capabilities[0].headers.Authorization: the environment has no UPSTREAM_TOKEN; set it, "
        "or give a default: ${UPSTREAM_TOKEN:-value}",
    ),
    "unfinished variable": (
        entry("headers: {X-A: '${B'}"),
        "5: capabilities[0].headers.X-A: ${ starts a variable",
    ),
    "own header": (
        entry("headers: {X-Tenant-Id: acme}"),
        "5: capabilities[0].headers.X-Tenant-Id: is set by migd",
    ),
    "bad header": (
        entry("headers: {'a b': c}"),
        "5: capabilities[0].headers.a b: is not the name of an HTTP header",
    ),
    "two-line header": (
        entry('headers: {X-A: "a\\nb"}'),
        "5: capabilities[0].headers.X-A: a header's value is one line of printable characters",
    ),
    "missing schema": (entry("input_schema: no.json"), "5: capabilities[0].input_schema: "),
    "schema is a list": (
        entry("input_schema: [1]"),
        "5: capabilities[0].input_schema: a schema is a mapping",
    ),
    "schema has a date": (
        entry("input_schema: {const: 2026-01-01}"),
        "5: capabilities[0].input_schema: is not JSON data",
    ),
    "invalid schema": (
        entry("input_schema: {type: strin}"),
        "5: capabilities[0].input_schema: not a usable JSON Schema: ",
    ),
    "schema from elsewhere": (
        entry("input_schema: {$ref: 'http://127.0.0.1:9/x.json'}"),
        "5: capabilities[0].input_schema: not a usable JSON Schema: ",
    ),
    "duplicate id": (
        entry("version: 1.0.0") + "  - http: http://x/\n    id: text.render",
        "6: capabilities[1]: text.render is declared already, in line 3",
    ),
    "reference id": (
        "migd: 1\ncapabilities:\n  - http: http://x/\n    id: observatory.models.infer",
        "3: capabilities[0]: observatory.models.infer is declared already, by every migd; ",
    ),
    "not a path": (
        "migd: 1\ncapabilities:\n  - python: module.name",
        '3: capabilities[0].python: "module.name" is not package.module:name',
    ),
    "no module": (
        "migd: 1\ncapabilities:\n  - python: no_such_module:name",
        "3: capabilities[0].python: no module no_such_module, neither in ",
    ),
    "no module in package": (
        "migd: 1\ncapabilities:\n  - python: json.no_such:name",
        "3: capabilities[0].python: no module json.no_such, neither in ",
    ),
    "python with scopes": (
        "migd: 1\ncapabilities:\n  - python: a:b\n    scopes: []",
        "4: capabilities[0].scopes: a Python capability states this itself, in @capability(...)",
    ),
    "python with nonsense": (
        "migd: 1\ncapabilities:\n  - python: a:b\n    tenant: []",
        '4: capabilities[0].tenant: unknown key; did you mean "tenants"?',
    ),
    "no entry point": (
        "migd: 1\ncapabilities:\n  - entry_point: a",
        '3: capabilities[0].entry_point: no installed package offers "a" in the group migd.capabilities',
    ),
}


@pytest.mark.parametrize(("text", "message"), BROKEN.values(), ids=BROKEN.keys())
def test_a_wrong_file_is_one_line_with_its_line_number(write: Write, text: str, message: str) -> None:
    path = write(text)
    with pytest.raises(ManifestError) as wrong:
        load(path)
    said = str(wrong.value)
    assert said.startswith(f"{path}:{message}")
    assert "\n" not in said


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:80",
        "ftp://host/",
        "http://",
        "http:///path",
        "/render",
        "http://host:99999/",
        "http://h/#part",
        "http://[::1",
    ],
)
def test_a_url_that_can_not_be_called_is_refused(write: Write, url: str) -> None:
    with pytest.raises(
        ManifestError, match=r"migd.yaml:3: capabilities\[0\].http: .* is not an http:// or https:// URL"
    ):
        load(write(f"migd: 1\ncapabilities:\n  - http: '{url}'\n    id: a.b"))


def test_a_url_with_a_password_is_refused_and_not_shown(write: Write) -> None:
    path = write("migd: 1\ncapabilities:\n  - http: http://me:${PASSWORD}@host/\n    id: a.b")
    with pytest.raises(ManifestError, match="ends up in logs") as wrong:
        load(path, PASSWORD="hush")
    assert "hush" not in str(wrong.value)


def test_the_value_of_a_variable_is_not_in_the_error(write: Write) -> None:
    with pytest.raises(ManifestError) as wrong:
        load(write(entry("timeout_ms: ${SECRET}")), SECRET="hush")
    assert "hush" not in str(wrong.value)
    assert "${SECRET}" in str(wrong.value)


def test_a_file_that_is_not_there_is_said_to_be_so(tmp_path: Path) -> None:
    path = tmp_path / "none.yaml"
    with pytest.raises(ManifestError) as wrong:
        load(path)
    assert str(wrong.value) == f"{path}: can not be read: No such file or directory"


def test_a_file_that_is_not_text_is_said_to_be_so(tmp_path: Path) -> None:
    path = tmp_path / "binary.yaml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ManifestError, match=r"binary\.yaml: is not UTF-8 text"):
        load(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"type":\n', "schema.json:2 is not JSON: "),
        (b"\xff", "schema.json is not UTF-8 text"),
        (b"[]", "a schema is a mapping"),
    ],
)
def test_a_schema_file_that_can_not_be_used_is_named(
    write: Write, tmp_path: Path, content: bytes, message: str
) -> None:
    (tmp_path / "schema.json").write_bytes(content)
    with pytest.raises(ManifestError) as wrong:
        load(write(entry("output_schema: schema.json")))
    assert str(wrong.value).startswith(f"{tmp_path}/migd.yaml:5: capabilities[0].output_schema: ")
    assert message in str(wrong.value)


def test_a_schema_file_may_be_yaml(write: Write, tmp_path: Path) -> None:
    (tmp_path / "schema.yaml").write_text("type: object\nrequired: [a]\n")
    found = only_other(load(write(entry("output_schema: schema.yaml"))))
    assert found.output_schema == {"type": "object", "required": ["a"]}


@pytest.mark.parametrize(
    ("module", "name", "message"),
    [
        ("bad_syntax", "def (:", r"importing bad_syntax failed: SyntaxError: "),
        (
            "bad_import",
            "import no_such_thing_at_all",
            r"importing bad_import failed: ModuleNotFoundError: .*bad_import\.py:1",
        ),
        ("bad_value", "\n\nint('x')", r"importing bad_value failed: ValueError: .*bad_value\.py:3"),
        (
            "bad_capability",
            "from migd.capability import capability\n@capability(id='a.b')\nasync def f(x: str) -> dict: 1\n",
            r"importing bad_capability failed: TypeError: str is not a JSON object.*bad_capability\.py:2",
        ),
    ],
)
def test_a_module_that_does_not_import_says_where_it_went_wrong(
    write: Write, tmp_path: Path, module: str, name: str, message: str
) -> None:
    (tmp_path / f"{module}.py").write_text(name)
    with pytest.raises(ManifestError, match=rf"migd\.yaml:3: capabilities\[0\]\.python: {message}"):
        load(write(f"migd: 1\ncapabilities:\n  - python: {module}:f"))


def test_a_name_that_is_no_capability_is_refused(write: Write, tmp_path: Path) -> None:
    (tmp_path / "mixed_capability.py").write_text(PYTHON_MODULE.format(name="shout"))
    with pytest.raises(ManifestError, match='has no shoot; did you mean "shout"'):
        load(write("migd: 1\ncapabilities:\n  - python: mixed_capability:shoot"))
    with pytest.raises(
        ManifestError, match='"mixed_capability:plain" is a int, not a capability: decorate it'
    ):
        load(write("migd: 1\ncapabilities:\n  - python: mixed_capability:plain"))
