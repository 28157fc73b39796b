/** A client's process: does what one measure asks of a client, and tells what came of it. */
import { type ClientAnswer, type ClientTask } from './client-process.js';
import { type Target } from './server-process.js';

const [measure = '', text = ''] = process.argv.slice(2);
const { target, given } = JSON.parse(text) as { target: Target; given: unknown };

function answer(message: ClientAnswer): void {
  process.send?.(message, () => process.exit());
}

process.on('uncaughtException', (error) => answer({ failure: error.message }));

async function main(): Promise<void> {
  const { client } = (await import(`../measures/${measure}.js`)) as { client: ClientTask };
  answer({ found: await client(target, given) });
}

main().catch((error: unknown) => answer({ failure: error instanceof Error ? error.message : String(error) }));
