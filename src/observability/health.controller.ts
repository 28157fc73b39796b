import { Controller, Get, ServiceUnavailableException } from '@nestjs/common';
import { ApiExtension, ApiOkResponse, ApiOperation, ApiProperty, ApiSchema, ApiTags } from '@nestjs/swagger';
import { VERSION } from '../config/version.js';
import { type Hindrance, Readiness } from './readiness.js';

@ApiSchema({ name: 'Health' })
class HealthDto {
  @ApiProperty({ enum: ['ok'], description: 'A server that is not does not answer.', example: 'ok' })
  status!: 'ok';

  @ApiProperty({ description: 'The server’s version.', example: VERSION })
  version!: string;
}

@ApiSchema({ name: 'Readiness' })
class ReadinessDto {
  @ApiProperty({ enum: ['ready'], description: 'A server that is not answers 503.', example: 'ready' })
  status!: 'ready';
}

/** Said to anybody who asks: no figures. */
const sentences: Readonly<Record<Hindrance, string>> = {
  draining: 'the server is stopping',
  sessions: 'nearly as many sessions are running as may',
  connections: 'nearly as many WebSockets are open as may',
  eventLoop: 'the server is late: its event loop was more than 200 ms behind, or stood still',
};

@ApiTags('health')
@Controller('health')
export class HealthController {
  constructor(private readonly readiness: Readiness) {}

  @Get()
  @ApiOperation({ operationId: 'getHealth', summary: 'Tell whether the server is alive' })
  @ApiOkResponse({ type: HealthDto, description: 'It is.', example: { status: 'ok', version: VERSION } })
  health(): HealthDto {
    return { status: 'ok', version: VERSION };
  }

  @Get('ready')
  @ApiOperation({
    operationId: 'getReadiness',
    summary: 'Tell whether the server is ready for more',
    description:
      'It is not while it is stopping, while 90 % of the sessions it allows are running or of the WebSockets it allows are ' +
      'open, or while its event loop was more than 200 ms late at p99, or once more than a second, in the last ten ' +
      'seconds. What runs goes on running. Open to whoever may ask for `/api/health`.',
  })
  @ApiOkResponse({ type: ReadinessDto, description: 'It is.', example: { status: 'ready' } })
  // Its `detail` says why it is not, without figures.
  @ApiExtension('x-problems', ['SERVICE_UNAVAILABLE'])
  ready(): ReadinessDto {
    const [first, ...more] = this.readiness.hindrances().map((name) => sentences[name]);
    if (first === undefined) return { status: 'ready' };
    throw new ServiceUnavailableException(`not ready: ${[first, ...more].join('; ')}`);
  }
}
