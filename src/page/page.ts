import { Injectable, type NestMiddleware, NotFoundException } from '@nestjs/common';
import { type NextFunction, type Request, type Response } from 'express';
import { PAGE_PATH } from '../admission/doors.js';
import { AppConfig } from '../config/app-config.js';
import { type PageFile, readPage } from './page-files.js';

/** What the page may do in a browser: run its own files, and talk to this server. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  // The terminal makes style elements.
  "style-src 'self' 'unsafe-inline'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "manifest-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'self'",
].join(';');

const FOR_EVER = 'public, max-age=31536000, immutable';
/** To be kept, and asked about each time whether it is the newest. */
const WHILE_IT_IS_NEW = 'no-cache';

/** The page with terminals, for browsers. Which methods its files have is said elsewhere: they can only be read. */
@Injectable()
export class Page implements NestMiddleware<Request, Response> {
  private readonly files: ReadonlyMap<string, PageFile>;
  private readonly whyNone: string;

  constructor({ pageFolder }: AppConfig) {
    this.files = pageFolder === undefined ? new Map<string, PageFile>() : readPage(pageFolder);
    this.whyNone =
      pageFolder === undefined
        ? 'this server has no page, as TREX_PAGE=off says; its API is described at /api/docs'
        : 'the page has not been built: run `npm run build`, and start the server again';
  }

  /** Where its files are. */
  get paths(): readonly string[] {
    return [...this.files.keys()];
  }

  use(request: Request, response: Response, next: NextFunction): void {
    const file = this.files.get(request.path);
    if (file) send(file, request, response);
    else if (request.path === PAGE_PATH) throw new NotFoundException(this.whyNone);
    else next();
  }
}

function send({ mediaType, isImmutable, variants }: PageFile, request: Request, response: Response): void {
  const accepted = variants.find(({ encoding }) => request.acceptsEncodings(encoding) === encoding);
  // Who takes none of them is given what everybody can read.
  const { encoding, body, etag } = accepted ?? variants.at(-1)!;
  if (encoding !== 'identity') response.setHeader('Content-Encoding', encoding);
  response.vary('Accept-Encoding');
  response.setHeader('Content-Security-Policy', POLICY);
  response.setHeader('Cache-Control', isImmutable ? FOR_EVER : WHILE_IT_IS_NEW);
  response.setHeader('Content-Type', mediaType);
  response.setHeader('ETag', etag);
  // Answers HEAD, and 304 to who has it.
  response.send(body);
}
