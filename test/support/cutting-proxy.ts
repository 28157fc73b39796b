import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { Claims } from './claims.js';
import { PATIENCE_MS } from './until.js';

/**
 * - `end`: all that was passed on arrives, then the end of the stream, on both sides. A side that does not hang up in
 *   its turn is held, and no longer listened to.
 * - `reset`: both sides are reset, whatever they have not read yet: at most what was passed on arrives. One that has
 *   just been sent something may read it and take the reset for an end.
 * - `silence`: all that was passed on arrives, and then nothing, no end either: what comes is swallowed both ways, and
 *   a side is not told that the other has gone. Until one of the other cuts, or the end of the proxy.
 */
export type Cut = 'end' | 'reset' | 'silence';

export type Direction = 'toServer' | 'toClient';

/** The moment at which exactly so many bytes have been passed on in one direction. */
export interface CutPoint {
  readonly how: Cut;
  readonly direction: Direction;
  readonly afterBytes: number;
  /** Counts from the end of the direction's HTTP head, not from the first byte of the stream. */
  readonly afterUpgrade?: boolean;
}

/** What happens to a connection; without any of it, everything is passed on as it comes. */
export interface Plan {
  readonly cut?: CutPoint;
  /** How long each chunk is held, in both directions; their order stays. */
  readonly delayMs?: number;
  /** By how much longer some are, at most; which, depends on where they come. */
  readonly jitterMs?: number;
  /** No more than this is passed on a second, in each direction. */
  readonly bytesPerSecond?: number;
  /** Passes on pieces of 1 to 7 bytes, each in a write and a turn of the event loop of its own. */
  readonly sliceSeed?: number;
  /** Of so many bytes at most, instead of 7. */
  readonly mostSliceBytes?: number;
}

/** A TCP proxy before a server on the loopback, through which clients connect to lose their connection. */
export class CuttingProxy {
  /** All that were let through to the server, in order: the first is number 1. */
  readonly connections: ProxiedConnection[] = [];
  /** How many were reset as they came, during an outage; they have no number. */
  turnedAway = 0;

  private listener?: Server;
  private ownPort = 0;
  private turnsAway = false;
  private closed?: Promise<void>;
  private readonly claims = new Claims();

  private constructor(
    /** Where the server is to be found from now on. */
    public serverPort: number,
    /** Asked for each connection as it is accepted, by its number. */
    public planFor: (number: number) => Plan,
  ) {}

  static async start(
    serverPort: number,
    planFor: (number: number) => Plan = () => ({}),
  ): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(serverPort, planFor);
    await proxy.listen();
    return proxy;
  }

  /** Stays the same over outages. */
  get port(): number {
    return this.ownPort;
  }

  get newest(): ProxiedConnection {
    const newest = this.connections.at(-1);
    if (!newest) throw new Error('nobody has connected yet');
    return newest;
  }

  /** From now on nothing is cut but by command: all goes on as it was planned else. */
  spare(): void {
    const { planFor } = this;
    this.planFor = (number) => ({ ...planFor(number), cut: undefined });
    for (const connection of this.connections) connection.spare();
  }

  /** Cuts all connections there are; for one of them see {@link ProxiedConnection.cut}. */
  cut(how: Cut): void {
    for (const connection of this.connections) connection.cut(how);
  }

  /**
   * From now on connections are refused, or accepted and reset at once; those there are go on. While it refuses, the
   * port is anybody's: of many or long outages, `reset` is the safe kind.
   */
  beginOutage(how: 'refuse' | 'reset'): void {
    this.turnsAway = true;
    if (how === 'reset') return;
    this.listener?.close();
    this.listener = undefined;
  }

  async endOutage(): Promise<void> {
    this.turnsAway = false;
    if (!this.listener) await this.listen();
  }

  /** Connection `number`, once it is accepted. */
  async untilAccepted(number: number, deadlineMs = PATIENCE_MS): Promise<ProxiedConnection> {
    await this.until(() => this.connections.length >= number, `connection ${number} is accepted`, deadlineMs);
    return this.connections[number - 1]!;
  }

  /** Connection `number`, once it is cut, by its plan or by command. */
  async untilCut(number: number, deadlineMs = PATIENCE_MS): Promise<ProxiedConnection> {
    const isCut = (): boolean => this.connections[number - 1]?.wasCut !== undefined;
    await this.until(isCut, `connection ${number} is cut`, deadlineMs);
    return this.connections[number - 1]!;
  }

  /** Resolves once a claim holds about what the proxy counts. */
  until(claim: () => boolean, what: string, deadlineMs = PATIENCE_MS): Promise<void> {
    return this.claims.until(claim, () => `${what}\n${this.story()}`, deadlineMs);
  }

  /** Gives back the port and every connection; resolves when they are gone. Again: the same. */
  close(): Promise<void> {
    return (this.closed ??= this.release());
  }

  private async release(): Promise<void> {
    const listenerCloses = this.listener && once(this.listener, 'close');
    this.beginOutage('refuse');
    for (const connection of this.connections) connection.destroy();
    await this.until(() => this.connections.every(({ isClosed }) => isClosed), 'all connections are closed');
    await listenerCloses;
  }

  private async listen(): Promise<void> {
    const listener = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.accept(client));
    this.listener = listener.listen(this.ownPort, '127.0.0.1');
    await once(listener, 'listening');
    this.ownPort = (listener.address() as AddressInfo).port;
  }

  private accept(client: Socket): void {
    if (this.turnsAway) {
      client.on('error', () => undefined).resetAndDestroy();
      this.turnedAway++;
    } else {
      const server = connect({
        port: this.serverPort,
        host: '127.0.0.1',
        allowHalfOpen: true,
        noDelay: true,
      });
      const number = this.connections.length + 1;
      const connection = new ProxiedConnection(number, client, server, () => this.claims.look());
      this.connections.push(connection);
      connection.follow(this.planFor(number));
    }
    this.claims.look();
  }

  private story(): string {
    const last = this.connections.slice(-10).map((connection) => connection.story());
    return [`${this.connections.length} were let through, ${this.turnedAway} turned away`, ...last].join(
      '\n',
    );
  }
}

