#!/bin/sh
# Copies prometheus/ with every duration divided by FACTOR (10), for tests that can not wait for hours:
#
#     scripts/shorten-prometheus.sh FOLDER [FACTOR]
#
# Intervals, windows, `for`, `offset`, how far is predicted, and Alertmanager's waits become shorter; thresholds, labels
# and texts stay. Rules are evaluated no more often than once a second, targets scraped no more often than every other
# second (a service may take one for what its database knows). Windows hold three scrapes; `for` takes one scrape longer,
# so that what a single one found fulfils none.
set -eu

to=${1:?the folder to make}
factor=${2:-10}
from=$(dirname "$0")/../prometheus
mkdir -p "$to/rules" "$to/targets"

# shellcheck disable=SC2016 # these are the variables of Perl
program='
sub ms { my ($n, $unit) = @_; $n * {ms => 1, s => 1e3, m => 6e4, h => 36e5, d => 864e5}->{$unit} }
sub short {
    my ($text, $least) = @_;
    my ($n, $unit) = $text =~ /^(\d+)(ms|s|m|h|d)$/ or die "not a duration: $text\n";
    my $short = int(ms($n, $unit) / $ENV{FACTOR});
    $short = $least if $short < $least && ms($n, $unit) > 0;
    $short . "ms";
}
sub longer { my ($text, $by) = @_; short($text, 1) + $by . "ms" }
next if /^\s*(#|summary:|description:|runbook_url:|- record:)/;
s/^(\s*(?:scrape_interval|scrape_timeout): )(\S+)/$1 . short($2, 2000)/e;
s/^(\s*evaluation_interval: )(\S+)/$1 . short($2, 1000)/e;
s/^(\s*for: )(\S+)/$1 . longer($2, 2000)/e;
s/^(\s*(?:group_wait|group_interval|repeat_interval|resolve_timeout): )(\S+)/$1 . short($2, 1)/e;
s/\[(\d+[a-z]+)\]/"[" . short($1, 7000) . "]"/ge;
s/\boffset (\d+[a-z]+)/"offset " . short($1, 1)/ge;
s/(predict_linear\(.*?, )([\d *]+)\)/"$1$2 \/ $ENV{FACTOR})"/ge;
'
for file in prometheus.yml alertmanager.yml rules/recording.yml rules/alerts.yml; do
    FACTOR=$factor perl -pe "$program" "$from/$file" >"$to/$file"
done
