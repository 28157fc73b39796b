/** Ends with 0 where the server of this container answers that it is alive, else with 1: HEALTHCHECK of the Dockerfile. */
import { request } from 'node:http';

/** Less than the engine waits, so that it is told why. */
const PATIENCE_MS = 4000;

const port = process.env.TREX_PORT || 3000;
const asked = request({ host: '127.0.0.1', port, path: '/api/health', agent: false }, (answer) => {
  answer.resume();
  if (answer.statusCode !== 200) sick(`it answers ${answer.statusCode}`);
  else answer.once('end', () => process.exit(0));
});
asked.once('error', ({ message }) => sick(message)).end();
setTimeout(() => sick(`no answer within ${PATIENCE_MS} ms`), PATIENCE_MS);

function sick(why) {
  console.error(`not healthy: ${why}`);
  process.exit(1);
}
