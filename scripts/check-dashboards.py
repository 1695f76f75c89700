#!/usr/bin/env python3
"""Checks Grafana's dashboards without Grafana.

  check-dashboards.py [--promtool CMD] [--prometheus URL] [--metrics URL_OR_FILE ...] [--list]
  check-dashboards.py --queries

Always: the dashboards are what grafana/source makes; each panel has unit, description, thresholds, links and a
place of its own; each variable is defined, each query parses, each link to a runbook leads to a heading; each metric
of ours that is used has its section in docs/runbooks/monitoring.md, and the queries there parse, too.
--prometheus: each query returns data there, but for panels that need something that may be absent.
--metrics:    each metric of ours that is used is among those that these pages show, and each shown has its section.
--list:       prints the names of the metrics that are used.
--queries:    checks nothing, and prints every query with the place where it stands, as JSON.

The exit status is 1 if something is wrong. Needs promtool (Debian: prometheus) and nothing else.
"""

import argparse
import json
import re
import shlex
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MONITORING = ROOT / "docs/runbooks/monitoring.md"
#: What Grafana puts in place of its own variables.
BUILT_IN = {"__rate_interval": "1m", "__interval": "15s", "__range": "1h"}
#: Metrics that Microblog makes itself; the others come from exporters, or from Prometheus.
OURS = re.compile(r"\b(?:microblog|process)_[a-z0-9_]+")
OF_HISTOGRAM = re.compile(r"_(?:bucket|sum|count)$")


@dataclass(frozen=True)
class Expression:
    where: str
    text: str
    may_be_empty: bool


class Findings(list):
    def expect(self, holds, where, what):
        if not holds:
            self.append(f"{where}: {what}")


def main():
    options = arguments()
    if options.queries:
        print_queries()
        return
    findings = Findings()
    findings.expect(is_generated(), "grafana/dashboards", "not what grafana/source makes; run grafana/source/generate.py")
    dashboards = read_dashboards()
    findings.expect(len(dashboards) == 4, "grafana/dashboards", f"{len(dashboards)} dashboards instead of 4")
    guide = MONITORING.read_text("utf-8")
    for name, dashboard in dashboards.items():
        check_dashboard(name, dashboard, headings(guide), findings)
    check_unique([d["uid"] for d in dashboards.values()], "grafana/dashboards", "uid", findings)

    shown = [e for name, dashboard in dashboards.items() for e in expressions(name, dashboard)]
    check_syntax([*shown, *guide_queries(guide)], options.promtool, findings)
    used = metrics_of(shown)
    check_sections(used, guide, findings)
    if options.metrics:
        check_exposed(used, guide, options.metrics, findings)
    if options.prometheus:
        check_data(shown, options.prometheus, findings)
    if options.list:
        print("\n".join(sorted(used)))
    for finding in findings:
        print(finding, file=sys.stderr)
    print(f"{len(dashboards)} dashboards, {len(shown)} queries, {len(used)} metrics of ours, {len(findings)} mistakes")
    sys.exit(bool(findings))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--promtool", default="promtool", metavar="CMD")
    parser.add_argument("--prometheus", metavar="URL")
    parser.add_argument("--metrics", metavar="URL_OR_FILE", nargs="+", default=[])
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--queries", action="store_true")
    return parser.parse_args()


def read_dashboards():
    return {path.name: json.loads(path.read_text("utf-8")) for path in sorted((ROOT / "grafana/dashboards").glob("*.json"))}


def print_queries():
    shown = [e for name, dashboard in read_dashboards().items() for e in expressions(name, dashboard)]
    print(json.dumps([[e.where, e.text] for e in [*shown, *guide_queries(MONITORING.read_text("utf-8"))]]))


def is_generated():
    generate = [sys.executable, "-B", ROOT / "grafana/source/generate.py", "--check"]
    return subprocess.run(generate, check=False, capture_output=True).returncode == 0


def check_dashboard(name, dashboard, anchors, findings):
    for key in ("uid", "title", "description", "schemaVersion", "tags", "timezone"):
        findings.expect(dashboard.get(key), name, f"no {key}")
    findings.expect("id" not in dashboard and "version" not in dashboard, name, "id and version belong to Grafana's database")
    found = {variable["name"] for variable in dashboard["templating"]["list"]}
    findings.expect({"datasource", "namespace", "instance"} <= found, name, f"variables are missing; there are {sorted(found)}")
    releases = [a for a in dashboard["annotations"]["list"] if "release_activated" in a.get("expr", "")]
    findings.expect(releases, name, "releases are no annotations")
    panels = dashboard["panels"]
    check_unique([panel["id"] for panel in panels], name, "panel id", findings)
    check_unique([panel["title"] for panel in panels if panel["type"] != "row"], name, "panel title", findings)
    check_places(name, panels, findings)
    for panel in panels:
        if panel["type"] != "row":
            check_panel(f"{name}, {panel['title']!r}", panel, anchors, findings)
    for expression in expressions(name, dashboard):
        findings.expect("$" not in expression.text, expression.where, f"unknown variable in {expression.text}")


