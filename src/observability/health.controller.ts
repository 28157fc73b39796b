import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';
import { VERSION } from '../config/version.js';

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
  health(): HealthDto {
    return { status: 'ok', version: VERSION };
  }
}
