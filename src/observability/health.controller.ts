import { Controller, Get } from '@nestjs/common';
import {
  ApiForbiddenResponse,
  ApiOkResponse,
  ApiOperation,
  ApiProperty,
  ApiSchema,
  ApiTags,
} from '@nestjs/swagger';
import { VERSION } from '../config/version.js';

@ApiSchema({ name: 'Health' })
class HealthDto {
  @ApiProperty({ description: 'Always `ok`: a server that is not does not answer.', example: 'ok' })
  status!: 'ok';

  @ApiProperty({ description: 'The server’s version.', example: VERSION })
  version!: string;
}

@ApiTags('health')
@Controller('health')
export class HealthController {
  @Get()
  @ApiOperation({ operationId: 'getHealth', summary: 'Tell whether the server is alive' })
  @ApiOkResponse({ type: HealthDto, description: 'It is.' })
  @ApiForbiddenResponse({
    description: 'The request came from a page or a host name that may not use this server.',
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  })
  health(): HealthDto {
    return { status: 'ok', version: VERSION };
  }
}
