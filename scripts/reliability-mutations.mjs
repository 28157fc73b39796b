/**
 * What `mutate-security.mjs --table reliability` changes, one after another: bugs of the kinds that lose, double or delay
 * what passes through, in every part it passes. The tests that are to notice are run as often as in `npm test`, no more.
 * `find` occurs exactly once in `file`.
 */
export const threats = ['core', 'protocol', 'terminal', 'client', 'sessions', 'orders', 'sockets', 'loads'];

/** Nothing is only written down. */
export const documented = [];

const property = (...names) => names.map((name) => `test/properties/${name}.spec.ts`);
const LOG = { threat: 'core', file: 'src/core/output-log.ts', tests: property('output-log') };
const QUEUE = {
  threat: 'core',
  file: 'src/core/input-queue.ts',
  tests: property('input-queue', 'session-input'),
};
const VIEW = {
  threat: 'core',
  file: 'src/core/attachment.ts',
  tests: property('viewers', 'coming-back', 'held-output'),
};
const FRAMES = { threat: 'protocol', file: 'src/protocol/frames.ts', tests: property('frames') };
const TEXT = { threat: 'protocol', file: 'src/protocol/utf8.ts', tests: property('whole-characters') };
const TYPED = {
  threat: 'terminal',
  file: 'src/terminal/typed-input.ts',
  tests: property('resume', 'coming-back'),
};
const CLIENTS = { threat: 'terminal', file: 'src/terminal/client.ts', tests: ['test/race/model.spec.ts'] };
const BUFFER = {
  threat: 'client',
  file: 'client/input-buffer.ts',
  tests: property('terminal-client', 'coming-back'),
};
const SHOWN = {
  threat: 'client',
  file: 'client/remote-session.ts',
  tests: property('terminal-client', 'coming-back'),
};

/** What only comes up when something else comes first. */
const ORDERS = { threat: 'orders', tests: ['test/race/scheduled-model.spec.ts'] };
/** What the model without sockets does not have. */
const SOCKETS = { threat: 'sockets', tests: ['test/race/real-server.spec.ts'] };
/** What loads and faults against a built server show, and nothing else is asked. */
const under = (scenario) => ({
  threat: 'loads',
  tests: ['test/reliability/quick.spec.ts'],
  only: `in short: ${scenario}$`,
});

