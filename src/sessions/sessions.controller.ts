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
  ApiBearerAuth,
  ApiExtraModels,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiResponse,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import { SessionError } from '../core/session-error.js';
import { PROBLEM_MEDIA_TYPE } from '../protocol/problem.js';
import { SessionCloser } from './session-closer.js';
import { infoOf } from './session-info.js';
import { SessionRegistry } from './session-registry.js';
import { ProblemDto, RenamingDto, SessionDto, SessionIdParams } from './session.dto.js';

/** An id that no session can have is the id of no session. */
const sessionIdPipe = new ValidationPipe({
  transform: true,
  exceptionFactory: () => new SessionError('SESSION_NOT_FOUND', 'session not found'),
});

const renamingPipe = new ValidationPipe({
  transform: true,
  exceptionFactory: () => new SessionError('INVALID_NAME', 'name must be a string'),
});

function ApiProblem(status: HttpStatus, description: string): ClassDecorator & MethodDecorator {
  return ApiResponse({
    status,
    description,
    content: { [PROBLEM_MEDIA_TYPE]: { schema: { $ref: getSchemaPath(ProblemDto) } } },
  });
}

const ApiSessionId = ApiParam({ name: 'id', description: 'The session’s id.', example: 's1' });

@ApiTags('sessions')
@ApiBearerAuth()
@ApiExtraModels(ProblemDto)
@ApiProblem(HttpStatus.UNAUTHORIZED, 'A token is needed, and none or a wrong one was shown.')
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
  @ApiOkResponse({ type: SessionDto, isArray: true, description: 'The sessions; `[]` when there are none.' })
  @ApiProblem(
    HttpStatus.FORBIDDEN,
    'The request came from a page or a host name that may not use this server.',
  )
  list(): SessionDto[] {
    return this.registry.list().map(infoOf);
  }

  @Get(':id')
  @ApiOperation({ operationId: 'getSession', summary: 'Describe one session' })
  @ApiSessionId
  @ApiOkResponse({ type: SessionDto, description: 'The session.' })
  @ApiProblem(
    HttpStatus.FORBIDDEN,
    'The request came from a page or a host name that may not use this server.',
  )
  @ApiProblem(HttpStatus.NOT_FOUND, '`SESSION_NOT_FOUND`: there is no such session.')
  get(@Param(sessionIdPipe) { id }: SessionIdParams): SessionDto {
    return infoOf(this.registry.get(id));
  }

  @Patch(':id')
  @ApiOperation({
    operationId: 'renameSession',
    summary: 'Rename a session',
    description: 'Whoever watches the list is told.',
  })
  @ApiSessionId
  @ApiOkResponse({ type: SessionDto, description: 'The session, with its new name.' })
  @ApiProblem(
    HttpStatus.BAD_REQUEST,
    '`INVALID_NAME`: there is no name, or none that can be shown. `BAD_REQUEST`: the body is no JSON object.',
  )
  @ApiProblem(
    HttpStatus.FORBIDDEN,
    'The request came from a page or a host name that may not use this server, or with a token that only reads.',
  )
  @ApiProblem(HttpStatus.NOT_FOUND, '`SESSION_NOT_FOUND`: there is no such session.')
  @ApiProblem(HttpStatus.PAYLOAD_TOO_LARGE, 'The body is larger than 4 kB.')
  @ApiProblem(HttpStatus.UNSUPPORTED_MEDIA_TYPE, 'The body is not `application/json` in UTF-8.')
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
  @ApiSessionId
  @ApiNoContentResponse({ description: 'The session is gone.' })
  @ApiProblem(
    HttpStatus.FORBIDDEN,
    'The request came from a page or a host name that may not use this server.',
  )
  @ApiProblem(HttpStatus.NOT_FOUND, '`SESSION_NOT_FOUND`: there is no such session.')
  @ApiProblem(
    HttpStatus.GATEWAY_TIMEOUT,
    '`CLOSE_TIMEOUT`: its processes could not be ended within 5 s; the session stays listed and goes on closing.',
  )
  close(@Param(sessionIdPipe) { id }: SessionIdParams): Promise<void> {
    return this.closer.closeAndWait(id);
  }
}
