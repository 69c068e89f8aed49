"""Prints the JSON Schema of a conformance report: tools/report_schema.py > .../report/report.schema.json."""

from __future__ import annotations

import json

from mig_conformance.report.as_json import schema_of_model


def main() -> None:
    print(json.dumps(schema_of_model(), indent=2))


if __name__ == "__main__":
    main()
