import { type INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { VERSION } from './config/version.js';
import { describeProblems } from './openapi-problems.js';

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
    .addServer('https://{name}', 'Behind a proxy with TLS', { name: { default: 'trex.example' } })
    .addSecurity('bearer', {
      type: 'http',
      scheme: 'bearer',
      description:
        'The token, where the server asks for one: `GET /api/auth/enabled` tells. A server for one user of one machine, as it ' +
        'starts without configuration, does not.',
    })
    .addSecurity('cookie', {
      type: 'apiKey',
      in: 'cookie',
      name: 'trex-3000',
      description:
        'What `POST /api/auth` gives a browser for the token, named after the server’s port (over TLS `__Host-trex-443`). ' +
        'Without `Origin` it only lets read.',
    })
    .addSecurityRequirements('bearer')
    .addSecurityRequirements('cookie')
    .addSecurityRequirements({})
    .addTag('sessions', 'Terminals and their processes')
    .addTag('auth', 'Who is let in')
    .addTag('health', 'The server itself')
    .build();
  return describeProblems(SwaggerModule.createDocument(app, description));
}
