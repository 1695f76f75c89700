"""Expressions that several panels share, so that one number is the same wherever it is shown."""

from model import INSTANCE, SERVICE

#: Requests of people and programs; probes and scrapes answer 503 on purpose and are left out.
ASKED = f'route!~"/health.*|/metrics",{INSTANCE}'
#: Prometheus 3 writes whole numbers as 1.0, earlier ones as 1.
ONE_SECOND = 'le=~"1|1[.]0"'


def failed_ratio(window):
    """The share of requests that the service failed to answer; nothing if nobody asked."""
    total = f"sum(rate(microblog_http_requests_total{{{ASKED}}}[{window}]))"
    failed = f'sum(rate(microblog_http_requests_total{{status=~"5..",{ASKED}}}[{window}]))'
    return f"({failed} or 0 * {total}) / ({total} > 0)"


def burn_rate(window):
    """How many times faster than allowed the 0.1 % of requests that may fail in 30 days are used up."""
    return f"({failed_ratio(window)}) / 0.001"


def late_ratio(window):
    """The share of edits that took more than a second to be live; nothing if there was none."""
    total = f"sum(increase(microblog_publish_to_live_seconds_count{{{INSTANCE}}}[{window}]))"
    in_time = f"sum(increase(microblog_publish_to_live_seconds_bucket{{{ONE_SECOND},{INSTANCE}}}[{window}]))"
    return f"1 - {in_time} / ({total} > 0)"


def quantile(share, metric, window, by="", selector=INSTANCE):
    """What this share of the values stays under; nothing, instead of not-a-number, if there were none."""
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({share}, sum by ({labels}) (rate({metric}_bucket{{{selector}}}[{window}]))) >= 0"


def request_quantile(share, window, by=""):
    return quantile(share, "microblog_http_request_duration_seconds", window, by, ASKED)


def publish_quantile(share, window):
    return quantile(share, "microblog_publish_to_live_seconds", window)


def known(metric, by="", selector=SERVICE):
    """A number that each process reads from the database: the same, whichever tells it."""
    labels = f"namespace, {by}" if by else "namespace"
    return f"max by ({labels}) ({metric}{{{selector}}})"


def last_build_failed():
    """1 where a build was given up and none has succeeded since, else 0; also where none ever failed, or ever succeeded."""
    failed = known("microblog_last_build_failure_timestamp_seconds")
    succeeded = known("microblog_last_build_success_timestamp_seconds")
    return f"{failed} > bool ({succeeded} >= 0 or 0 * {failed})"


def unfinished_builds():
    """Those given up are no part of it: they are counted for 90 days, whatever was built since."""
    return known("microblog_jobs", "state", f'state!="dead",{SERVICE}')


def total(metric, window, by="", selector=INSTANCE):
    """By how much a counter of all processes grew."""
    labels = f" by ({by})" if by else ""
    return f"sum{labels} (increase({metric}{{{selector}}}[{window}]))"


def per_second(metric, by="", selector=INSTANCE):
    labels = f" by ({by})" if by else ""
    return f"sum{labels} (rate({metric}{{{selector}}}[$__rate_interval]))"
