"""The parts that dashboards are made of, and their form in Grafana's JSON.

Owns layout, links, variables and annotations, which are the same on every dashboard. What is shown stands in
the module of each dashboard. Start at `Dashboard.to_json`.
"""

import zlib
from dataclasses import dataclass, field

from links import LOGS, RUNBOOKS

#: The form of Grafana 11.0; later ones read it and bring it up to date by themselves.
SCHEMA_VERSION = 39
COLUMNS = 24
PROMETHEUS = {"type": "prometheus", "uid": "${datasource}"}

#: The jobs under which Prometheus scrapes Microblog itself, as prometheus/prometheus.yml calls them.
JOBS = "api|builder|microblog"
#: What one process tells. Matches those without a namespace (compose, a VPS), too.
INSTANCE = 'namespace=~"$namespace",instance=~"$instance"'
#: What every process would tell alike, because the database knows it: to be aggregated by max, never by sum.
SERVICE = 'namespace=~"$namespace"'


@dataclass(frozen=True)
class Limits:
    """Where normal ends: colours from a value on, upwards."""

    steps: tuple[tuple[float | None, str], ...]

    @classmethod
    def above(cls, warn, alarm):
        """More is worse."""
        return cls(((None, "green"), (warn, "orange"), (alarm, "red")))

    @classmethod
    def below(cls, warn, alarm):
        """Less is worse."""
        return cls(((None, "red"), (alarm, "orange"), (warn, "green")))

    @classmethod
    def zero(cls):
        """Anything but 0 is wrong."""
        return cls(((None, "green"), (1, "red")))

    @classmethod
    def one(cls):
        """Anything but 1 is wrong."""
        return cls(((None, "red"), (1, "green")))

    @classmethod
    def notice(cls, level):
        """No value is wrong, but from here on it is worth a look."""
        return cls(((None, "green"), (level, "blue")))

    def to_json(self):
        return {"mode": "absolute", "steps": [{"color": color, "value": value} for value, color in self.steps]}


@dataclass(frozen=True)
class Query:
    expr: str
    legend: str = ""

    def to_json(self, ref, kind):
        instant = kind in ("stat", "table", "bargauge")
        return {
            "datasource": PROMETHEUS,
            "editorMode": "code",
            "expr": self.expr,
            "format": {"table": "table", "heatmap": "heatmap"}.get(kind, "time_series"),
            "instant": instant,
            "legendFormat": "{{le}}" if kind == "heatmap" else self.legend,
            "range": not instant,
            "refId": ref,
        }


@dataclass(frozen=True)
class Panel:
    """One panel. `help` says what is shown and what is normal; `runbook` is a heading of docs/runbooks/monitoring.md."""

    kind: str
    title: str
    unit: str
    queries: tuple[Query, ...]
    help: str
    limits: Limits
    runbook: str
    width: int
    needs: str = ""
    most: float | None = None
    names: dict = field(default_factory=dict)
    columns: dict = field(default_factory=dict)
    stacked: bool = False
    nothing: str = "–"

    def to_json(self, dashboard, place):
        made = {
            "id": zlib.crc32(f"{dashboard}/{self.title}".encode()) % 1_000_000,
            "type": self.kind,
            "title": self.title,
            "description": self.description(),
            "gridPos": place,
            "datasource": PROMETHEUS,
            "links": self.links(),
            "fieldConfig": {"defaults": self.defaults(), "overrides": []},
            "options": OPTIONS[self.kind],
            "targets": [query.to_json(chr(ord("A") + i), self.kind) for i, query in enumerate(self.queries)],
        }
        if self.columns:
            made["transformations"] = arrange(self.columns)
        return made

    def description(self):
        return f"{self.help}\n\nNeeds {self.needs}." if self.needs else self.help

    def links(self):
        return [
            link("Runbook", f"${{runbooks}}/monitoring.md#{self.runbook}"),
            link("Logs", "${logs}"),
        ]

    def defaults(self):
        made = {"unit": self.unit, "noValue": self.nothing, "thresholds": self.limits.to_json()}
        made |= {"color": {"mode": "palette-classic" if self.kind == "timeseries" else "thresholds"}}
        made |= {"mappings": [value_names(self.names)] if self.names else []}
        made |= {"min": 0, "max": self.most} if self.most is not None else {}
        if self.kind == "timeseries":
            made |= {"min": 0, "custom": line(self.stacked)}
        return made


@dataclass(frozen=True)
class Row:
    title: str
    height: int
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Dashboard:
    uid: str
    title: str
    help: str
    rows: tuple[Row, ...]

    def to_json(self):
        return {
            "uid": self.uid,
            "title": self.title,
            "description": self.help,
            "tags": ["microblog"],
            "schemaVersion": SCHEMA_VERSION,
            "editable": True,
            "graphTooltip": 1,
            "refresh": "30s",
            "time": {"from": "now-1h", "to": "now"},
            "timezone": "utc",
            "links": [other_dashboards()],
            "annotations": {"list": annotations()},
            "templating": {"list": variables()},
            "panels": list(self.placed()),
        }

    def placed(self):
        """Rows from top to bottom; panels from left to right, in as many lines as they need."""
        y = 0
        for row in self.rows:
            yield heading(self.uid, row.title, y)
            x, y = 0, y + 1
            for panel in row.panels:
                if x + panel.width > COLUMNS:
                    x, y = 0, y + row.height
                yield panel.to_json(self.uid, {"x": x, "y": y, "w": panel.width, "h": row.height})
                x += panel.width
            y += row.height


