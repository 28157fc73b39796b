import helmet from 'helmet';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';

type Handler = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;

const protect: Handler = helmet({
  // JSON is no page: nothing may load, run or frame it.
  contentSecurityPolicy: {
    useDefaults: false,
    directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  },
  xFrameOptions: { action: 'deny' },
  strictTransportSecurity: false,
});

/** What every answer says to browsers: who may not read, frame, sniff or keep it. A page says afterwards what it may load. */
export const protectAnswers: Handler = (request, response, next) => {
  response.setHeader('Cache-Control', 'no-store');
  protect(request, response, next);
};

/** The same, for answers that are written by hand, as `Name: value`. */
export const answerHeaders: readonly string[] = linesOf(protectAnswers);

function linesOf(handler: Handler): string[] {
  const request = new IncomingMessage(new Socket());
  const response = new ServerResponse(request);
  handler(request, response, () => undefined);
  return Object.entries(response.getHeaders()).map(([name, value]) => `${name}: ${String(value)}`);
}
