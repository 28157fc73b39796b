/**
 * A client in a process of its own, to be killed or stopped in the middle of anything: shows one session, and says when
 * something has come. Its parent holds the token, and goes on. Arguments: port, bytes per second.
 */
import { ReturningClient, Talk } from '../../../bench/clients/returning-client.js';

/** What it says, once. */
export interface Told {
  readonly resumeToken: string;
  readonly sessionId: string;
  readonly talkerPid: number;
}

async function main(): Promise<void> {
  const [port = 0, bytesPerSecond = 0] = process.argv.slice(2).map(Number);
  const client = new ReturningClient(port);
  await client.client.connect();
  const talk = new Talk();
  await talk.begin(client, bytesPerSecond);
  // In the middle of something: it types without end.
  setInterval(() => talk.type(), 5);
  const told: Told = {
    resumeToken: client.client.resumeToken ?? '',
    sessionId: talk.sessionId,
    talkerPid: talk.pid,
  };
  process.send?.(told);
}

process.once('disconnect', () => process.exit());
void main();
