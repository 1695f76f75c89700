#!/bin/sh
# Checks prometheus/ with promtool and amtool (Debian: prometheus, prometheus-alertmanager): syntax, rule tests, who is
# told of what, and that alerts, tests, inhibition and runbook name the same things.
set -eu

cd "$(dirname "$0")/.."
alerts=prometheus/rules/alerts.yml
runbook=docs/runbooks/alerts.md
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "check-prometheus: $*" >&2
    exit 1
}

quietly() {
    "$@" >"$work/said" 2>&1 || { cat "$work/said" >&2; fail "failed: $*"; }
}

check_syntax() {
    quietly promtool check config "$1/prometheus.yml"
    quietly amtool check-config "$1/alertmanager.yml"
}

# goes_to RECEIVERS LABEL…: an alert with these labels goes to these receivers, in this order.
goes_to() {
    receivers=$1
    shift
    quietly amtool config routes test --config.file=prometheus/alertmanager.yml --verify.receivers="$receivers" "$@"
}

check_routes() {
    goes_to dead-mans-switch,microblog,nobody alertname=Watchdog severity=none
    goes_to nobody alertname=RecentOutage severity=none outage=database namespace=microblog
    goes_to microblog,page alertname=ServiceDown severity=critical job=api namespace=microblog
    goes_to microblog,notify alertname=LatencyHigh severity=warning namespace=microblog
    goes_to microblog,notify alertname=SomebodyElses
}

# Every alert has a test in which it fires, and a section of the runbook that its address leads to.
check_names() {
    names=$(sed -n 's/^ *- alert: //p' "$alerts" | sort -u)
    for name in $names; do
        anchor=$(echo "$name" | tr '[:upper:]' '[:lower:]')
        grep -q "alerts.md#$anchor'" "$alerts" || fail "$name has no runbook_url that ends in #$anchor"
        grep -qx "## $name" "$runbook" || fail "$runbook has no section \"## $name\""
        grep -Eq "alertname(=\"|: )$name\\b" prometheus/tests/*.yml || fail "no test lets $name fire"
    done
    alternatives=$(sed -n 's/.*alertname=~*"\([^"]*\)".*/\1/p' prometheus/alertmanager.yml | tr '|' '\n' | sort -u)
    for name in $alternatives; do
        echo "$names" | grep -qx "$name" || fail "alertmanager.yml names $name, which is no alert"
    done
    for name in $(sed -n 's/^## //p' "$runbook"); do
        echo "$names" | grep -qx "$name" || fail "$runbook has a section on $name, which is no alert"
    done
}

# Pages and panels lead to the same runbooks.
check_address() {
    address=$(sed -n 's/^RUNBOOKS = "\(.*\)"$/\1/p' grafana/source/links.py)
    grep -qx "    runbooks: $address" prometheus/prometheus.yml || fail "runbooks of prometheus.yml is not the address of grafana/source/links.py"
}

# All files at once: each keeps a processor busy for seconds.
check_tests() {
    for tests in prometheus/tests/*.yml; do
        name=$(basename "$tests")
        { promtool test rules "$tests" >"$work/$name" 2>&1 || echo failed >"$work/$name.failed"; } &
    done
    wait
    for failed in "$work"/*.failed; do
        [ -e "$failed" ] || continue
        cat "${failed%.failed}" >&2
        fail "failed: promtool test rules prometheus/tests/$(basename "$failed" .failed)"
    done
}

check_syntax prometheus
check_routes
check_address
check_names
scripts/shorten-prometheus.sh "$work/short"
check_syntax "$work/short"
check_tests
echo "prometheus/: syntax, routes, names and $(grep -c '^  - name:' prometheus/tests/*.yml | awk -F: '{ sum += $2 } END { print sum }') rule tests are in order"
