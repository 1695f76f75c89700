"""Is it healthy, are the promises kept, what changed? Read from the top left: red there is what to look at."""

from model import INSTANCE, SERVICE, Dashboard, Limits, Panel, Query, Row
from queries import (
    ASKED,
    burn_rate,
    failed_ratio,
    last_build_failed,
    late_ratio,
    per_second,
    publish_quantile,
    request_quantile,
    total,
    unfinished_builds,
)


def firing(severities):
    """Alerts that fire now."""
    return f'ALERTS{{alertstate="firing",severity=~"{severities}",{SERVICE}}}'


PROCESSES = f'up{{job=~"$job",{INSTANCE}}}'

HEALTH = Row(
    "Is it healthy?",
    4,
    (
        Panel(
            "stat", "Critical", "short",
            (Query(f"count({firing('critical')}) or vector(0)"),),
            "Alerts that page, and fire now. Normal: 0. The table below names them.",
            Limits.zero(), "alerts", 2,
        ),
        Panel(
            "stat", "Warnings", "short",
            (Query(f"count({firing('warning')}) or vector(0)"),),
            "Alerts that wait for the morning, and fire now. Normal: 0. The table below names them.",
            Limits.above(1, 10), "alerts", 2,
        ),
        Panel(
            "stat", "Processes down", "short",
            (Query(f"count({PROCESSES}) - sum({PROCESSES})"),),
            "Processes of Microblog that Prometheus can not reach. Normal: 0. Readers still have their site when it is not.",
            Limits.zero(), "up", 3,
        ),
        Panel(
            "stat", "Dependencies", "short",
            (Query(f"min by (dependency) (microblog_dependency_up{{{INSTANCE}}})", "{{dependency}}"),),
            "Whether database, broker and storage work, as the worst of all processes sees them. Normal: up. While the "
            "broker is down, edits are kept and builds start up to a second later.",
            Limits.one(), "microblog_dependency_up", 5, names={0: "down", 1: "up"},
        ),
        Panel(
            "stat", "Requests that fail", "percentunit", (Query(failed_ratio("5m")),),
            "Share of requests answered with 5xx in five minutes. Normal: 0 %. An alert fires above 5 %.",
            Limits.above(0.001, 0.05), "microblog_http_requests_total", 3, nothing="no requests",
        ),
        Panel(
            "stat", "Publish to live, slowest 1 %", "s", (Query(publish_quantile(0.99, "15m")),),
            "From the commit of an edit to its activation, in fifteen minutes. Normal: well under 1 s, which is the promise.",
            Limits.above(0.5, 1), "microblog_publish_to_live_seconds", 3, nothing="no edits",
        ),
        Panel(
            "stat", "Last build", "short", (Query(last_build_failed(), "{{namespace}}"),),
            "Whether the last build that ended was given up. Normal: well. Failed: readers keep the release before, and a person has to look.",
            Limits.zero(), "microblog_last_build_failure_timestamp_seconds", 3, names={0: "well", 1: "FAILED"},
        ),
        Panel(
            "stat", "Alerting itself", "short",
            (Query('count(ALERTS{alertname="Watchdog",alertstate="firing"}) or vector(0)'),),
            "The alert that always fires. Normal: works. Silent, nobody would be paged for anything.",
            Limits.one(), "alerts", 3, names={0: "SILENT", 1: "works"},
        ),
    ),
)

