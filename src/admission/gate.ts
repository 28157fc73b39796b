import { ForbiddenException, Injectable, Logger, type NestMiddleware } from '@nestjs/common';
import { type IncomingMessage } from 'node:http';
import { AppConfig } from '../config/app-config.js';
import { admit, type Refusal } from './admit.js';

/** More of a header than this helps nobody, and whoever is refused would choose how long a log line is. */
const LOGGED_CHARACTERS = 100;

/** The gate as the server's two doors use it. */
@Injectable()
export class Gate implements NestMiddleware<IncomingMessage> {
  private readonly logger = new Logger(Gate.name);

  constructor(private readonly config: AppConfig) {}

  /** Logs what it refuses: to be asked once per request. */
  refusal(request: IncomingMessage): Refusal {
    const { host = [], origin = [] } = request.headersDistinct;
    const refusal = admit({ hosts: host, origins: origin }, this.config);
    if (refusal !== undefined) this.logger.warn({ host: shown(host), origin: shown(origin), msg: refusal });
    return refusal;
  }

  /** REST's door. */
  use(request: IncomingMessage, _response: unknown, next: (error?: unknown) => void): void {
    const refusal = this.refusal(request);
    next(refusal === undefined ? undefined : new ForbiddenException(refusal));
  }
}

function shown(values: readonly string[]): string {
  return values.join(', ').slice(0, LOGGED_CHARACTERS);
}
