import { BadRequestException, MethodNotAllowedException } from '@nestjs/common';
import { type OpenAPIObject } from '@nestjs/swagger';
import { type NextFunction, type Request, type Response } from 'express';

interface Resource {
  readonly pattern: RegExp;
  readonly methods: readonly string[];
}

/**
 * Answers requests whose method a resource does not have, with the ones it has (RFC 9110, 15.5.6); the OpenAPI
 * document says which those are. No CORS headers: no other origin is invited.
 */
export function answerOtherMethods(
  document: OpenAPIObject,
): (request: Request, response: Response, next: NextFunction) => void {
  const resources = Object.entries(document.paths).map(([path, operations]) =>
    resourceAt(path, Object.keys(operations)),
  );
  return (request, response, next) => {
    const { method, path } = request;
    if (path.endsWith('/') && findResource(resources, path.slice(0, -1))) {
      throw new BadRequestException('the path ends in a slash: what should follow is missing');
    }
    const methods = findResource(resources, path)?.methods;
    if (!methods || methods.includes(method)) {
      next();
      return;
    }
    response.setHeader('Allow', [...methods, 'OPTIONS'].join(', '));
    if (method !== 'OPTIONS') throw new MethodNotAllowedException(`${method} is not allowed here`);
    response.status(204).end();
  };
}

function resourceAt(path: string, operations: readonly string[]): Resource {
  const methods = operations.map((operation) => operation.toUpperCase());
  return {
    pattern: new RegExp(`^${path.replaceAll(/\{[^}]+\}/g, '[^/]+')}$`, 'i'),
    methods: [...methods, ...(methods.includes('GET') ? ['HEAD'] : [])],
  };
}

function findResource(resources: readonly Resource[], path: string): Resource | undefined {
  return resources.find(({ pattern }) => pattern.test(path));
}