PROMISES = Row(
    "Are the promises kept?",
    8,
    (
        Panel(
            "stat", "Availability", "percentunit", (Query(f"1 - ({failed_ratio('$__range')})"),),
            "Share of requests answered without 5xx in the time shown. The objective: 99.9 % in 30 days.",
            Limits.below(0.999, 0.995), "microblog_http_requests_total", 4, nothing="no requests",
        ),
        Panel(
            "stat", "Edits live within a second", "percentunit", (Query(f"1 - ({late_ratio('$__range')})"),),
            "Share of edits in the time shown. The objective: 99 %.",
            Limits.below(0.99, 0.95), "microblog_publish_to_live_seconds", 4, nothing="no edits",
        ),
        Panel(
            "timeseries", "How fast the error budget burns", "short",
            (Query(burn_rate("5m"), "5 min"), Query(burn_rate("1h"), "1 h"), Query(burn_rate("6h"), "6 h")),
            "1 uses up exactly the 0.1 % of failures allowed in 30 days. Normal: under 1. People are paged at 14.4 over an "
            "hour and at 6 over six hours.",
            Limits.above(6, 14.4), "microblog_http_requests_total", 8,
        ),
        Panel(
            "timeseries", "Publish to live", "s",
            (
                Query(publish_quantile(0.5, "5m"), "half"),
                Query(publish_quantile(0.95, "5m"), "95 %"),
                Query(publish_quantile(0.99, "5m"), "99 %"),
            ),
            "What half, 95 % and 99 % of the edits stay under. Normal: 0.01 to 0.2 s. Gaps: nobody published.",
            Limits.above(0.5, 1), "microblog_publish_to_live_seconds", 8,
        ),
    ),
)

CHANGES = Row(
    "What is wrong, what changed?",
    8,
    (
        Panel(
            "table", "Firing alerts by name", "short",
            (Query(firing("critical|warning")),),
            "Each alert that fires and whom it is about. Normal: empty. The section of the runbook has the alert's name.",
            Limits.above(1, 2), "alerts", 8, nothing="none",
            columns={"severity": "Severity", "alertname": "Alert", "instance": "Instance", "namespace": "Namespace"},
        ),
        Panel(
            "state-timeline", "Processes", "short", (Query(PROCESSES, "{{job}} {{instance}}"),),
            "When each process could be reached. Normal: green without gaps; a short gap is a restart.",
            Limits.one(), "up", 8, names={0: "down", 1: "up"},
        ),
        Panel(
            "table", "What runs", "short",
            (Query(f"sum by (service, version, revision, instance) (microblog_build_info{{{INSTANCE}}})"),),
            "Version of each process. Normal: all have the same; two during an update.",
            Limits.notice(2), "microblog_build_info", 8,
            columns={"service": "Service", "instance": "Instance", "version": "Version", "revision": "Revision"},
        ),
    ),
)

LOAD = Row(
    "What is going on?",
    7,
    (
        Panel(
            "timeseries", "Requests", "reqps", (Query(per_second("microblog_http_requests_total", selector=ASKED), "answered"),),
            "Requests to API and dashboard; readers are served by the web server and not counted. Normal: as on other days "
            "at this hour.",
            Limits.notice(200), "microblog_http_requests_total", 6,
        ),
        Panel(
            "timeseries", "Slow requests", "s", (Query(request_quantile(0.95, "$__rate_interval"), "95 %"),),
            "What 95 % of the requests stay under. Normal: under 0.1 s. An alert fires above 3 s.",
            Limits.above(1, 3), "microblog_http_request_duration_seconds", 6,
        ),
        Panel(
            "timeseries", "Builds", "short", (Query(total("microblog_builds_total", "5m", "outcome"), "{{outcome}}"),),
            "Builds that ended, in five minutes. Normal: succeeded and superseded ones; failed: 0.",
            Limits.notice(100), "microblog_builds_total", 6, stacked=True,
        ),
        Panel(
            "timeseries", "Builds that wait", "short", (Query(unfinished_builds(), "{{state}} {{namespace}}"),),
            "Normal: at most one runs and one waits; none is retrying.",
            Limits.above(5, 20), "microblog_jobs", 6,
        ),
    ),
)

DASHBOARD = Dashboard(
    "microblog-overview",
    "Microblog / Overview",
    "Is it healthy, are the promises kept, what changed. Times are UTC, as in logs and alerts.",
    (HEALTH, PROMISES, CHANGES, LOAD),
)
