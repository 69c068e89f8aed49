"""Print docs/CONFIGURATION.md, which is written from the settings table in migd.setting_rows.

    .venv/bin/python tools/settings_reference.py > docs/CONFIGURATION.md

A test compares the file with what this prints.
"""

from __future__ import annotations

from migd.setting_rows import SETTINGS, Setting

_HEAD = """\
<!-- Written by tools/settings_reference.py from runtime/migd/setting_rows.py. Do not edit. -->
# Configuration

Every setting is a variable of the environment. An empty value is an absent one. Two have an option of
`migd` as well, which wins over the variable. A variable that begins with `MIGD_` and is none of these is a
warning in the log.

This shows them all with their present values, secrets excepted:

```bash
migd config
```

```text
MIGD_ADDR=:8080
    …
…
```

`migd check` reads them and the `migd.yaml` without starting anything; how a `migd.yaml` is written is in
[CAPABILITIES.md](CAPABILITIES.md). A value that cannot be used stops the start, with exit status 2 and one
line that names the variable:

```bash fails
MIGD_SHUTDOWN_GRACE_S=forever migd
```

```text
migd: MIGD_SHUTDOWN_GRACE_S='forever' is not usable: expected a number from 0 to 3600
```

| variable | default | | takes |
|---|---|---|---|"""


def main() -> None:
    print(_HEAD)
    for setting in SETTINGS:
        print(_row(setting))


def _row(setting: Setting) -> str:
    default = f"`{setting.default}`" if setting.default else "not set"
    about = setting.about
    if setting.flag:
        about += f" Also `{setting.flag}`."
    if setting.secret:
        about += " Never shown."
    unit = f" ({setting.kind.unit})" if setting.kind.unit else ""
    return f"| `{setting.variable}` | {default} | {about} | {setting.kind.allowed}{unit} |"


if __name__ == "__main__":
    main()