/** One client's connection, and the one to the server that was made for it. */
export class ProxiedConnection {
  readonly toServer: Flow;
  readonly toClient: Flow;
  /** How the proxy has cut it, once it has. */
  wasCut?: Cut;
  private openSockets = 2;

  constructor(
    readonly number: number,
    private readonly client: Socket,
    private readonly server: Socket,
    private readonly happened: () => void,
  ) {
    const wires = { happened, cut: (how: Cut) => this.cut(how) };
    this.toServer = new Flow('toServer', client, server, wires);
    this.toClient = new Flow('toClient', server, client, wires);
    this.watch(client, server);
    this.watch(server, client);
  }

  /** Whether both sides are gone, by whatever end. */
  get isClosed(): boolean {
    return this.openSockets === 0;
  }

  /** Takes another plan, from the next write on; one whose cut point has been passed already cuts at once. */
  follow(plan: Plan): void {
    this.toServer.follow(plan);
    this.toClient.follow(plan);
  }

  /** Its plan cuts it no more. */
  spare(): void {
    this.toServer.spare();
    this.toClient.spare();
  }

  /** Cuts it now; what is held is not passed on. Nothing when it is closed; `silence` nothing once it is cut. */
  cut(how: Cut): void {
    if (this.isClosed || (this.wasCut && how === 'silence')) return;
    this.wasCut = how;
    this.swallow();
    for (const socket of [this.client, this.server]) {
      if (how === 'end') socket.end();
      if (how === 'reset') reset(socket);
    }
    this.happened();
  }

  /** Lets go of both sides. */
  destroy(): void {
    this.swallow();
    this.client.destroy();
    this.server.destroy();
  }

  story(): string {
    const state = this.isClosed ? 'closed' : 'open';
    const passed = `${this.toServer.passedBytes} bytes to the server, ${this.toClient.passedBytes} to the client`;
    return `connection ${this.number}: ${state}, cut: ${this.wasCut ?? 'no'}, ${passed}`;
  }

  private swallow(): void {
    this.toServer.swallow();
    this.toClient.swallow();
  }

  private watch(socket: Socket, other: Socket): void {
    // The close that follows tells the same.
    socket.on('error', () => undefined);
    socket.on('close', (hadError) => {
      this.openSockets--;
      if (hadError && !this.wasCut) {
        this.swallow();
        reset(other);
      }
      this.happened();
    });
  }
}

/** What a sender that is not read from is allowed to have here; then it has to wait. */
const MOST_HELD_BYTES = 256 * 1024;
const MOST_SLICE_BYTES = 7;
/** How often a limited rate passes something on. */
const PACE_MS = 20;
const END_OF_HEAD = '\r\n\r\n';

/** One direction of a connection. */
export class Flow {
  /** Bytes passed on, HTTP head included. */
  passedBytes = 0;
  /** How many writes that took. */
  writes = 0;
  /** Bytes that have come and wait: at most 256 KiB and a chunk. */
  heldBytes = 0;
  /** How long the HTTP head is, once the end of one has come. */
  headBytes?: number;

  private plan: Plan = {};
  private readonly held: { bytes: Buffer; readonly dueAt: number }[] = [];
  private lastBytes = Buffer.alloc(0);
  private takenBytes = 0;
  private writing = false;
  private ended = false;
  private swallowing = false;
  private timer?: NodeJS.Timeout;
  /** Before this moment, the rate does not allow more. */
  private freeAt = 0;

