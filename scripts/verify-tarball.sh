#!/usr/bin/env bash
# Packs the project, installs what comes out as its users do, without a compiler and without a network, runs the command that
# it brings, and opens a session:
#   scripts/verify-tarball.sh
# It wants to be alone: packing builds into dist, dist-page and dist-cli.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill -KILL "$server" 2>/dev/null || true; rm -rf "$work"' EXIT

echo '== npm pack'
tarball=$work/$(npm pack --silent --pack-destination "$work" | tail -n 1)

echo '== npm i -g, without a compiler and without a registry'
# What a package would be built with is found, and fails.
mkdir "$work/bin"
for tool in cc c++ gcc g++ clang make python python3; do
  printf '#!/bin/sh\necho "%s is called" >&2\nexit 1\n' $tool >"$work/bin/$tool"
  chmod 755 "$work/bin/$tool"
done
mkdir "$work/elsewhere"
(
  cd "$work/elsewhere"
  PATH=$work/bin:$PATH npm i -g --prefix "$work/prefix" --cache "$work/cache" --offline --no-audit --no-fund \
    --loglevel=error "$tarball"
)

echo '== what is installed is what is locked'
node - "$work/prefix/lib/node_modules/trex" package-lock.json <<'SCRIPT'
const { existsSync, readFileSync, readdirSync } = require('node:fs');
const { join, relative } = require('node:path');
const [home, lock] = process.argv.slice(2);
const read = (path) => JSON.parse(readFileSync(path, 'utf8'));
const wanted = Object.entries(read(lock).packages).filter(([path, { dev }]) => path !== '' && !dev);
const packages = (folder) =>
  !existsSync(folder)
    ? []
    : readdirSync(folder)
        .filter((name) => !name.startsWith('.'))
        .flatMap((name) => (name.startsWith('@') ? readdirSync(join(folder, name)).map((one) => join(name, one)) : [name]))
        .flatMap((name) => [join(folder, name), ...packages(join(folder, name, 'node_modules'))]);
const told = (path, version) => `${path}@${version}`;
const locked = wanted.map(([path, { version }]) => told(path, version)).sort();
const there = packages(join(home, 'node_modules'))
  .map((path) => told(relative(home, path), read(join(path, 'package.json')).version))
  .sort();
require('node:assert').deepStrictEqual(there, locked);
console.log(`   ${there.length} packages`);
SCRIPT

echo '== trex serve'
trex=$work/prefix/bin/trex
[[ $("$trex" --version) == "$(node -p 'require("./package.json").version')" ]]
"$trex" --help | grep -q 'Usage:'
cat >"$work/hook.cjs" <<'SCRIPT'
process.once('SIGUSR2', () => {
  const libraries = Object.keys(require.cache).filter((path) => path.endsWith('/ws/lib/websocket-server.js'));
  console.error(`ws=${libraries.map((path) => require(path.replace('lib/websocket-server.js', 'package.json')).version)};`);
});
SCRIPT
mkdir "$work/home"
(cd "$work/elsewhere" && exec env -i PATH="$PATH" HOME="$work/home" SHELL=/bin/bash TREX_PORT=0 \
  NODE_OPTIONS="--require=$work/hook.cjs" "$trex" serve) >"$work/log" 2>&1 &
server=$!
says() {
  for _ in {1..300}; do
    if grep -q "$1" "$work/log"; then return; fi
    sleep 0.1
  done
  cat "$work/log" >&2
  return 1
}
says 'is listening on'
port=$(sed -n 's/.*is listening on http:\/\/127\.0\.0\.1:\([0-9]*\).*/\1/p' "$work/log")

node - "$port" <<'SCRIPT'
const { WebSocket } = require('ws');
setTimeout(() => {
  console.error('no session within 30 s');
  process.exit(1);
}, 30_000);
const socket = new WebSocket(`ws://127.0.0.1:${process.argv[2]}/ws`, 'trex.v1');
let printed = '';
socket.on('open', () => socket.send(JSON.stringify({ type: 'input', data: 'echo h""ello\r' })));
socket.on('message', (text) => {
  const { type, data } = JSON.parse(text);
  if (type === 'output') printed += data;
  if (printed.includes('hello')) process.exit(0);
});
SCRIPT
echo '   a session says hello'

env -i PATH="$PATH" HOME="$work/home" "$trex" new -d --url "http://127.0.0.1:$port" | grep -q '^s2$'
env -i PATH="$PATH" HOME="$work/home" "$trex" ls --url "http://127.0.0.1:$port" | grep -q '^s2 '
echo '   trex new makes one that trex ls lists'

kill -USR2 "$server"
says "^ws=$(node -p 'require("./package-lock.json").packages["node_modules/ws"].version');$"
echo '   its WebSockets are of the version that is locked'

node - "$port" <<'SCRIPT'
const { WebSocket } = require('ws');
const MIB = 1024 * 1024;
const failed = (why) => {
  console.error(why);
  process.exit(1);
};
setTimeout(failed, 60_000, 'pings are taken for a minute');
const client = new WebSocket(`ws://127.0.0.1:${process.argv[2]}/ws`, 'trex.v1');
client.on('error', () => undefined);
client.on('open', () => {
  const socket = client._socket;
  socket.pause();
  socket.once('close', () => process.exit());
  const ping = () => {
    if (socket.bytesWritten > 64 * MIB) failed('it takes whatever is sent');
    while (!socket.destroyed && socket.writableLength < MIB) client.ping(Buffer.alloc(125));
    setImmediate(ping);
  };
  ping();
});
SCRIPT
env -i PATH="$PATH" HOME="$work/home" "$trex" ls --url "http://127.0.0.1:$port" | grep -q '^s2 '
echo '   and a client that pings and reads no answer is hung up on'

kill -TERM "$server"
wait "$server"
server=
echo '== ok'
