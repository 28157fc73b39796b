import { validateSync } from 'class-validator';
import { terminalSize } from '../core/terminal-size.js';
import { MAX_ACKNOWLEDGED, MAX_ID_LENGTH } from '../protocol/limits.js';
import {
  type AcknowledgeMessage,
  CLIENT_MESSAGE_TYPES,
  type ClientMessage,
  type ClientMessageType,
  type Consumed,
  type Resumption,
} from '../protocol/messages.js';
import { type MessageReference, ProtocolError, type ProtocolErrorCode } from '../protocol/protocol-error.js';
import { hasTooManyParts } from './json-parts.js';
import { AddressedDto, AttachDto, CreateDto, HelloDto, RequestDto, ResizeDto } from './messages.dto.js';
import { FRAMES_PROTOCOL, JSON_PROTOCOL, type Protocol } from './subprotocol.js';

type Fields = Readonly<Record<string, unknown>>;

/** Which reason a wrong field gives; all others give BAD_MESSAGE. */
const reasonOf: ReadonlyMap<string, ProtocolErrorCode> = new Map([
  ['cols', 'INVALID_SIZE'],
  ['rows', 'INVALID_SIZE'],
  ['cwd', 'INVALID_CWD'],
  ['shell', 'INVALID_SHELL'],
  ['from', 'BAD_OFFSET'],
  ['offset', 'BAD_OFFSET'],
]);

const parsers: Record<ClientMessageType, (fields: Fields) => ClientMessage> = {
  hello: (fields) => {
    const { requestId, resumeToken, sessions } = checked(HelloDto, fields);
    return {
      type: 'hello',
      requestId,
      resumeToken,
      sessions: sessions?.map((one) => parseResumption(one, requestId)),
    };
  },
  attach: (fields) => {
    const { requestId, sessionId, from, readOnly } = checked(AttachDto, fields);
    return { type: 'attach', requestId, sessionId, from, readOnly };
  },
  acknowledge: parseAcknowledge,
  create: (fields) => {
    const { requestId, cols, rows, ...wishes } = checked(CreateDto, fields);
    const { cwd, shell, persistent } = wishes;
    const create = { type: 'create', requestId, cwd, shell, persistent } as const;
    if (cols === undefined && rows === undefined) return create;
    if (cols === undefined) throw wrongField('create', fields, 'cols', 'must come with rows');
    if (rows === undefined) throw wrongField('create', fields, 'rows', 'must come with cols');
    return { ...create, size: terminalSize(cols, rows) };
  },
  input: parseInput,
  resize: (fields) => {
    const { requestId, sessionId, cols, rows } = checked(ResizeDto, fields);
    return { type: 'resize', requestId, sessionId, size: terminalSize(cols, rows) };
  },
  close: (fields) => {
    const { requestId, sessionId } = checked(AddressedDto, fields);
    return { type: 'close', requestId, sessionId };
  },
  detach: (fields) => {
    const { requestId, sessionId } = checked(AddressedDto, fields);
    return { type: 'detach', requestId, sessionId };
  },
  watch: (fields) => ({ type: 'watch', requestId: checked(RequestDto, fields).requestId }),
  tmux_config: (fields) => ({ type: 'tmux_config', requestId: checked(RequestDto, fields).requestId }),
  list_tmux_sessions: (fields) => ({
    type: 'list_tmux_sessions',
    requestId: checked(RequestDto, fields).requestId,
  }),
};

/** The default protocol has no greeting. */
const typesOf: Record<Protocol, readonly ClientMessageType[]> = {
  [JSON_PROTOCOL]: CLIENT_MESSAGE_TYPES.filter((type) => type !== 'hello'),
  [FRAMES_PROTOCOL]: CLIENT_MESSAGE_TYPES,
};

/**
 * An untrusted text frame → a message that is right in every field. Unknown fields are ignored.
 * @throws {ProtocolError} `BAD_JSON`, `BAD_MESSAGE`, `UNKNOWN_TYPE`, `BAD_OFFSET`, `INVALID_SIZE`, `INVALID_CWD`,
 * `INVALID_SHELL`; its `about` names the message as far as it could be read
 */
export function parseMessage(frame: Buffer, protocol: Protocol = JSON_PROTOCOL): ClientMessage {
  const fields = parseFields(frame);
  const type = typesOf[protocol].find((known) => known === fields.type);
  if (type === undefined) {
    const { requestId } = referenceIn(fields);
    throw new ProtocolError('UNKNOWN_TYPE', 'unknown message type', { requestId });
  }
  const message = parsers[type](fields);
  if (protocol === FRAMES_PROTOCOL) assertExplicit(message, fields);
  return message;
}

function parseResumption(fields: Fields, requestId: string | undefined): Resumption {
  const { sessionId, from, readOnly } = checked(AttachDto, { ...fields, type: 'hello', requestId });
  return { sessionId, from, readOnly };
}

