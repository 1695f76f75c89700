"""Rate, errors and duration of requests by route, and how close the API is to its limits."""

from model import INSTANCE, Dashboard, Limits, Panel, Query, Row
from queries import ASKED, failed_ratio, per_second, request_quantile, total

REQUESTS = "microblog_http_requests_total"
DURATION = "microblog_http_request_duration_seconds"

STATE = Row(
    "Does it answer?",
    5,
    (
        Panel(
            "stat", "Requests that fail", "percentunit", (Query(failed_ratio("5m")),),
            "Share of requests answered with 5xx in five minutes. Normal: 0 %. An alert fires above 5 %.",
            Limits.above(0.001, 0.05), REQUESTS, 5, nothing="no requests",
        ),
        Panel(
            "stat", "95 % are faster than", "s", (Query(request_quantile(0.95, "5m")),),
            "In five minutes, to the head of the answer. Normal: under 0.1 s; log-ins take longer on purpose. An alert fires above 3 s.",
            Limits.above(1, 3), DURATION, 5, nothing="no requests",
        ),
        Panel(
            "stat", "Requests a second", "reqps", (Query(f"sum(rate({REQUESTS}{{{ASKED}}}[5m]))"),),
            "Without probes and scrapes. Normal: as on other days at this hour.",
            Limits.notice(200), REQUESTS, 4,
        ),
        Panel(
            "stat", "Being answered", "short", (Query(f"sum(microblog_http_requests_in_flight{{{INSTANCE}}})"),),
            "Requests under way, until the head of their answer. Normal: under 20. Growing without more requests: something is slow.",
            Limits.above(100, 500), "microblog_http_requests_in_flight", 4,
        ),
        Panel(
            "stat", "Database connections in use", "percentunit",
            (
                Query(
                    f'max(sum by (instance, pool) (microblog_db_pool_connections{{state="used",{INSTANCE}}})'
                    f" / sum by (instance, pool) (microblog_db_pool_connections_max{{{INSTANCE}}}))"
                ),
            ),
            "Of the process and purpose that use most of their own. Normal: under 50 %. At 100 % requests wait for a connection.",
            Limits.above(0.7, 0.95), "microblog_db_pool_connections", 6, most=1,
        ),
    ),
)

BY_ROUTE = Row(
    "By route",
    9,
    (
        Panel(
            "timeseries", "Rate by route", "reqps",
            (Query(f"topk(10, {per_second(REQUESTS, 'method, route', ASKED)})", "{{method}} {{route}}"),),
            "The ten routes asked for most. Normal: lists, posts and pages of the dashboard. `unmatched` is somebody who guesses addresses.",
            Limits.notice(100), REQUESTS, 8,
        ),
        Panel(
            "timeseries", "Failures by route", "reqps",
            (
                Query(
                    f"""{per_second(REQUESTS, 'method, route, status', 'status=~"5..",' + ASKED)}"""
                    f" or 0 * sum(rate({REQUESTS}{{{ASKED}}}[$__rate_interval]))",
                    "{{method}} {{route}} {{status}}",
                ),
            ),
            "Answers with 5xx. Normal: 0. 503 alone: database away or time-out. 507: disk full. 500: an error of ours; the log has its request id.",
            Limits.above(0.01, 1), REQUESTS, 8,
        ),
        Panel(
            "timeseries", "95 % by route", "s",
            (Query(f"topk(10, {request_quantile(0.95, '$__rate_interval', 'method, route')})", "{{method}} {{route}}"),),
            "The ten slowest routes. Normal: under 0.1 s; previews and uploads by their size; log-ins 0.1 to 0.5 s.",
            Limits.above(1, 3), DURATION, 8,
        ),
        Panel(
            "timeseries", "Duration of all", "s",
            (
                Query(request_quantile(0.5, "$__rate_interval"), "half"),
                Query(request_quantile(0.95, "$__rate_interval"), "95 %"),
                Query(request_quantile(0.99, "$__rate_interval"), "99 %"),
            ),
            "What half, 95 % and 99 % of the requests stay under. Normal: half under 0.01 s. All rise together: database or processor.",
            Limits.above(1, 3), DURATION, 8,
        ),
        Panel(
            "heatmap", "Duration, all requests", "reqps",
            (Query(per_second(f"{DURATION}_bucket", "le", ASKED)),),
            "How many requests a second took how long. Normal: most in the lowest bands. A new band far up is one slow route.",
            Limits.notice(1000), DURATION, 8,
        ),
        Panel(
            "timeseries", "By status", "reqps",
            (Query(per_second(REQUESTS, "status", ASKED), "{{status}}"),),
            "Normal: 200 to 304. Many 401 or 403: see the next row. 409, 412, 428: clients that do not read before they write.",
            Limits.notice(100), REQUESTS, 8, stacked=True,
        ),
    ),
)

