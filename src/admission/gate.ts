import { ForbiddenException, Injectable, type NestMiddleware } from '@nestjs/common';
import { type IncomingMessage } from 'node:http';
import { AppConfig } from '../config/app-config.js';
import { admit, type Refusal } from './admit.js';

/** The gate as the server's two doors use it. */
@Injectable()
export class Gate implements NestMiddleware<IncomingMessage> {
  constructor(private readonly config: AppConfig) {}

  refusal(request: IncomingMessage): Refusal {
    const { host = [], origin = [] } = request.headersDistinct;
    return admit({ hosts: host, origins: origin }, this.config);
  }

  /** REST's door. */
  use(request: IncomingMessage, _response: unknown, next: (error?: unknown) => void): void {
    const refusal = this.refusal(request);
    next(refusal === undefined ? undefined : new ForbiddenException(refusal));
  }
}
