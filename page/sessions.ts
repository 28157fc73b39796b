import { type SessionChange, type SessionInfo } from '../src/protocol/messages.js';

/** A session as this page knows it. */
export interface Entry {
  /** Unique in this page: ids of sessions begin anew with each start of the server. */
  readonly key: string;
  readonly id: string;
  info: SessionInfo;
  /** Why the server has it no more. It stays while its output can be read here. */
  gone?: 'removed' | 'restarted';
  /** It is being closed from here, and not to be seen any more. */
  isClosing?: boolean;
  /** What its program calls it, as far as this page has seen. */
  title?: string;
  /** It has printed something since it was looked at. */
  isUnread: boolean;
  hasBell: boolean;
}

/** All sessions of the server, and those of before that can be read here still, oldest first. */
export class Sessions {
  private list: Entry[] = [];
  private lastKey = 0;
  private isListKnown = false;

  /** `isReadable` says whether this page has a session's output, so that it can be shown when the server has it no more. */
  constructor(
    private readonly isReadable: (entry: Entry) => boolean,
    private readonly changed: () => void,
  ) {}

  get all(): readonly Entry[] {
    return this.list.filter(({ isClosing }) => !isClosing);
  }

  /** Whether the server has told them. */
  get areKnown(): boolean {
    return this.isListKnown;
  }

  /** The one that the server knows by that id. */
  find(id: string): Entry | undefined {
    return this.list.find((entry) => entry.id === id && !entry.gone);
  }

  /** The server's list, first or anew: what was missed meanwhile is found out by comparing. */
  reset(infos: readonly SessionInfo[]): void {
    for (const entry of this.list.filter(({ gone }) => !gone)) {
      const now = infos.find(({ id }) => id === entry.id);
      // The same id, created at another time: another session, of another life of the server.
      if (!now || !isSame(now, entry.info)) this.leave(entry, 'removed');
    }
    for (const info of infos) this.put(info);
    this.isListKnown = true;
    this.changed();
  }

  change(change: SessionChange, id: string, info?: SessionInfo): void {
    const entry = this.find(id);
    if (change === 'removed') {
      if (entry) this.leave(entry, 'removed');
    } else if (info) {
      this.put(info);
    }
    this.changed();
  }

  /** A session that this page has created, of which the server may not have told yet. */
  created(id: string): Entry {
    const known = this.find(id);
    if (known) return known;
    const entry = this.add({
      id,
      name: id,
      shellType: '',
      status: 'connecting',
      createdAt: '',
      persistent: true,
      cwd: '',
    });
    this.changed();
    return entry;
  }

  /** Whatever there was is gone: the server has been started anew. */
  serverRestarted(): void {
    for (const entry of this.list.filter(({ gone }) => !gone)) this.leave(entry, 'restarted');
    this.changed();
  }

  note(entry: Entry, news: Partial<Pick<Entry, 'title' | 'isUnread' | 'hasBell'>>): void {
    const isNew = (Object.keys(news) as (keyof typeof news)[]).some((name) => entry[name] !== news[name]);
    if (!isNew) return;
    Object.assign(entry, news);
    this.changed();
  }

  /** Out of sight at once; it is back if it could not be closed. */
  setClosing(entry: Entry, isClosing: boolean): void {
    entry.isClosing = isClosing;
    this.changed();
  }

  /** The user is done with it, or it cannot be read here any more. */
  drop(entry: Entry): void {
    this.list = this.list.filter((other) => other !== entry);
    this.changed();
  }

  private leave(entry: Entry, how: 'removed' | 'restarted'): void {
    if (this.isReadable(entry)) entry.gone = how;
    else this.list = this.list.filter((other) => other !== entry);
  }

  private put(info: SessionInfo): void {
    const entry = this.find(info.id);
    if (entry) entry.info = info;
    else this.add(info);
  }

  private add(info: SessionInfo): Entry {
    const entry = { key: `e${++this.lastKey}`, id: info.id, info, isUnread: false, hasBell: false };
    this.list = [...this.list, entry];
    return entry;
  }
}

/** One that this page has created itself is told without the time. */
function isSame(one: SessionInfo, other: SessionInfo): boolean {
  return one.createdAt === other.createdAt || other.createdAt === '';
}

/** What its program calls it, or its name. */
export function titleOf({ title, info }: Entry): string | undefined {
  return title ?? info.title;
}

/** Whether somebody has named it: the server calls it by its shell and a number. */
export function hasOwnName({ name, shellType }: Pick<SessionInfo, 'name' | 'shellType'>): boolean {
  return !(name.startsWith(`${shellType}-`) && /^\d+$/.test(name.slice(shellType.length + 1)));
}

export type EntryState = 'starting' | 'running' | 'ended' | 'gone';

export function stateOf({ info, gone }: Entry): EntryState {
  if (info.status === 'exited') return 'ended';
  if (gone) return 'gone';
  return info.status === 'connecting' ? 'starting' : 'running';
}

/** `exited with 3`, `SIGKILL`; nothing while it runs. */
export function exitText({ exitCode, signal }: Pick<SessionInfo, 'exitCode' | 'signal'>): string | undefined {
  if (signal !== undefined) return signal;
  return exitCode === undefined ? undefined : `exit ${exitCode}`;
}
