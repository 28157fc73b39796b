import { BadRequestException, HttpException, HttpStatus } from '@nestjs/common';
import { json, type NextFunction, type Request, type Response } from 'express';

/** Many times what a session's name takes. */
export const MAX_BODY_BYTES = 4096;

type Handler = (request: Request, response: Response, next: NextFunction) => void;

const JSON_TYPE = 'application/json';

const NO_OBJECT = 'the body must be a JSON object';

/** Reads the JSON that a request of `method` to a path like `pattern` brings; of any other, no body is read. */
export function readJson(method: string, pattern: RegExp): Handler {
  const read = json({ limit: MAX_BODY_BYTES, strict: true, inflate: false });
  return (request, response, next) => {
    if (request.method !== method || !pattern.test(request.path)) {
      next();
      return;
    }
    const isJson = request.is(JSON_TYPE);
    if (isJson === null) throw new BadRequestException(NO_OBJECT);
    if (isJson === false) {
      throw new HttpException(`the body must be ${JSON_TYPE}`, HttpStatus.UNSUPPORTED_MEDIA_TYPE);
    }
    read(request, response, (error?: unknown) => next(error === undefined ? undefined : refusalOf(error)));
  };
}

/** In our own words: the parser's repeat what was sent. */
function refusalOf(error: unknown): unknown {
  const { status } = error as { status?: unknown };
  if (status === HttpStatus.PAYLOAD_TOO_LARGE) {
    return new HttpException(`the body may have ${MAX_BODY_BYTES} bytes at most`, status);
  }
  if (status === HttpStatus.UNSUPPORTED_MEDIA_TYPE) {
    return new HttpException('the body must be UTF-8, and not compressed', status);
  }
  if (status === HttpStatus.BAD_REQUEST) return new BadRequestException(NO_OBJECT);
  return error;
}