export const mutations = [
  {
    ...LOG,
    what: 'a byte more is said to be kept than is',
    find: 'Math.max(0, this.written - this.capacityBytes)',
    replace: 'Math.max(0, this.written - this.capacityBytes - 1)',
  },
  {
    ...LOG,
    what: 'a slab is used again before all in it has fallen off',
    find: '(this.firstSlab + 1) * this.slabBytes <= this.start',
    replace: '(this.firstSlab + 1) * this.slabBytes <= this.start + this.slabBytes',
  },
  {
    ...LOG,
    what: 'what a slab has when it grows is not taken along',
    find: '    grown.set(slab);\n',
    replace: '',
  },
  {
    ...LOG,
    what: 'reading over the end of a slab begins at the wrong place in the next',
    find: '(offset + copied) % this.slabBytes',
    replace: 'offset % this.slabBytes',
  },
  {
    ...QUEUE,
    what: 'input that is joined comes in the wrong order',
    find: 'both.set(first);\n  both.set(second, first.length);',
    replace: 'both.set(second);\n  both.set(first, second.length);',
  },
  {
    ...QUEUE,
    what: 'input of which a part was taken is offered whole again',
    find: 'bytes: chunk.bytes.subarray(count)',
    replace: 'bytes: chunk.bytes',
  },
  {
    ...QUEUE,
    what: 'what is forgotten is never given back to the budget',
    find: '    this.budget.give(this.waiting);\n',
    replace: '',
  },
  {
    threat: 'core',
    file: 'src/core/flow-control.ts',
    what: 'a process that is paused is resumed only when nothing waits',
    find: 'aheadBytes >= limits.resumeBelowBytes',
    replace: 'aheadBytes > 0',
    tests: property('flow-control'),
  },
  {
    ...VIEW,
    what: 'a gap is told a byte too short',
    find: '    return { offset: position, end, restoring };',
    replace: '    return { offset: position + 1, end, restoring };',
    tests: [...VIEW.tests, 'src/core/session.spec.ts'],
  },
  {
    ...VIEW,
    what: 'the exit is told before the last output',
    find: 'this.exitTaken || !this.source.exit || this.hasOutput',
    replace: 'this.exitTaken || !this.source.exit',
    tests: [...VIEW.tests, 'test/race/model.spec.ts'],
  },
  {
    ...VIEW,
    what: 'the exit is told again and again',
    find: '    this.exitTaken = true;\n',
    replace: '',
    tests: [...VIEW.tests, 'test/race/model.spec.ts'],
  },
  {
    ...VIEW,
    what: 'an acknowledgement that comes late takes back a newer one',
    find: '    if (offset <= this.consumedTo) return;\n    this.consumedTo',
    replace: '    this.consumedTo',
    tests: [...VIEW.tests, ...property('acknowledged-output'), 'src/core/session.spec.ts'],
  },
  {
    ...FRAMES,
    what: 'offsets beyond 4 GiB begin at nothing again',
    find: 'Math.floor(offset / HIGH)',
    replace: '0',
  },
  {
    ...FRAMES,
    what: 'a frame may have a byte too many',
    find: 'payload > MAX_FRAME_PAYLOAD_BYTES)',
    replace: 'payload > MAX_FRAME_PAYLOAD_BYTES + 1)',
  },
  {
    ...TEXT,
    what: 'characters of four bytes are cut',
    find: 'if (lead >= 0xf0 && lead <= 0xf4) return 4;',
    replace: 'if (lead >= 0xf0 && lead <= 0xf4) return 3;',
  },
  {
    ...TEXT,
    what: 'the beginning of a surrogate is waited for',
    find: 'if (lead === 0xed) return second <= 0x9f;',
    replace: '',
  },
  {
    ...TYPED,
    what: 'input that is sent again is typed again',
    find: 'bytes.subarray(accepted - offset)',
    replace: 'bytes',
  },
  {
    ...TYPED,
    what: 'a hole in the input is typed over',
    find: 'if (offset > accepted) {',
    replace: 'if (offset > accepted + 1) {',
    tests: [...TYPED.tests, 'src/terminal/typed-input.spec.ts'],
  },
  {
    ...TYPED,
    what: 'input that was refused counts as accepted',
    find: '      this.acceptedTo = accepted;\n',
    replace: '',
    tests: [...TYPED.tests, 'src/terminal/typed-input.spec.ts'],
  },
  {
    ...CLIENTS,
    what: 'whoever is back is still waited for, and ended when the time is over',
    find: '    this.absence?.end.cancel();\n',
    replace: '',
  },
  {
    ...CLIENTS,
    what: 'a view that is held for too long still blocks its process',
    find: '      attachment.detach();\n',
    replace: '',
  },
  {
    ...CLIENTS,
    what: 'how much was typed is forgotten while the session is held',
    find: '    if (this.held.has(id) || this.connection?.attachmentTo(id)) return;\n',
    replace: '',
  },
  {
    ...BUFFER,
    what: 'input is sent again from its beginning, wherever the server is',
    find: '    this.sent = offset;\n    return 0;',
    replace: '    this.sent = this.start;\n    return 0;',
  },
  {
    ...BUFFER,
    what: 'what was taken in part is taken whole',
    find: 'if (count < first.length) this.pieces[0] = first.subarray(count);\n      else this.pieces.shift();',
    replace: 'this.pieces.shift();',
  },
  {
    ...SHOWN,
    what: 'a client goes on where it began',
    find: 'return { sessionId: this.id, from: this.offset,',
    replace: 'return { sessionId: this.id, from: 0,',
  },
  {
    ...SHOWN,
    what: 'output that does not come next is shown all the same',
    find: '    if (offset !== this.offset) throw new ServerViolation(`output at ${offset} where ${this.offset} is next`);\n',
    replace: '',
    tests: [...SHOWN.tests, 'client/terminal-client.spec.ts'],
  },
  {
    threat: 'sessions',
    file: 'src/sessions/session-registry.ts',
    what: 'one session more runs than may',
    find: '.length >= this.config.maxSessions',
    replace: '.length > this.config.maxSessions',
    tests: ['test/race/model.spec.ts'],
  },
  {
    threat: 'sessions',
    file: 'src/sessions/session-registry.ts',
    what: 'a session that is gone tells nobody so',
    find: '    session.remove();\n',
    replace: '',
    tests: ['test/race/model.spec.ts'],
  },
  {
    threat: 'core',
    file: 'src/core/terminal-reports.ts',
    what: 'a report that says nothing takes back what one before it has said',
    find: 'if (directory !== undefined) found.directory = directory;',
    replace: 'found.directory = directory;',
    tests: ['test/grammars/output.spec.ts'],
  },
  {
    threat: 'core',
    file: 'src/core/attachment.ts',
    what: 'a gap counts as consumed that the client may not have been told of',
    find: 'Math.min(look.leftOff, look.offset)',
    replace: 'look.offset',
    tests: ['test/grammars/offsets.spec.ts'],
  },
  {
    threat: 'terminal',
    file: 'src/terminal/client.ts',
    what: 'a client that is over keeps what it had',
    find: '    for (const kept of this.kept) kept.clear();\n',
    replace: '',
    tests: ['src/terminal/clients.spec.ts'],
  },
  {
    threat: 'terminal',
    file: 'src/terminal/view.ts',
    what: 'a byte more may be acknowledged than has been sent',
    find: 'if (offset <= this.sentTo) return;',
    replace: 'if (offset <= this.sentTo + 1) return;',
    tests: ['test/grammars/offsets.spec.ts'],
  },
  {
    ...ORDERS,
    file: 'src/core/session.ts',
    what: 'a process that is there only after its session was closed runs on',
    find: "    this.pty = pty;\n    if (this.current === 'Closing') {\n      this.endProcess(pty);\n      return;\n    }\n",
    replace: '    this.pty = pty;\n',
  },
  {
    ...ORDERS,
    file: 'src/terminal/connection.ts',
    what: 'what waits until a socket has taken what it has is never sent',
    find: '    if (!this.inputTimer) this.acknowledgeInput();\n    this.pump();\n',
    replace: '    if (!this.inputTimer) this.acknowledgeInput();\n',
  },
  {
    ...ORDERS,
    file: 'src/terminal/clients.ts',
    what: 'a connection that is known to be lost late takes along what the next has',
    find: 'if (client?.connection !== connection) return;',
    replace: 'if (!client) return;',
  },
  {
    ...SOCKETS,
    file: 'src/terminal/terminal.adapter.ts',
    what: 'a client that says it does not come back is waited for',
    find: 'connection.closeCode = code;',
    replace: 'connection.closeCode = code === 1000 ? 1006 : code;',
  },
  {
    ...under('R03'),
    file: 'src/terminal/connection.ts',
    what: 'an exit is told twice',
    find: "    this.transmit({ type: 'exit', sessionId, code, signal, cause });\n",
    replace:
      "    for (let n = 0; n < 2; n++) this.transmit({ type: 'exit', sessionId, code, signal, cause });\n",
  },
  {
    ...under('R04-small'),
    file: 'src/terminal/terminal.adapter.ts',
    what: 'clients of a server that ends are told something else',
    find: 'const GOING_AWAY = 1001;',
    replace: 'const GOING_AWAY = 1000;',
  },
  {
    ...under('R04-twice'),
    file: 'src/pty/posix-session.ts',
    what: 'what ignores being hung up on is left',
    find: "    if (session === this.session.id) this.send(-group, 'SIGKILL');\n    this.send(pid, 'SIGKILL');\n",
    replace: '    void [pid, group, session];\n',
  },
  {
    ...under('L6-small'),
    file: 'src/terminal/connection.ts',
    what: 'who comes back misses a byte',
    find: '      const view = this.place(session, from, readOnly, held);\n',
    replace:
      '      const view = this.place(session, from === undefined ? from : from + 1, readOnly, held);\n',
  },
  {
    ...under('L1'),
    file: 'src/terminal/connection.ts',
    what: 'something is said where nobody looks',
    find: '  release(): View[] {\n',
    replace: "  release(): View[] {\n    process.stderr.write('released\\n');\n",
  },
  {
    ...under('L6-small'),
    file: 'src/terminal/connection.ts',
    what: 'the views of a connection outlive it',
    find: '    this.channels.clear();\n    return views;\n',
    replace: '    this.channels.clear();\n    return views.slice(0, 0);\n',
  },
  {
    ...under('L1'),
    file: 'src/terminal/connection.ts',
    what: 'what is typed is answered late',
    find: 'export const GATHER_MS = 2;',
    replace: 'export const GATHER_MS = 300;',
  },
  {
    ...under('L1'),
    file: 'src/pty/master.ts',
    what: 'a terminal is never closed',
    find: '    if (this.finish) this.finish();\n    else this.destroy();\n',
    replace: '',
  },
  {
    ...under('L1'),
    file: 'src/terminal/keep-alive.ts',
    what: 'a connection that is gone is still looked at',
    find: '    timer.cancel();\n',
    replace: '    void timer;\n',
  },
  {
    ...under('L1'),
    file: 'src/sessions/session-registry.ts',
    what: 'each session leaves 2 MiB behind',
    find: '    session.remove();\n',
    replace:
      '    session.remove();\n    Object.assign(globalThis, { [session.id]: new Uint8Array(2 ** 21) });\n',
  },
  {
    ...under('L1'),
    file: 'src/observability/session-log.ts',
    what: 'it warns of what is as it should be',
    find: '      this.logger.log({ sessionId, name, msg });\n',
    replace: '      this.logger.warn({ sessionId, name, msg });\n',
  },
];
