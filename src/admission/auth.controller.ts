import { Controller, Delete, Get, HttpCode, HttpStatus, Post, Req, Res } from '@nestjs/common';
import {
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiProperty,
  ApiSchema,
  ApiTags,
} from '@nestjs/swagger';
import { type IncomingMessage, type ServerResponse } from 'node:http';
import { Gate } from './gate.js';

@ApiSchema({ name: 'AuthEnabled' })
class AuthEnabledDto {
  @ApiProperty({ description: 'Whether a token is needed.', example: false })
  enabled!: boolean;

  @ApiProperty({
    description:
      'Whether this request would be let in elsewhere: it needs no token, or has shown a good one.',
    example: true,
  })
  authenticated!: boolean;
}

/** How a browser gets in where a token is needed: it shows the token once, and keeps a cookie that no script can read. */
@ApiTags('auth')
@Controller('auth')
export class AuthController {
  constructor(private readonly gate: Gate) {}

  @Get('enabled')
  @ApiOperation({ operationId: 'isAuthEnabled', summary: 'Tell whether a token is needed, and shown' })
  @ApiOkResponse({
    type: AuthEnabledDto,
    description: 'Whether it is, and whether it was shown.',
    examples: {
      notNeeded: { summary: 'No token is needed', value: { enabled: false, authenticated: true } },
      notShown: {
        summary: 'One is needed, and was not shown',
        value: { enabled: true, authenticated: false },
      },
    },
  })
  enabled(@Req() request: IncomingMessage): AuthEnabledDto {
    return { enabled: this.gate.isTokenRequired, authenticated: this.gate.isAuthenticated(request) };
  }

  @Post()
  @HttpCode(HttpStatus.NO_CONTENT)
  @ApiOperation({
    operationId: 'logIn',
    summary: 'Trade a token for a cookie',
    description:
      'The token comes as `Authorization: Bearer`. The cookie cannot be read by scripts, is sent to this server only ' +
      'and by its own pages only, and lets do what the token does, for 30 days at most and until the token changes.',
  })
  @ApiNoContentResponse({
    description: 'Logged in; without a cookie where no token is needed.',
    headers: {
      'Set-Cookie': {
        required: false,
        description: 'The cookie.',
        schema: { type: 'string' },
        example: 'trex-3000=…; Path=/; Max-Age=2592000; HttpOnly; SameSite=Strict',
      },
    },
  })
  logIn(@Req() request: IncomingMessage, @Res({ passthrough: true }) response: ServerResponse): void {
    const cookie = this.gate.login(request);
    if (cookie !== undefined) response.setHeader('Set-Cookie', cookie);
  }

  @Delete()
  @HttpCode(HttpStatus.NO_CONTENT)
  @ApiOperation({ operationId: 'logOut', summary: 'Forget the cookie' })
  @ApiNoContentResponse({
    description: 'The browser has forgotten it.',
    headers: {
      'Set-Cookie': {
        required: true,
        description: 'An empty cookie.',
        schema: { type: 'string' },
        example: 'trex-3000=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict',
      },
    },
  })
  logOut(@Req() request: IncomingMessage, @Res({ passthrough: true }) response: ServerResponse): void {
    response.setHeader('Set-Cookie', this.gate.logout(request));
  }
}
