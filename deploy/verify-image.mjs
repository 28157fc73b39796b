/**
 * What a client sees of the server that verify-image.sh has started: `verify-image.mjs PORT TOKEN WHAT…`. It needs a Node
 * that has WebSocket, 22 or later, and no packages. Ends with 0 where it sees what it should.
 */
const [port, token, what, ...rest] = process.argv.slice(2);
const DEADLINE_MS = 60_000;
/** As long as the orphans of `sessions` live, and a bit more. */
const ORPHANS_MS = 1500;

setTimeout(() => fail(`not within ${DEADLINE_MS} ms`), DEADLINE_MS).unref();
await {
  refused,
  page: seesPage,
  session: ([command, expected]) => session(command, expected),
  sessions: ([count]) => sessions(Number(count)),
  stubborn,
}
  [what](rest)
  .catch((error) => fail(error.message));
process.exit(0);

async function refused() {
  const { status } = await ask('/api/sessions', {});
  if (status !== 401) throw new Error(`REST answers ${status}, not 401`);
  const opened = await connect([]).then(
    () => true,
    () => false,
  );
  if (opened) throw new Error('the WebSocket is open to everybody');
}

async function seesPage() {
  const answer = await ask('/', {});
  const text = await answer.text();
  if (answer.status !== 200 || !text.includes('<script')) throw new Error(`${answer.status}: ${text}`);
}

/** What `command` prints, in a session of its own, is to be `expected`, a regular expression. */
async function session(command, expected) {
  const client = await connect([`bearer.${token}`]);
  client.send({ type: 'create', cols: 1000, rows: 24 });
  await client.tells('session_created');
  client.send({ type: 'input', data: `printf '<<%s>>\\n' "$(${command})"\r` });
  const [, printed] = await client.prints(/<<((?!%s).*?)>>/s);
  if (!new RegExp(`^(?:${expected})$`).test(printed)) throw new Error(`it prints ${JSON.stringify(printed)}`);
}

async function sessions(count) {
  const client = await connect([`bearer.${token}`]);
  for (let number = 1; number <= count; number += 1) {
    client.send({ type: 'create', cols: 80, rows: 24 });
    const { sessionId } = await client.tells('session_created');
    client.send({ type: 'input', sessionId, data: '(setsid sleep 1 &); exit 7\r' });
    const { code } = await client.tells('exit');
    if (code !== 7) throw new Error(`session ${number} ended with ${code}`);
  }
  await new Promise((resolve) => setTimeout(resolve, ORPHANS_MS));
}

/** Leaves a session behind whose program neither hangs up nor terminates. */
async function stubborn() {
  const client = await connect([`bearer.${token}`]);
  client.send({ type: 'create', cols: 80, rows: 24, persistent: true });
  await client.tells('session_created');
  client.send({ type: 'input', data: `trap '' HUP TERM INT; echo st''ays; while :; do sleep 1; done\r` });
  await client.prints(/stays/);
}

function ask(path, headers) {
  return fetch(`http://127.0.0.1:${port}${path}`, { headers });
}

async function connect(protocols) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, ['trex.v1', ...protocols]);
  const told = [];
  let printed = '';
  let heard = () => {};
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(data);
    if (message.type === 'output') printed += message.data;
    else if (message.type === 'error') fail(message.error);
    else told.push(message);
    heard();
  });
  const until = async (find) => {
    for (;;) {
      const found = find();
      if (found) return found;
      await new Promise((resolve) => (heard = resolve));
    }
  };
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve);
    socket.addEventListener('error', () => reject(new Error('the WebSocket is refused')));
  });
  return {
    send: (message) => socket.send(JSON.stringify(message)),
    prints: (text) => until(() => text.exec(printed)),
    tells: async (type) => {
      const at = await until(() => told.findIndex((message) => message.type === type) + 1);
      return told.splice(at - 1, 1)[0];
    },
  };
}

function fail(why) {
  console.error(why);
  process.exit(1);
}
