#!/bin/sh
# Makes a root file system with the RabbitMQ 4 of Debian 13, to run the tests of the queue on it:
#
#     scripts/rabbitmq-4-root.sh /var/tmp/rabbitmq-4
#     MICROBLOG_TEST_RABBITMQ_ROOT=/var/tmp/rabbitmq-4 cargo test -p microblog-queue
#
# Needs root, and Debian's package debootstrap. Nothing outside of the folder is changed or started.
set -eu

root=${1:?the folder to make}
if [ -e "$root" ]; then
    echo "$root exists already; remove it, or use it as it is" >&2
    exit 1
fi
debootstrap --variant=minbase --include=rabbitmq-server trixie "$root"
chroot "$root" dpkg-query --show rabbitmq-server
