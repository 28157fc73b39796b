import {
  type ArgumentsHost,
  Catch,
  type ExceptionFilter,
  HttpException,
  HttpStatus,
  Logger,
} from '@nestjs/common';
import { type ServerResponse, STATUS_CODES } from 'node:http';
import { SessionError, type SessionErrorCode } from '../core/session-error.js';
import { Statistics } from '../core/statistics.js';
import { codeOfTitle, problem, type Problem, PROBLEM_MEDIA_TYPE } from '../protocol/problem.js';
import { SESSION_ID } from '../protocol/session-id.js';

const statusOf: Record<SessionErrorCode, HttpStatus> = {
  INVALID_SIZE: HttpStatus.BAD_REQUEST,
  INVALID_SHELL: HttpStatus.BAD_REQUEST,
  INVALID_CWD: HttpStatus.BAD_REQUEST,
  INVALID_NAME: HttpStatus.BAD_REQUEST,
  SESSION_NOT_FOUND: HttpStatus.NOT_FOUND,
  SESSION_ENDED: HttpStatus.CONFLICT,
  SESSION_LIMIT: HttpStatus.SERVICE_UNAVAILABLE,
  READ_ONLY: HttpStatus.FORBIDDEN,
  BAD_OFFSET: HttpStatus.BAD_REQUEST,
  BAD_INPUT_OFFSET: HttpStatus.CONFLICT,
  INPUT_QUEUE_FULL: HttpStatus.SERVICE_UNAVAILABLE,
  SPAWN_FAILED: HttpStatus.SERVICE_UNAVAILABLE,
  CLOSE_TIMEOUT: HttpStatus.GATEWAY_TIMEOUT,
};

/** Every error of the REST API → problem details; a bug is logged whole and told without detail. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger(ProblemFilter.name);

  constructor(private readonly statistics: Statistics = new Statistics()) {
    statistics.refusals.rest.know([...Object.keys(statusOf), 'INTERNAL']);
  }

  catch(error: unknown, host: ArgumentsHost): void {
    const { params } = host.switchToHttp().getRequest<{ params?: { id?: string } }>();
    // Whoever asks chooses what the path says.
    const sessionId = SESSION_ID.test(params?.id ?? '') ? params?.id : undefined;
    const answer = this.problemOf(error, sessionId);
    const response = host.switchToHttp().getResponse<ServerResponse>();
    if (response.headersSent) {
      response.destroy();
      return;
    }
    response.writeHead(answer.status, { 'Content-Type': PROBLEM_MEDIA_TYPE }).end(JSON.stringify(answer));
  }

  private problemOf(error: unknown, sessionId: string | undefined): Problem {
    if (error instanceof SessionError) {
      this.statistics.refusals.rest.add(error.code);
      this.logger.debug({ sessionId, reason: error.code, msg: error.message });
      return described(statusOf[error.code], error.code, error.message);
    }
    if (error instanceof HttpException)
      return described(error.getStatus(), codeOfTitle(titleOf(error.getStatus())), error.message);
    this.statistics.refusals.rest.add('INTERNAL');
    this.logger.error({ sessionId, err: error, msg: 'a request met a bug' });
    return described(HttpStatus.INTERNAL_SERVER_ERROR, 'INTERNAL', 'something went wrong in the server');
  }
}

function described(status: number, code: string, detail: string): Problem {
  return problem(status, titleOf(status), code, detail);
}

function titleOf(status: number): string {
  return STATUS_CODES[status] ?? 'Error';
}
