/**
 * A client in a process of its own, to be killed, stopped or cut off in the middle of anything: shows one session, and says
 * when something has come. Its parent holds the token, and may go on; or it asks how far it has come, and in the end
 * what it has found. Arguments: port, bytes per second, host; `RELIABILITY_TOKEN` lets it in.
 */
import { ReturningClient, Talk } from '../../../bench/clients/returning-client.js';
import { until } from '../../support/until.js';

/** What it says, once. */
export interface Told {
  readonly resumeToken: string;
  readonly sessionId: string;
  readonly talkerPid: number;
}

export type Asked = 'progress' | 'end';

/** What it answers, once it has ended its session if it was asked to. */
export interface Progress {
  readonly bytes: number;
  readonly inputBytes: number;
  /** Connections after the first. */
  readonly resumes: number;
  /** In words. */
  readonly problems: readonly string[];
}

/** Of output, so that it is in the middle of something. */
const UNDER_WAY_BYTES = 16_384;

async function main(): Promise<void> {
  const [port = '', bytesPerSecond = '', host = '127.0.0.1'] = process.argv.slice(2);
  const client = new ReturningClient(Number(port), { host, token: process.env.RELIABILITY_TOKEN });
  await client.client.connect();
  const talk = new Talk();
  await talk.begin(client, Number(bytesPerSecond));
  const typing = setInterval(() => talk.type(), 5);
  process.on('message', (asked: Asked) => {
    if (asked === 'progress') process.send?.(progress(client, talk, []));
    else void end(client, talk, typing).then((found) => process.send?.(found));
  });
  await until(() => talk.checker.offset >= UNDER_WAY_BYTES, 'it is under way');
  const told: Told = {
    resumeToken: client.client.resumeToken ?? '',
    sessionId: talk.sessionId,
    talkerPid: talk.pid,
  };
  process.send?.(told);
}

async function end(client: ReturningClient, talk: Talk, typing: NodeJS.Timeout): Promise<Progress> {
  clearInterval(typing);
  const { wrongInput } = await talk.end();
  client.client.close();
  const problems = [
    talk.checker.wrongLines > 0 ? `I1: ${talk.checker.wrongLines} wrong lines` : '',
    talk.gaps > 0 ? `I1: ${talk.gaps} gaps of ${talk.gapBytes} bytes, where nothing was to be lost` : '',
    wrongInput + talk.lost > 0 ? 'I2: it was typed something else, or lost' : '',
    talk.exits !== 1 || talk.bytesAfterExit > 0
      ? `I8: ${talk.exits} exits, ${talk.bytesAfterExit} bytes after`
      : '',
    client.arrivals.slice(1).every(({ isKnown }) => isKnown) ? '' : 'it was forgotten',
  ];
  return progress(client, talk, problems.filter(Boolean));
}

function progress({ arrivals }: ReturningClient, talk: Talk, problems: readonly string[]): Progress {
  const { checker, typedBytes } = talk;
  return { bytes: checker.offset, inputBytes: typedBytes, resumes: arrivals.length - 1, problems };
}

process.once('disconnect', () => process.exit());
void main();
