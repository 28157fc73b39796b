import { useTestBed } from '../support/test-bed.js';

const bed = useTestBed();

describe('bounds that somebody has set', () => {
  it('of a message are told in the welcome, and close the connection that goes beyond', async () => {
    const server = await bed.serve({ maxMessageBytes: 131_072 });
    const client = await bed.greet(server);
    expect(client.welcome.limits).toMatchObject({ messageBytes: 131_072 });
    const other = await bed.connect(server);

    client.sendRaw(' '.repeat(131_073));

    expect((await client.closed()).code).toBe(1009);
    await other.sync();
  });

  it('T22 · of a terminal’s size hold for new sessions and for those there are', async () => {
    const server = await bed.serve({ maxColumns: 100, maxRows: 30 });
    const client = await bed.connect(server);
    const tooLarge = { reason: 'INVALID_SIZE', error: 'a terminal may have 100 columns and 30 rows here' };

    client.send({ type: 'create', cols: 101, rows: 30 }, { type: 'create', cols: 100, rows: 31 });
    expect(await client.next({ type: 'error' })).toMatchObject(tooLarge);
    expect(await client.next({ type: 'error' })).toMatchObject(tooLarge);
    const sessionId = await client.create({ cols: 100, rows: 30 });
    client.send({ type: 'resize', sessionId, cols: 101, rows: 30 });

    expect(await client.next({ type: 'error' })).toMatchObject({ ...tooLarge, sessionId });
    expect(server.ptys.ptys).toHaveLength(1);
  });

  it('of input that waits hold for each session and for all together', async () => {
    const { server, client, sessionId, pty } = await bed.open({
      maxMessageBytes: 131_072,
      inputQueueBytes: 262_144,
      inputTotalBytes: 300_000,
    });
    const other = await client.create();
    pty.room = 0;
    server.ptys.last.room = 0;
    const type = (id: string): void =>
      client.send({ type: 'input', sessionId: id, data: 'x'.repeat(100_000) });

    for (const id of [sessionId, sessionId, sessionId, other, other]) type(id);
    await client.sync();

    expect(
      client.messages.filter(({ type: kind }) => kind === 'error').map((error) => error.sessionId),
    ).toEqual([sessionId, other]);
  });

  it('of a client’s silence end its connection', async () => {
    const server = await bed.serve({ pingSeconds: 1, deadSeconds: 2 });
    const clock = server.stopTheClock();
    const client = await bed.connect(server, { protocols: ['trex.v2'], autoPong: false });

    clock.advance(1000);
    clock.advance(1000);

    expect((await client.closed()).code).toBe(1006);
  });
});
