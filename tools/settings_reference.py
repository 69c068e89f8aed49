"""Print docs/CONFIGURATION.md, which is written from the settings table in migd.setting_rows.

    .venv/bin/python tools/settings_reference.py > docs/CONFIGURATION.md

A test compares the file with what this prints.
"""

from __future__ import annotations

from migd.setting_rows import SETTINGS, Setting

_HEAD = """\
<!-- Written by tools/settings_reference.py from runtime/migd/setting_rows.py. Do not edit. -->
# Configuration

Every setting can be said in three places. The first of them that says something wins:

1. an option of `migd`, such as `--max-depth 16`; `migd --help-all` lists them. Secrets have none: every user
   of a machine can read its command lines;
2. a variable of the environment, such as `MIGD_MAX_DEPTH=16`;
3. a key of `settings` in the [`migd.yaml`](CAPABILITIES.md#settings), which is the variable without `MIGD_`
   and in lower case: `max_depth: 16`. MIGD_CONFIG, which says where that file is, can not be in it;

and where none does, the default holds. An empty value is an absent one. A variable that begins with `MIGD_`
and is none of these is a warning in the log. How that goes, and what SIGHUP does, is in the
[user guide](USER-GUIDE.md#configuration).

A value that cannot be used stops the start, with exit status 2 and one line that names the place:

```bash fails
MIGD_SHUTDOWN_GRACE_S=forever migd
```

```text
migd: MIGD_SHUTDOWN_GRACE_S='forever' is not usable: expected a number from 0 to 3600
```

`reload` says what becomes of another value in the `migd.yaml` of a gateway that runs: with `yes` it holds
from SIGHUP on, and the others take a restart. What is in a file that a setting names, a certificate for
instance, is read again at SIGHUP all the same.

| variable | default | | takes | reload |
|---|---|---|---|---|"""


def main() -> None:
    print(_HEAD)
    for setting in SETTINGS:
        print(_row(setting))


def _row(setting: Setting) -> str:
    default = f"`{setting.default}`" if setting.default else "not set"
    about = setting.about
    if setting.secret:
        about += " Never shown; no option."
    reload = "yes" if setting.reloads else "restart"
    unit = f" ({setting.kind.unit})" if setting.kind.unit else ""
    return f"| `{setting.variable}` | {default} | {about} | {setting.kind.allowed}{unit} | {reload} |"


if __name__ == "__main__":
    main()
