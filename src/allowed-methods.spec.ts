import { type OpenAPIObject } from '@nestjs/swagger';
import { type Request, type Response } from 'express';
import { answerOtherMethods } from './allowed-methods.js';

const guard = answerOtherMethods(
  {
    paths: {
      '/api/things': { get: {} },
      '/api/things/{id}': { get: {}, delete: {} },
      '/api/jobs': { post: {} },
    },
  } as unknown as OpenAPIObject,
  ['/api/page', '/api/page/', '/api/data.json'],
);

function answer(method: string, path: string): { passed: boolean; allow?: string; status?: number } {
  const result: ReturnType<typeof answer> = { passed: false };
  const response = {
    setHeader: (_name: string, value: string) => (result.allow = value),
    status: (status: number) => {
      result.status = status;
      return { end: () => undefined };
    },
  } as unknown as Response;
  try {
    guard({ method, path } as Request, response, () => (result.passed = true));
  } catch (error) {
    result.status = (error as { getStatus(): number }).getStatus();
  }
  return result;
}

describe('methods', () => {
  it.each([
    ['GET', '/api/things'],
    ['HEAD', '/api/things'],
    ['DELETE', '/api/things/s1'],
    ['POST', '/api/jobs'],
    ['PUT', '/elsewhere'],
    ['PUT', '/elsewhere/'],
    ['GET', '/api/page'],
    ['GET', '/api/page/'],
    ['HEAD', '/api/data.json'],
    ['PUT', '/api/data-json'],
  ])('%s %s goes on to the router', (method, path) => {
    expect(answer(method, path)).toEqual({ passed: true });
  });

  it.each([
    ['DELETE', '/api/things', 'GET, HEAD, OPTIONS'],
    ['DELETE', '/API/Things', 'GET, HEAD, OPTIONS'],
    ['POST', '/api/things/s1', 'GET, DELETE, HEAD, OPTIONS'],
    ['HEAD', '/api/jobs', 'POST, OPTIONS'],
    ['POST', '/api/page', 'GET, HEAD, OPTIONS'],
    ['POST', '/api/page/', 'GET, HEAD, OPTIONS'],
    ['DELETE', '/api/data.json', 'GET, HEAD, OPTIONS'],
  ])('%s %s is refused with those there are', (method, path, allow) => {
    expect(answer(method, path)).toEqual({ passed: false, status: 405, allow });
  });

  it('are told to OPTIONS', () => {
    expect(answer('OPTIONS', '/api/things')).toEqual({
      passed: false,
      status: 204,
      allow: 'GET, HEAD, OPTIONS',
    });
  });

  it('are not asked for where the path ends too early', () => {
    expect(answer('DELETE', '/api/things/')).toEqual({ passed: false, status: 400 });
    expect(answer('GET', '/api/data.json/')).toEqual({ passed: false, status: 400 });
  });
});
