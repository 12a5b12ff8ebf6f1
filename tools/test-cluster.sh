#!/bin/sh
# Runs jobs on clusters on this machine, kills what can be killed, and checks that every
# picture has its row once: tools/test-cluster.sh [--short]
#
# --short is what "make test" runs: a small job on this machine, and on Spark without kills.
# Spark is looked for in $SPARK_HOME, then as the Python package pyspark; what isn't there is
# skipped with a message. Nothing that is started outlives this script.
set -eu
GAZE_ROOT=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$GAZE_ROOT/tools/env.sh"
cd "$GAZE_ROOT"
short=
[ "${1:-}" = --short ] && short=1

skip() { printf 'cluster: %s skipped: %s\n' "$1" "$2" >&2; }

# spark_home prints Spark's folder, or why it isn't used.
spark_home() {
  if ! command -v java >/dev/null; then
    echo 'java is not installed' && return 1
  fi
  home=${SPARK_HOME:-$(python3 -c 'import os, pyspark; print(os.path.dirname(pyspark.__file__))' 2>/dev/null || true)}
  if [ ! -x "$home/bin/spark-class" ]; then
    # The words in quotes are for people.
    # shellcheck disable=SC2016
    echo 'there is no Spark: install it (pip install pyspark==4.0.1), and set $SPARK_HOME if another Python has it' && return 1
  fi
  printf '%s\n' "$home"
}

# cluster ENGINE FLAG... runs a test.
cluster() { python3 tools/cluster/test.py "$@"; }

# The programs are built here, so that those of set-up stay as they are.
programs=$(mktemp -d)
trap 'rm -rf "$programs"' EXIT
go build -o "$programs/gaze" ./cmd/gaze

if [ "$short" ]; then
  cluster local --gaze "$programs/gaze" --pictures 1000 --shard 20
else
  cluster local --gaze "$programs/gaze"
fi

if home=$(spark_home); then
  (cd spark && go vet . && go test . && go build -o "$programs/gaze-spark" .)
  if [ "$short" ]; then
    cluster spark --gaze "$programs/gaze" --spark-home "$home" --pictures 1000 --no-kills
  else
    cluster spark --gaze "$programs/gaze" --spark-home "$home"
  fi
else
  skip spark "$home"
fi
[ "$short" ] && exit 0

(cd tools/k8s && go test ./...)
if PATH="$PATH:/usr/sbin" command -v slurmctld >/dev/null && command -v munge >/dev/null; then
  cluster slurm --gaze "$programs/gaze"
else
  skip slurm 'it is not installed (apt-get install slurm-wlm munge)'
fi