OPTIONS = {
    "stat": {
        "colorMode": "background",
        "graphMode": "none",
        "justifyMode": "center",
        "orientation": "auto",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "textMode": "auto",
    },
    "timeseries": {
        "legend": {"calcs": ["lastNotNull", "max"], "displayMode": "table", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
    "table": {"cellHeight": "sm", "showHeader": True},
    "bargauge": {
        "displayMode": "basic",
        "orientation": "horizontal",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "showUnfilled": True,
    },
    "state-timeline": {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "mergeValues": True,
        "rowHeight": 0.8,
        "showValue": "never",
        "tooltip": {"mode": "single"},
    },
    "heatmap": {
        "calculate": False,
        "cellGap": 1,
        "color": {"mode": "scheme", "scheme": "Oranges", "steps": 64},
        "legend": {"show": True},
        "tooltip": {"mode": "single", "yHistogram": False},
        "yAxis": {"axisPlacement": "left", "unit": "s"},
    },
}


def line(stacked):
    return {
        "drawStyle": "line",
        "fillOpacity": 30 if stacked else 8,
        "lineWidth": 1,
        "showPoints": "never",
        "spanNulls": False,
        "stacking": {"group": "A", "mode": "normal" if stacked else "none"},
        "thresholdsStyle": {"mode": "dashed"},
    }


def value_names(names):
    """What is shown in place of a value."""
    options = {str(value): {"index": i, "text": text} for i, (value, text) in enumerate(names.items())}
    return {"type": "value", "options": options}


def arrange(columns):
    """Shows these columns of a table in this order, under these names, and no others."""
    order = {name: i for i, name in enumerate(columns)}
    return [
        {"id": "filterFieldsByName", "options": {"include": {"names": list(columns)}}},
        {"id": "organize", "options": {"excludeByName": {}, "indexByName": order, "renameByName": columns}},
    ]


def heading(dashboard, title, y):
    number = zlib.crc32(f"{dashboard}//{title}".encode()) % 1_000_000
    return {
        "id": number,
        "type": "row",
        "title": title,
        "collapsed": False,
        "gridPos": {"x": 0, "y": y, "w": COLUMNS, "h": 1},
        "panels": [],
    }


def link(title, url):
    return {"title": title, "url": url, "targetBlank": True}


def other_dashboards():
    return {
        "type": "dashboards",
        "title": "Microblog",
        "tags": ["microblog"],
        "asDropdown": False,
        "icon": "dashboard",
        "includeVars": True,
        "keepTime": True,
        "targetBlank": False,
        "tooltip": "",
        "url": "",
    }


def annotations():
    return [
        {
            "name": "Annotations",
            "builtIn": 1,
            "datasource": {"type": "grafana", "uid": "-- Grafana --"},
            "enable": True,
            "hide": True,
            "iconColor": "rgba(0, 211, 255, 1)",
            "type": "dashboard",
        },
        annotation(
            "Site releases",
            f"max by (namespace) (microblog_release_activated_timestamp_seconds{{{SERVICE}}}) * 1000 > 0",
            "green",
            "A release of the site went live",
        )
        | {"useValueForTime": "on"},
        annotation(
            "New versions",
            f"count by (service, version, revision) (microblog_build_info{{{SERVICE}}})"
            f" unless count by (service, version, revision) (microblog_build_info{{{SERVICE}}} offset 2m)",
            "purple",
            "{{service}} {{version}} ({{revision}}) started",
        ),
        annotation(
            "Alerts",
            f'ALERTS{{alertstate="firing",severity=~"critical|warning",{SERVICE}}}',
            "red",
            "{{alertname}} {{instance}}",
        ),
    ]


def annotation(name, expr, color, title):
    return {
        "name": name,
        "datasource": PROMETHEUS,
        "enable": True,
        "expr": expr,
        "iconColor": color,
        "step": "30s",
        "titleFormat": title,
    }


def variables():
    return [
        {
            "name": "datasource",
            "label": "Prometheus",
            "type": "datasource",
            "query": "prometheus",
            "current": {},
            "hide": 0,
        },
        # From `up`, since a process that has been down for hours tells nothing else.
        of_label("namespace", "Namespace", f'up{{job=~"{JOBS}"}}', ".*"),
        of_label("job", "Job", f'up{{job=~"{JOBS}",{SERVICE}}}', JOBS),
        of_label("instance", "Instance", f'up{{job=~"$job",{SERVICE}}}', ".*"),
        constant("runbooks", RUNBOOKS),
        constant("logs", LOGS),
    ]


def of_label(name, label, series, everything):
    """The values of a label, and a pattern for all of them; `.*` also fits who lacks the label."""
    query = f"label_values({series}, {name})"
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": PROMETHEUS,
        "query": {"qryType": 1, "query": query, "refId": name},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": everything,
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
        "hide": 0,
    }


def constant(name, value):
    return {"name": name, "type": "constant", "query": value, "hide": 2, "skipUrlSync": True}