def check_panel(where, panel, anchors, findings):
    defaults = panel["fieldConfig"]["defaults"]
    findings.expect(defaults.get("unit"), where, "no unit")
    findings.expect(len(defaults["thresholds"]["steps"]) > 1, where, "no thresholds")
    description = panel.get("description", "")
    says_normal = re.search(r"\bNormal:|\bobjective:", description)
    findings.expect(says_normal, where, "the description does not say what is normal")
    findings.expect(len(description) < 600, where, "the description is too long for three in the morning")
    findings.expect(panel.get("targets"), where, "no query")
    for target in panel.get("targets", []):
        findings.expect((target.get("datasource") or {}).get("uid") == "${datasource}", where, "a data source of its own")
    links = {link["title"]: link["url"] for link in panel.get("links", [])}
    findings.expect({"Runbook", "Logs"} <= links.keys(), where, "links to runbook or logs are missing")
    anchor = links.get("Runbook", "").partition("#")[2]
    findings.expect(anchor in anchors, where, f"{MONITORING.name} has no heading for #{anchor}")


def check_places(name, panels, findings):
    taken = {}
    for panel in panels:
        place = panel["gridPos"]
        findings.expect(place["x"] + place["w"] <= 24, name, f"{panel['title']!r} leaves the grid")
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                other = taken.setdefault((x, y), panel["title"])
                if other != panel["title"]:
                    findings.append(f"{name}: {panel['title']!r} lies over {other!r}")
                    return


def check_unique(values, where, what, findings):
    for value in {value for value in values if values.count(value) > 1}:
        findings.append(f"{where}: {what} {value!r} is used twice")


def expressions(name, dashboard):
    """Queries of panels and annotations, with variables filled in as for All."""
    variables = {variable["name"]: variable.get("allValue", "") for variable in dashboard["templating"]["list"]}
    for panel in dashboard["panels"]:
        may_be_empty = "\n\nNeeds " in panel.get("description", "")
        for target in panel.get("targets", []):
            yield Expression(f"{name}, {panel['title']!r}", fill(target["expr"], variables), may_be_empty)
    for annotation in dashboard["annotations"]["list"]:
        if "expr" in annotation:
            yield Expression(f"{name}, annotation {annotation['name']!r}", fill(annotation["expr"], variables), True)
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            series = variable["query"]["query"].removeprefix("label_values(").rpartition(",")[0]
            yield Expression(f"{name}, variable {variable['name']!r}", fill(series, variables), False)


def fill(expr, variables):
    """Grafana puts values in place of `$name` and `${name}`."""
    for name, value in {**variables, **BUILT_IN}.items():
        expr = re.sub(rf"\$(?:{name}\b|\{{{name}\}})", value, expr)
    return expr


def guide_queries(guide):
    for text in re.findall(r"^```promql\n(.*?)^```", guide, re.DOTALL | re.MULTILINE):
        yield Expression(MONITORING.name, text.strip(), True)


def check_syntax(expressions_, promtool, findings):
    rules = [{"record": f"query:{i}", "expr": e.text} for i, e in enumerate(expressions_)]
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        json.dump({"groups": [{"name": "queries", "rules": rules}]}, file)
        file.flush()
        try:
            run = subprocess.run([*shlex.split(promtool), "check", "rules", file.name], check=False, capture_output=True, text=True)
        except FileNotFoundError:
            sys.exit(f"{promtool} is missing; on Debian: apt-get install prometheus")
    if run.returncode == 0:
        return
    told = run.stdout + run.stderr
    for number, reason in re.findall(r"\"?query:(\d+)\"?[^\n]*?((?:could not parse|parse error)[^\n]*)", told) or [(None, told)]:
        where, text = (expressions_[int(number)].where, expressions_[int(number)].text) if number else ("promtool", "")
        findings.append(f"{where}: {reason.strip()} {text}")


def headings(guide):
    """Anchors of a Markdown page, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", guide, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def metrics_of(shown):
    names = {name for e in shown for name in OURS.findall(re.sub(r'"[^"]*"', '""', e.text))}
    return {OF_HISTOGRAM.sub("", name) for name in names}


def check_sections(used, guide, findings):
    for name in sorted(used - headings(guide)):
        findings.append(f"{MONITORING.name}: no section for {name}, which a dashboard uses")


def check_exposed(used, guide, sources, findings):
    exposed = {name for source in sources for name in exposed_at(source)}
    optional = {name for name in headings(guide) if is_optional(name, guide)}
    for name in sorted(used - exposed - optional):
        findings.append(f"{name}: used by a dashboard, but shown by none of {' '.join(sources)}")
    for name in sorted(name for name in exposed - headings(guide) if OURS.fullmatch(name)):
        findings.append(f"{MONITORING.name}: no section for {name}, which a process shows")


def exposed_at(source):
    text = read(source) if source.startswith("http") else Path(source).read_text("utf-8")
    return re.findall(r"^# TYPE (\S+)", text, re.MULTILINE)


def is_optional(name, guide):
    """Whether the section says that the metric is only there when something else is."""
    section = re.search(rf"^#+ `?{name}`?\n(.*?)(?=^#|\Z)", guide, re.DOTALL | re.MULTILINE)
    return bool(section and re.search(r"\bOnly (?:with|where|when|while|after)\b", section[1]))


def check_data(shown, prometheus, findings):
    for e in shown:
        url = f"{prometheus.rstrip('/')}/api/v1/query?{urllib.parse.urlencode({'query': e.text})}"
        answer = json.loads(read(url))
        findings.expect(answer["status"] == "success", e.where, f"{answer.get('error')} in {e.text}")
        has_data = answer["status"] != "success" or answer["data"]["result"]
        findings.expect(has_data or e.may_be_empty, e.where, f"no data for {e.text}")


def read(url):
    """The body of an answer; Prometheus tells mistakes in the bodies of 4xx."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.read().decode()
    except OSError as error:
        sys.exit(f"{url}: {error}")


if __name__ == "__main__":
    main()
