import { readFile } from 'node:fs/promises';
import { isIPv4 } from 'node:net';
import { endianness } from 'node:os';
import { groupsOf, unmapped } from './ip-address.js';

/** One end of a TCP connection, as `node:net` names it. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** Where the kernel lists TCP sockets: those of IPv4, and those that were opened as IPv6 (proc(5)). */
const TABLES = ['/proc/net/tcp', '/proc/net/tcp6'] as const;

/** In the tables. Of any other state nobody may own the socket any more, and the kernel calls that user 0. */
const ESTABLISHED = '01';
const LISTEN = '0A';
/** Of a socket that no process has. */
const NO_INODE = '0';

const MAPPED_WORDS = [0, 0, 0xffff];

/** A user's id; `gone`: they have hung up; `unknown`: somebody may be there, and nobody can tell who. */
export type PeerUser = number | 'gone' | 'unknown';

/**
 * Tells which user of this machine is at the other end of a connection on the loopback, which any user may open. Linux
 * only. However many ask, the tables are read by one at a time, and not by the event loop; a search in them takes it about
 * a millisecond for 5,000 connections of the machine.
 */
export class PeerUsers {
  private reading: Promise<unknown> = Promise.resolve();
  private next?: Promise<string>;

  /** `read`: the text of all tables. */
  constructor(private readonly read: () => Promise<string> = readTables) {}

  /** Who opened the connection from `client` to `server`. */
  async userOf(client: Endpoint, server: Endpoint): Promise<PeerUser> {
    try {
      return findUser(await this.tables(), client, server);
    } catch {
      return 'unknown';
    }
  }

  /** A reading that has begun may be past the place of a connection that is newer: who comes later waits for the next. */
  private tables(): Promise<string> {
    this.next ??= this.reading.then(() => {
      this.next = undefined;
      const text = this.read();
      this.reading = text.catch(() => undefined);
      return text;
    });
    return this.next;
  }
}

/**
 * The owner, in the kernel's tables, of the `client`'s end of an established connection. They have hung up when no process
 * has that end any more. Where it is not there at all, they have when the `server`'s end is closing, or has gone, too,
 * although the server is listed.
 */
export function findUser(tables: string, client: Endpoint, server: Endpoint): PeerUser {
  const theirs = findRow(tables, client, server);
  if (theirs) {
    const { state, user, inode } = theirs;
    if (inode === NO_INODE) return 'gone';
    return state === ESTABLISHED && /^\d+$/.test(user) ? Number(user) : 'unknown';
  }
  const ours = findRow(tables, server, client);
  const isOver = ours ? ours.state !== ESTABLISHED : isListening(tables, server);
  return isOver ? 'gone' : 'unknown';
}

interface Row {
  readonly state: string;
  readonly user: string;
  /** Of the socket. */
  readonly inode: string;
}

function findRow(tables: string, local: Endpoint, remote: Endpoint): Row | undefined {
  const remotes = writtenForms(remote);
  for (const [n, form] of writtenForms(local).entries()) {
    const at = tables.indexOf(` ${form} ${remotes[n] ?? ''} `);
    if (at < 0) continue;
    const [, , , state = '', , , , user = '', , inode = ''] = tables
      .slice(at, tables.indexOf('\n', at))
      .split(/ +/);
    return { state, user, inode };
  }
  return undefined;
}

/** Whether anybody listens at this address or at all of them, as whoever accepted a connection there does. */
function isListening(tables: string, server: Endpoint): boolean {
  const addresses = [...writtenForms(server), `0+:${hex(server.port, 4)}`];
  return new RegExp(` (?:${addresses.join('|')}) 0+:0000 ${LISTEN} `).test(tables);
}

async function readTables(): Promise<string> {
  const texts = await Promise.all(
    // Where IPv6 is off, one of them is missing.
    TABLES.map((path) => readFile(path, 'latin1').catch(() => '')),
  );
  return texts.join('');
}

/** As the tables write it: words of 32 bits in the machine's own order. IPv4 first, and then as IPv6, as it may be, too. */
function writtenForms({ address, port }: Endpoint): string[] {
  const suffix = `:${hex(port, 4)}`;
  const plain = unmapped(address);
  const words = isIPv4(plain) ? [wordOf(plain.split('.').map(Number))] : wordsOfIPv6(plain);
  const forms = words.length === 1 ? [words, [...MAPPED_WORDS.map(swapped), ...words]] : [words];
  return forms.map((form) => form.map((word) => hex(word, 8)).join('') + suffix);
}

function wordsOfIPv6(address: string): number[] {
  const bytes = groupsOf(address)
    .map((group) => parseInt(group, 16))
    .flatMap((group) => [group >> 8, group & 0xff]);
  return [0, 4, 8, 12].map((at) => wordOf(bytes.slice(at, at + 4)));
}

function wordOf(bytes: readonly number[]): number {
  const view = Buffer.from(bytes);
  return endianness() === 'LE' ? view.readUInt32LE(0) : view.readUInt32BE(0);
}

/** A word that is written as the network has it, as this machine reads it. */
function swapped(word: number): number {
  const view = Buffer.alloc(4);
  view.writeUInt32BE(word);
  return endianness() === 'LE' ? view.readUInt32LE(0) : word;
}

function hex(number: number, digits: number): string {
  return number.toString(16).toUpperCase().padStart(digits, '0');
}