/** What existing clients may leave open, a client of `trex.v2` says. */
function assertExplicit(message: ClientMessage, fields: Fields): void {
  if (message.type === 'input') {
    const about = referenceIn(fields);
    throw new ProtocolError('BAD_MESSAGE', 'invalid message format: input: comes in binary frames', about);
  }
  const isAddressed = message.type === 'resize' || message.type === 'close' || message.type === 'detach';
  if (isAddressed && message.sessionId === undefined) {
    throw wrongField(message.type, fields, 'sessionId', 'is missing');
  }
}

/** What a message says of itself that an answer to it may repeat. */
export function referenceIn(fields: Fields): MessageReference {
  return { sessionId: readableId(fields.sessionId), requestId: readableId(fields.requestId) };
}

/** As {@link parseInput}, by hand: one comes with every 16 KiB. */
function parseAcknowledge(fields: Fields): AcknowledgeMessage {
  const { sessions = [fields] } = fields;
  if (!Array.isArray(sessions) || sessions.length > MAX_ACKNOWLEDGED) {
    throw wrongField('acknowledge', fields, 'sessions', `must be a list of at most ${MAX_ACKNOWLEDGED}`);
  }
  const requestId = checkedRequestId('acknowledge', fields);
  return { type: 'acknowledge', requestId, sessions: sessions.map((one) => parseConsumed(one, fields)) };
}

function parseConsumed(value: unknown, fields: Fields): Consumed {
  const { sessionId, offset } = (value ?? {}) as Fields;
  const id = readableId(sessionId);
  if (id === undefined) {
    throw wrongField(
      'acknowledge',
      fields,
      'sessionId',
      `must be a string of 1 to ${MAX_ID_LENGTH} characters`,
    );
  }
  if (typeof offset !== 'number' || !Number.isSafeInteger(offset) || offset < 0) {
    throw wrongField(
      'acknowledge',
      { ...fields, sessionId: id },
      'offset',
      'must be a whole number of bytes',
    );
  }
  return { sessionId: id, offset };
}

/**
 * The byte path: the rules of an {@link AddressedDto} with a string `data`, by hand, because class-validator takes
 * longer than all the rest of a key's way together.
 */
function parseInput(fields: Fields): ClientMessage {
  const { data, sessionId } = fields;
  if (typeof data !== 'string') throw wrongField('input', fields, 'data', 'must be a string');
  if (sessionId !== undefined && readableId(sessionId) === undefined) {
    throw wrongField('input', fields, 'sessionId', `must be a string of 1 to ${MAX_ID_LENGTH} characters`);
  }
  return {
    type: 'input',
    requestId: checkedRequestId('input', fields),
    sessionId: readableId(sessionId),
    bytes: Buffer.from(data),
  };
}

function checkedRequestId(type: ClientMessageType, fields: Fields): string | undefined {
  const { requestId } = fields;
  const id = readableId(requestId);
  if (requestId !== undefined && id === undefined) {
    throw wrongField(type, fields, 'requestId', `must be a string of 1 to ${MAX_ID_LENGTH} characters`);
  }
  return id;
}

function parseFields(frame: Buffer): Fields {
  if (hasTooManyParts(frame)) throw new ProtocolError('BAD_JSON', 'invalid message format: too many parts');
  let value: unknown;
  try {
    value = JSON.parse(frame.toString());
  } catch {
    throw new ProtocolError('BAD_JSON', 'invalid message format');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ProtocolError('BAD_MESSAGE', 'invalid message format: a message is one JSON object');
  }
  return value as Fields;
}

/** Copies the fields the class knows, and only those: `__proto__` and its like never get this far. */
function checked<T extends object>(
  dto: { new (): T; readonly fields: readonly string[] },
  fields: Fields,
): T {
  const message = new dto();
  for (const field of dto.fields) {
    if (Object.hasOwn(fields, field)) Reflect.set(message, field, fields[field]);
  }
  const [wrong] = validateSync(message, { stopAtFirstError: true });
  if (!wrong) return message;
  const [rule] = Object.values(wrong.constraints ?? {});
  throw wrongField(
    String(fields.type),
    fields,
    wrong.property,
    (rule ?? '').replace(`${wrong.property} `, ''),
  );
}

function wrongField(type: string, fields: Fields, field: string, rule: string): ProtocolError {
  const code = reasonOf.get(field) ?? 'BAD_MESSAGE';
  const { sessionId, requestId } = referenceIn(fields);
  // `create` has no session yet: its errors carry none.
  const about = type === 'create' ? { requestId } : { sessionId, requestId };
  return new ProtocolError(code, `invalid message format: ${type}: ${field} ${rule}`, about);
}

function readableId(value: unknown): string | undefined {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_ID_LENGTH ? value : undefined;
}
