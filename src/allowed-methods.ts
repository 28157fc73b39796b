import { BadRequestException, MethodNotAllowedException } from '@nestjs/common';
import { type OpenAPIObject } from '@nestjs/swagger';
import { type NextFunction, type Request, type Response } from 'express';

interface Resource {
  readonly pattern: RegExp;
  readonly methods: readonly string[];
}

/**
 * Answers requests whose method a resource does not have, with the ones it has (RFC 9110, 15.5.6); the OpenAPI
 * document says which those are; `pages` are what it does not describe and can only be read. Which origins are invited to
 * is the gate's to say.
 */
export function answerOtherMethods(
  document: OpenAPIObject,
  pages: readonly string[],
): (request: Request, response: Response, next: NextFunction) => void {
  const resources = [
    ...Object.entries(document.paths).map(([path, operations]) => resourceAt(path, Object.keys(operations))),
    ...pages.map((path) => resourceAt(path, ['get'])),
  ];
  return (request, response, next) => {
    const { method, path } = request;
    const methods = findResource(resources, path)?.methods;
    if (!methods && path.endsWith('/') && findResource(resources, path.slice(0, -1))) {
      throw new BadRequestException('the path ends in a slash: what should follow is missing');
    }
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
  const pattern = path.replaceAll('.', '\\.').replaceAll(/\{[^}]+\}/g, '[^/]+');
  return {
    pattern: new RegExp(`^${pattern}$`, 'i'),
    methods: [...methods, ...(methods.includes('GET') ? ['HEAD'] : [])],
  };
}

function findResource(resources: readonly Resource[], path: string): Resource | undefined {
  return resources.find(({ pattern }) => pattern.test(path));
}
