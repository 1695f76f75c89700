#!/bin/sh
# Installs the Debian packages that are named, as root. No server of the machine's own comes about: the tests start theirs.
set -eu
export DEBIAN_FRONTEND=noninteractive

# Read by PostgreSQL's packages, which otherwise make a database server and start it. It stays: it does nothing to servers
# that are there, and without it the next version would bring one.
settings=/etc/postgresql-common/createcluster.d
mkdir -p "$settings"
echo "create_main_cluster = false" >"$settings/microblog-tests.conf"

# Asked by Debian's packages whether they may start what they bring. A policy that is there already stays.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 130' INT TERM
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi

apt-get update --quiet
apt-get install --quiet --yes --no-install-recommends "$@"