  constructor(
    private readonly direction: Direction,
    private readonly source: Socket,
    private readonly target: Socket,
    private readonly wires: { readonly cut: (how: Cut) => void; readonly happened: () => void },
  ) {
    source.on('data', (bytes) => this.take(bytes));
    source.on('end', () => {
      this.ended = true;
      this.pump();
    });
  }

  /** Bytes passed on after the HTTP head. */
  get passedAfterUpgradeBytes(): number {
    return Math.max(0, this.passedBytes - (this.headBytes ?? Infinity));
  }

  follow(plan: Plan): void {
    this.plan = plan;
    this.pump();
  }

  spare(): void {
    this.plan = { ...this.plan, cut: undefined };
  }

  /** Passes on nothing more, and keeps the source from noticing. */
  swallow(): void {
    this.swallowing = true;
    this.held.length = 0;
    this.heldBytes = 0;
    clearTimeout(this.timer);
    this.source.resume();
  }

  private take(bytes: Buffer): void {
    if (this.swallowing) return;
    this.lookForHead(bytes);
    const { delayMs = 0, jitterMs = 0 } = this.plan;
    const jitter = (jitterMs * this.mixed(1)) / 2 ** 16;
    this.held.push({ bytes, dueAt: performance.now() + delayMs + jitter });
    this.heldBytes += bytes.length;
    if (this.heldBytes >= MOST_HELD_BYTES) this.source.pause();
    this.wires.happened();
    this.pump();
  }

  private lookForHead(bytes: Buffer): void {
    if (this.headBytes !== undefined) return;
    const seen = Buffer.concat([this.lastBytes, bytes]);
    const at = seen.indexOf(END_OF_HEAD);
    if (at >= 0) this.headBytes = this.takenBytes - this.lastBytes.length + at + END_OF_HEAD.length;
    this.takenBytes += bytes.length;
    this.lastBytes = seen.subarray(-(END_OF_HEAD.length - 1));
  }

  /** Does what is due. One write at a time: when a cut point is reached, the system has all that was passed on. */
  private pump(): void {
    if (this.swallowing || this.writing) return;
    const allowedBytes = this.cutOffset() - this.passedBytes;
    const next = this.held[0];
    const earlyMs = next ? Math.max(next.dueAt, this.freeAt) - performance.now() : 0;
    if (allowedBytes <= 0) this.wires.cut(this.plan.cut!.how);
    else if (earlyMs > 0) this.pumpIn(earlyMs);
    else if (next) this.pass(this.pieceOf(next, Math.min(allowedBytes, this.sliceBytes(), this.paceBytes())));
    else if (this.ended) this.target.end();
  }

  private cutOffset(): number {
    const { cut } = this.plan;
    if (cut?.direction !== this.direction) return Infinity;
    return cut.afterBytes + (cut.afterUpgrade ? (this.headBytes ?? Infinity) : 0);
  }

  private sliceBytes(): number {
    const { sliceSeed, mostSliceBytes = MOST_SLICE_BYTES } = this.plan;
    return sliceSeed === undefined ? Infinity : 1 + (this.mixed(sliceSeed) % mostSliceBytes);
  }

  private paceBytes(): number {
    const { bytesPerSecond = Infinity } = this.plan;
    return Math.max(1, Math.floor((bytesPerSecond * PACE_MS) / 1000));
  }

  /** From 0 to below 65,536, told by the seed and the offset alone. */
  private mixed(seed: number): number {
    return Math.imul(Math.imul(seed + 1, 0x9e3779b1) ^ this.passedBytes, 0x85ebca6b) >>> 16;
  }

  private pumpIn(ms: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.pump(), Math.ceil(ms));
  }

  private pieceOf(next: { bytes: Buffer }, mostBytes: number): Buffer {
    const piece = next.bytes.subarray(0, mostBytes);
    next.bytes = next.bytes.subarray(piece.length);
    if (next.bytes.length === 0) this.held.shift();
    this.heldBytes -= piece.length;
    if (this.heldBytes < MOST_HELD_BYTES) this.source.resume();
    return piece;
  }

  private pass(piece: Buffer): void {
    this.passedBytes += piece.length;
    this.writes++;
    const { bytesPerSecond = Infinity } = this.plan;
    this.freeAt = Math.max(this.freeAt, performance.now()) + (piece.length / bytesPerSecond) * 1000;
    this.writing = true;
    const goOn = (): void => {
      this.writing = false;
      this.pump();
    };
    this.target.write(piece, (error) => {
      // The close that follows ends this.
      if (error) return;
      // In one turn, a reader in this process would get all slices in one read.
      if (this.plan.sliceSeed !== undefined) setImmediate(goOn);
      else goOn();
    });
    this.wires.happened();
  }
}

function reset(socket: Socket): void {
  // While the end of the stream is on its way, the socket cannot be reset: it would stay open (EINVAL).
  if (socket.writableEnded && !socket.writableFinished) socket.destroy();
  else socket.resetAndDestroy();
}
