import { type INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { VERSION } from './config/version.js';

/** The OpenAPI document of the REST API: what is served, and what is committed as `openapi.json`. */
export function openApiDocument(app: INestApplication): OpenAPIObject {
  const description = new DocumentBuilder()
    .setTitle('trex')
    .setDescription(
      'A multi-session terminal server. This is its REST API: it lists and closes sessions. They are created and used ' +
        'over the WebSocket at `/ws`.',
    )
    .setVersion(VERSION)
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addServer('/', 'The server this document comes from')
    .addServer('http://127.0.0.1:3000', 'A server on this machine, as it starts without configuration')
    .addBearerAuth({
      type: 'http',
      scheme: 'bearer',
      description: 'Where the server asks for a token: see `GET /api/auth/enabled`.',
    })
    .addTag('sessions', 'Terminals and their processes')
    .addTag('auth', 'Who is let in')
    .addTag('health', 'The server itself')
    .build();
  return SwaggerModule.createDocument(app, description);
}
