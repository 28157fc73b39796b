import { type HttpException } from '@nestjs/common';
import { type Request, type Response } from 'express';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { MAX_BODY_BYTES, readJson } from './json-body.js';

const read = readJson('PATCH', /^\/api\/things\/[^/]+$/i);

interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly type?: string;
  readonly encoding?: string;
  readonly body?: string | Buffer;
}

/** What is known of the body afterwards, or the refusal. */
async function outcome({
  method = 'PATCH',
  path = '/api/things/s1',
  type,
  encoding,
  body,
}: Sent): Promise<unknown> {
  const sent = new IncomingMessage(new Socket());
  const headers = {
    ...(type !== undefined && { 'content-type': type }),
    ...(encoding !== undefined && { 'content-encoding': encoding }),
    ...(body !== undefined && { 'content-length': String(Buffer.byteLength(body)) }),
  };
  const is = (wanted: string): string | false | null => {
    if (body === undefined) return null;
    return type?.split(';')[0] === wanted ? wanted : false;
  };
  const request = Object.assign(sent, { method, url: path, path, headers, is }) as unknown as Request;
  if (body !== undefined) sent.push(body);
  sent.push(null);
  const refused = await passed(request, new ServerResponse(sent) as Response).catch(
    (error: unknown) => error,
  );
  if (refused === undefined) return request.body;
  const refusal = refused as HttpException;
  return [refusal.getStatus(), refusal.message];
}

/** With what it goes on. */
function passed(request: Request, response: Response): Promise<unknown> {
  return new Promise((resolve) => read(request, response, resolve));
}

const type = 'application/json';

describe('the JSON of a request', () => {
  it.each<[string, Sent, unknown]>([
    ['is read', { type, body: '{"name":"tests"}' }, { name: 'tests' }],
    ['may say its charset', { type: `${type}; charset=utf-8`, body: '{"name":"ä"}' }, { name: 'ä' }],
    [
      'may be as large as this',
      { type, body: `{"a":"${'x'.repeat(MAX_BODY_BYTES - 8)}"}` },
      expect.anything(),
    ],
    ['is not read elsewhere', { type, body: '{', path: '/api/things' }, undefined],
    ['is not read elsewhere below', { type, body: '{', path: '/api/things/s1/more' }, undefined],
    ['is not read of another method', { type, body: '{', method: 'DELETE' }, undefined],
  ])('%s', async (_what, sent, expected) => {
    expect(await outcome(sent)).toEqual(expected);
  });

  it.each<[string, Sent, number, RegExp]>([
    ['none', {}, 400, /must be a JSON object/],
    ['a broken one', { type, body: '{"name":' }, 400, /^the body must be a JSON object$/],
    ['a text', { type, body: '"secret"' }, 400, /^the body must be a JSON object$/],
    ['a nothing', { type, body: 'null' }, 400, /must be a JSON object/],
    ['one too large', { type, body: `{"a":"${'x'.repeat(MAX_BODY_BYTES)}"}` }, 413, /4096 bytes at most/],
    ['another type', { type: 'text/plain', body: '{}' }, 415, /application\/json/],
    ['no type', { body: '{}' }, 415, /application\/json/],
    ['another charset', { type: `${type}; charset=latin1`, body: '{}' }, 415, /UTF-8/],
    ['a compressed one', { type, encoding: 'gzip', body: '{}' }, 415, /not compressed/],
  ])('refuses %s', async (_what, sent, status, detail) => {
    expect(await outcome(sent)).toEqual([status, expect.stringMatching(detail)]);
  });
});
