#!/usr/bin/env python3
"""Writes grafana/dashboards/*.json from the modules beside: generate.py [--check]

With --check nothing is written; the exit status is 1 if a file is not what would be written.
"""

import json
import sys
from pathlib import Path

import api
import dependencies
import overview
import publishing

TARGET = Path(__file__).resolve().parent.parent / "dashboards"
DASHBOARDS = {"overview": overview, "publishing": publishing, "api": api, "dependencies": dependencies}


def main(arguments):
    if arguments == ["--check"]:
        check()
    elif arguments:
        sys.exit(__doc__)
    else:
        for path, text in wanted():
            path.write_text(text, encoding="utf-8")


def check():
    old = [path for path, text in wanted() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in old:
        print(f"{path}: not what grafana/source makes; run grafana/source/generate.py", file=sys.stderr)
    sys.exit(bool(old))


def wanted():
    for name, module in DASHBOARDS.items():
        text = json.dumps(module.DASHBOARD.to_json(), indent=2, ensure_ascii=False)
        yield TARGET / f"{name}.json", text + "\n"


if __name__ == "__main__":
    main(sys.argv[1:])
