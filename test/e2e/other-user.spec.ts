import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { promisify } from 'node:util';
import { upgradeHead } from '../support/handshake.js';
import { listed, type TestServer } from '../support/test-server.js';
import { useTestBed } from '../support/test-bed.js';

/** Somebody who owns nothing here. */
const NOBODY = 65_534;

const onLinux = process.platform === 'linux' ? it : it.skip;

/** Only root can be two users. */
const asRoot = process.getuid?.() === 0 ? onLinux : it.skip;

/** What a program of a user gets that sends a request over a connection of its own, and waits for the end, or does not. */
async function ask(
  server: TestServer,
  uid: number,
  request: readonly string[],
  { from = '127.0.0.1', then = 'cat <&3' } = {},
): Promise<string> {
  const head = [...request, `Host: 127.0.0.1:${server.port}`, 'Connection: close', '', ''].join('\\r\\n');
  const script = `exec 3<>/dev/tcp/${from}/${server.port}; printf '${head}' >&3; ${then}`;
  const { stdout } = await promisify(execFile)('/bin/bash', ['-c', script], {
    uid,
    gid: uid,
    cwd: '/',
    env: {},
  });
  return stdout;
}

describe('T08: another user of this machine', () => {
  const bed = useTestBed();

  asRoot('is refused at either door, and this one and root are not', async () => {
    const server = await bed.serve();
    const rest = ['GET /api/sessions HTTP/1.1'];
    const upgrade = [
      'GET /ws HTTP/1.1',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dHJleCB0cmV4IHRyZXggdA==',
      // A second one, which names the WebSocket.
      'Connection: Upgrade',
    ];
    for (const request of [rest, upgrade]) {
      expect(await ask(server, NOBODY, request)).toMatch(
        /^HTTP\/1\.1 403 [^]*only the user that runs this server/,
      );
    }
    expect(await ask(server, 0, rest)).toMatch(/^HTTP\/1\.1 200 /);
    expect(server.ptys.ptys).toEqual([]);
  });

  asRoot('who goes before anybody can look is nobody', async () => {
    const { server, sessionId, pty } = await bed.open();
    const close = [`DELETE /api/sessions/${sessionId} HTTP/1.1`];
    for (let times = 0; times < 20; times += 1) await ask(server, NOBODY, close, { then: 'exec 3>&-' });
    expect(await ask(server, 0, ['GET /api/sessions HTTP/1.1'])).toContain(sessionId);
    expect([(await listed(server)).length, pty.closing]).toEqual([1, false]);
  });

  onLinux('is not whoever hangs up at once', async () => {
    const server = await bed.serve();
    for (const hangUp of [
      (socket: Socket) => socket.destroy(),
      (socket: Socket) => socket.resetAndDestroy(),
    ]) {
      const sockets = Array.from({ length: 100 }, () => connect(server.port, '127.0.0.1'));
      await Promise.all(sockets.map((socket) => once(socket, 'connect')));
      await Promise.all(
        sockets.map(async (socket) => {
          const isGone = once(socket, 'close');
          socket.write(upgradeHead(server.host), () => hangUp(socket));
          await isGone;
        }),
      );
    }
    // Asked after all of them.
    expect(await ask(server, process.getuid!(), ['GET /api/sessions HTTP/1.1'])).toMatch(/^HTTP\/1\.1 200 /);
    expect(server.refusals('gate')).toEqual({ CLIENT_GONE: expect.any(Number) as number });
  });

  asRoot('comes in when listed, or with the token', async () => {
    const rest = ['GET /api/sessions HTTP/1.1'];
    expect(await ask(await bed.serve({ allowedUids: [NOBODY] }), NOBODY, rest)).toMatch(/^HTTP\/1\.1 200 /);
    const token = 't'.repeat(43);
    const asking = await bed.serve({ token });
    expect(await ask(asking, NOBODY, rest)).toMatch(/^HTTP\/1\.1 401 /);
    expect(await ask(asking, NOBODY, [...rest, `Authorization: Bearer ${token}`])).toMatch(
      /^HTTP\/1\.1 200 /,
    );
  });
});
