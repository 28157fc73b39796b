import { type LoggerService, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type NestExpressApplication } from '@nestjs/platform-express';
import { SwaggerModule } from '@nestjs/swagger';
import helmet from 'helmet';
import { protectAnswers } from './admission/answer-headers.js';
import { METRICS_PATH, WEBSOCKET_PATH } from './admission/doors.js';
import { Gate } from './admission/gate.js';
import { answerOtherMethods } from './allowed-methods.js';
import { AppModule } from './app.module.js';
import { type AppConfig } from './config/app-config.js';
import { Clock } from './core/clock.js';
import { SessionEvents } from './core/session-events.js';
import { Statistics } from './core/statistics.js';
import { HttpAdapter } from './http-adapter.js';
import { readJson } from './json-body.js';
import { serveMetrics } from './metrics-page.js';
import { EventLoopDelay } from './observability/event-loop-delay.js';
import { SessionFigures } from './observability/session-figures.js';
import { type Telemetry } from './observability/telemetry.js';
import { openApiDocument } from './openapi.js';
import { Page } from './page/page.js';
import { requireUpgrade } from './require-upgrade.js';
import { ProblemFilter } from './sessions/problem.filter.js';
import { TerminalAdapter } from './terminal/terminal.adapter.js';
import { TerminalGateway } from './terminal/terminal.gateway.js';
import { answerUnusualRequests } from './unusual-requests.js';

const DOCS_PATH = 'api/docs';
const DOCUMENT_PATH = 'api/openapi.json';

/** What the OpenAPI document does not describe. */
const PAGES = [`/${DOCS_PATH}`, `/${DOCS_PATH}/`, `/${DOCUMENT_PATH}`, WEBSOCKET_PATH];

const SESSION_PATH = /^\/api\/sessions\/[^/]+$/i;

/** The page of the API's documentation runs its own scripts, and has its styles in the page. */
const docsPolicy = {
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'", "'unsafe-inline'"],
    imgSrc: ["'self'", 'data:'],
    connectSrc: ["'self'"],
    frameAncestors: ["'none'"],
  },
};

/** The application, ready to listen: the only way it is built, by tests too. */
export async function createApp(
  config: AppConfig,
  ptyModule: Type,
  logger: LoggerService | false = false,
  telemetry?: Telemetry,
): Promise<NestExpressApplication> {
  const module = AppModule.with(config, ptyModule);
  const app = await NestFactory.create<NestExpressApplication>(module, new HttpAdapter(config), {
    logger,
    abortOnError: false,
    // Only one request has a body, which is read once it is known to be let in.
    bodyParser: false,
  });
  const statistics = app.get(Statistics);
  answerUnusualRequests(app.getHttpServer(), statistics.refusals.gate);
  const gate = app.get(Gate);
  const page = app.get(Page);
  const document = (): ReturnType<typeof openApiDocument> => openApiDocument(app);
  const clock = app.get(Clock);
  app.setGlobalPrefix('api');
  if (telemetry) {
    const requests = telemetry.watch({
      config,
      clock,
      statistics,
      events: app.get(SessionEvents),
      sessions: app.get(SessionFigures),
      eventLoop: app.get(EventLoopDelay),
    });
    app.use(requests.use.bind(requests));
  }
  app.use(protectAnswers);
  app.use(`/${DOCS_PATH}`, helmet.contentSecurityPolicy(docsPolicy));
  app.use(gate.use.bind(gate));
  const metrics = telemetry?.hasPage ? [METRICS_PATH] : [];
  app.use(answerOtherMethods(document(), [...PAGES, ...metrics, ...page.paths]));
  app.use(requireUpgrade(WEBSOCKET_PATH));
  app.use(page.use.bind(page));
  if (telemetry?.hasPage) app.use(serveMetrics(METRICS_PATH, telemetry));
  app.use(readJson('PATCH', SESSION_PATH));
  app.useGlobalFilters(new ProblemFilter(statistics));
  const gateway = app.get(TerminalGateway);
  app.useWebSocketAdapter(new TerminalAdapter(app, gate, clock, config, gateway, statistics));
  SwaggerModule.setup(DOCS_PATH, app, document, { jsonDocumentUrl: DOCUMENT_PATH, raw: ['json'] });
  return app;
}
