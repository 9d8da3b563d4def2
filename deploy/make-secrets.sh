#!/bin/sh
# Makes the random secrets of docker-compose.yml in ./secrets, once: what is there is kept. Needs nothing but a POSIX shell, so that
# it works before anything is installed or built.
#
# The folder is closed to everybody else on this machine. The files in it can be read by all, because Docker mounts them as they are
# and each service runs as a user of its own.
set -eu
cd "$(dirname "$0")/.."
umask 077
mkdir -p secrets
chmod 700 secrets

random() { LC_ALL=C tr -dc 'A-Za-z0-9' </dev/urandom | head -c "${1:-40}"; }

keep() { # NAME TEXT
  if [ -e "secrets/$1" ]; then
    echo "kept secrets/$1"
  else
    printf '%s' "$2" >"secrets/$1.new"
    chmod 644 "secrets/$1.new"
    mv "secrets/$1.new" "secrets/$1"
    echo "made secrets/$1"
  fi
}

keep influx_password "$(random)"
keep influx_admin_token "$(random 64)"
keep grafana_password "$(random 24)"
keep postgres_password "$(random)"
keep state_url "postgres://quantrac:$(cat secrets/postgres_password)@postgres:5432/quantrac"
# The mail catcher of the demo; put your mail server here: smtps://user:password@host:465
keep smtp_url 'smtp://mail:1025'