REFUSED = Row(
    "Refused and wrong",
    8,
    (
        Panel(
            "timeseries", "Errors by kind", "short", (Query(total("microblog_errors_total", "5m", "code"), "{{code}}"),),
            "Problems answered in five minutes, by `code`. Normal: a few not_found and invalid_input. internal, unavailable, timeout: 0.",
            Limits.notice(100), "microblog_errors_total", 6,
        ),
        Panel(
            "timeseries", "Refused log-ins and tokens", "short", (Query(total("microblog_auth_failures_total", "5m"), "refused"),),
            "In five minutes. Normal: under 5, people who mistype. Tens: somebody tries passwords, or a program has an old token; "
            "the security lines of the log say from where.",
            Limits.above(10, 50), "microblog_auth_failures_total", 6,
        ),
        Panel(
            "timeseries", "Missing CSRF tokens", "short", (Query(total("microblog_csrf_rejections_total", "5m"), "refused"),),
            "In five minutes. Normal: 0; single ones are forms that were open for long. Many: an attack, or a proxy that drops cookies.",
            Limits.above(5, 50), "microblog_csrf_rejections_total", 6,
        ),
        Panel(
            "timeseries", "Too many requests", "short", (Query(total("microblog_rate_limited_total", "5m"), "refused"),),
            "Answers with 429 in five minutes. Normal: 0. All clients at once: the proxy hides their addresses.",
            Limits.above(10, 1000), "microblog_rate_limited_total", 6,
        ),
    ),
)

SATURATION = Row(
    "How full?",
    8,
    (
        Panel(
            "timeseries", "Under way by process", "short",
            (Query(f"microblog_http_requests_in_flight{{{INSTANCE}}}", "{{instance}}"),),
            "Requests being answered. Normal: under 20, equal among the processes. One far above: it hangs, or the proxy prefers it.",
            Limits.above(100, 500), "microblog_http_requests_in_flight", 6,
        ),
        Panel(
            "timeseries", "Database connections", "short",
            (
                Query(
                    f"sum by (instance, pool, state) (microblog_db_pool_connections{{{INSTANCE}}})",
                    "{{instance}} {{pool}} {{state}}",
                ),
                Query(
                    f"sum by (instance, pool) (microblog_db_pool_connections_max{{{INSTANCE}}})",
                    "{{instance}} {{pool}} at most",
                ),
            ),
            "Normal: used far below the most. Used at the most: slow statements, or a database that is away.",
            Limits.notice(100), "microblog_db_pool_connections", 6,
        ),
        Panel(
            "timeseries", "Processor by process", "percentunit",
            (Query(f'rate(process_cpu_seconds_total{{job=~"$job",{INSTANCE}}}[$__rate_interval])', "{{job}} {{instance}}"),),
            "100 % is one core. Normal: API under 10 %; builders as much as there is while they build. Log-ins cost most of all requests.",
            Limits.above(0.8, 2), "process_cpu_seconds_total", 6,
        ),
        Panel(
            "timeseries", "Open files by process", "percentunit",
            (
                Query(
                    f'process_open_fds{{job=~"$job",{INSTANCE}}} / process_max_fds{{job=~"$job",{INSTANCE}}}',
                    "{{job}} {{instance}}",
                ),
            ),
            "Share of those allowed. Normal: under 10 %. Growing for days: connections that are not closed.",
            Limits.above(0.5, 0.8), "process_open_fds", 6, most=1,
        ),
    ),
)

DASHBOARD = Dashboard(
    "microblog-api",
    "Microblog / API",
    "Rate, errors and duration of requests to API and dashboard, by route, and how close it is to its limits.",
    (STATE, BY_ROUTE, REFUSED, SATURATION),
)
