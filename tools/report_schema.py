"""Prints the JSON Schema of what mig-conformance writes, for its file beside the model.

tools/report_schema.py report > .../report/report.schema.json
tools/report_schema.py matrix > .../selfproof/matrix.schema.json
"""

from __future__ import annotations

import json
import sys

from mig_conformance.report import as_json
from mig_conformance.selfproof import matrix

_SCHEMAS = {"report": as_json.schema_of_model, "matrix": matrix.schema_of_model}


def main() -> None:
    print(json.dumps(_SCHEMAS[sys.argv[1]](), indent=2))


if __name__ == "__main__":
    main()
