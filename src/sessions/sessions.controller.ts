import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  HttpStatus,
  Param,
  Patch,
  ValidationPipe,
} from '@nestjs/common';
import {
  ApiBody,
  ApiExtension,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { SessionError } from '../core/session-error.js';
import { SessionCloser } from './session-closer.js';
import { infoOf } from './session-info.js';
import { SessionRegistry } from './session-registry.js';
import { RenamingDto, SessionDto, SessionIdParams } from './session.dto.js';

/** An id that no session can have is the id of no session. */
const sessionIdPipe = new ValidationPipe({
  transform: true,
  exceptionFactory: () => new SessionError('SESSION_NOT_FOUND', 'session not found'),
});

const renamingPipe = new ValidationPipe({
  transform: true,
  exceptionFactory: () => new SessionError('INVALID_NAME', 'name must be a string'),
});

/** What the operation answers besides what any does; described in src/openapi-problems.ts. */
const ApiProblems = (...codes: readonly string[]): MethodDecorator =>
  ApiExtension('x-problems', codes) as MethodDecorator;

const running: SessionDto = {
  id: 's1',
  name: 'bash-1',
  shellType: 'bash',
  status: 'active',
  createdAt: '2026-11-23T09:30:00.000Z',
  persistent: false,
  cwd: '/home/ada/project',
  title: 'vim README.md',
};

const killed: SessionDto = {
  id: 's2',
  name: 'tests',
  shellType: 'sh',
  status: 'exited',
  createdAt: '2026-11-23T09:31:00.000Z',
  persistent: true,
  cwd: '/tmp',
  exitCode: 137,
  signal: 'SIGKILL',
};

const theRunning = { summary: 'One that is running', value: running };
const theKilled = { summary: 'One that a signal ended', value: killed };

@ApiTags('sessions')
@Controller('sessions')
export class SessionsController {
  constructor(
    private readonly registry: SessionRegistry,
    private readonly closer: SessionCloser,
  ) {}

  @Get()
  @ApiOperation({
    operationId: 'listSessions',
    summary: 'List the sessions',
    description: 'All sessions of this server in the order of their creation, whichever client created them.',
  })
  @ApiOkResponse({
    type: SessionDto,
    isArray: true,
    description: 'The sessions; `[]` when there are none.',
    examples: {
      some: { summary: 'Two sessions', value: [running, killed] },
      none: { summary: 'No session', value: [] },
    },
  })
  list(): SessionDto[] {
    return this.registry.list().map(infoOf);
  }

  @Get(':id')
  @ApiOperation({ operationId: 'getSession', summary: 'Describe one session' })
  @ApiOkResponse({
    type: SessionDto,
    description: 'The session.',
    examples: { running: theRunning, killed: theKilled },
  })
  @ApiProblems('SESSION_NOT_FOUND')
  get(@Param(sessionIdPipe) { id }: SessionIdParams): SessionDto {
    return infoOf(this.registry.get(id));
  }

  @Patch(':id')
  @ApiOperation({
    operationId: 'renameSession',
    summary: 'Rename a session',
    description: 'Whoever watches the list is told.',
  })
  @ApiBody({
    type: RenamingDto,
    required: true,
    examples: { plain: { summary: 'One word', value: { name: 'tests' } } },
  })
  @ApiOkResponse({
    type: SessionDto,
    description: 'The session, with its new name.',
    examples: { renamed: { summary: 'The renamed session', value: { ...running, name: 'tests' } } },
  })
  @ApiProblems('INVALID_NAME', 'SESSION_NOT_FOUND', 'PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE')
  rename(
    @Param(sessionIdPipe) { id }: SessionIdParams,
    @Body(renamingPipe) { name }: RenamingDto,
  ): SessionDto {
    const session = this.registry.get(id);
    session.rename(name);
    return infoOf(session);
  }

  @Delete(':id')
  @HttpCode(HttpStatus.NO_CONTENT)
  @ApiOperation({
    operationId: 'closeSession',
    summary: 'Close a session',
    description:
      'Ends every process of the session’s terminal and answers once they are gone and the session is out of the ' +
      'list. Its viewers get `exit`; their connections stay open. Closing one session several times at once is ' +
      'closing it once.',
  })
  @ApiNoContentResponse({ description: 'The session is gone.' })
  @ApiProblems('SESSION_NOT_FOUND', 'CLOSE_TIMEOUT')
  close(@Param(sessionIdPipe) { id }: SessionIdParams): Promise<void> {
    return this.closer.closeAndWait(id);
  }
}
