import { STATUS_CODES } from 'node:http';
import { type Duplex } from 'node:stream';
import { answerHeaders } from '../admission/answer-headers.js';
import { codeOfTitle, problem, PROBLEM_MEDIA_TYPE } from '../protocol/problem.js';

export interface HttpRefusal {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly headers?: readonly string[];
}

export function codeOfStatus(status: number): string {
  return codeOfTitle(STATUS_CODES[status] ?? '');
}

/** Answers over plain HTTP on a socket whose request never reaches the router, and hangs up. */
export function refuse(
  socket: Duplex,
  { status, code, detail, headers = ['Connection: close'] }: HttpRefusal,
): void {
  const title = STATUS_CODES[status] ?? '';
  const body = JSON.stringify(problem(status, title, code, detail));
  socket.once('finish', () => socket.destroy());
  socket.end(
    [
      `HTTP/1.1 ${status} ${title}`,
      ...headers,
      `Content-Type: ${PROBLEM_MEDIA_TYPE}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      ...answerHeaders,
      '',
      body,
    ].join('\r\n'),
  );
}
