import { type IncomingMessage, type Server } from 'node:http';
import { type Duplex } from 'node:stream';
import { type Counts } from './core/statistics.js';
import { type HttpRefusal, refuse } from './terminal/refuse.js';

const tooLarge: HttpRefusal = {
  status: 431,
  code: 'REQUEST_HEADER_FIELDS_TOO_LARGE',
  detail: "the request's headers are too large",
};
const tooSlow: HttpRefusal = {
  status: 408,
  code: 'REQUEST_TIMEOUT',
  detail: 'the request did not come to its end in time',
};
const unreadable: HttpRefusal = { status: 400, code: 'BAD_REQUEST', detail: 'this is no HTTP request' };

const noTunnel: HttpRefusal = {
  status: 405,
  code: 'METHOD_NOT_ALLOWED',
  detail: 'this server is no proxy',
  headers: ['Connection: close', 'Allow: GET, HEAD'],
};

/**
 * What Node would answer by itself, without a body and before anybody has been asked: here as everywhere else, and
 * counted in `refusals`.
 */
export function answerUnusualRequests(server: Server, refusals: Counts): void {
  refusals.know([tooLarge, tooSlow, unreadable, noTunnel].map(({ code }) => code));
  const refuseCounted = (socket: Duplex, refusal: HttpRefusal): void => {
    refusals.add(refusal.code);
    refuse(socket, refusal);
  };
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    // Nobody is there any more, or an answer has begun.
    if (!socket.writable || error.code === 'ECONNRESET') socket.destroy();
    else refuseCounted(socket, refusalOf(error.code));
  });
  server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
    socket.on('error', () => socket.destroy());
    refuseCounted(socket, noTunnel);
  });
  // A server may ignore an expectation that it does not know (RFC 9110, 10.1.1): the request goes its way.
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
}

function refusalOf(code: string | undefined): HttpRefusal {
  if (code === 'HPE_HEADER_OVERFLOW') return tooLarge;
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? tooSlow : unreadable;
}
