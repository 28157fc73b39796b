import { type ProcessExit, type Pty, type PtyFactory } from '../core/pty.js';
import { DEFAULT_SIZE } from '../core/terminal-size.js';

const TEXT = 'trex self-test';
const CODE = 7;

/**
 * Proves at the start that processes can be started, read to the end and reaped here: what is used of node-pty is
 * not public, and its native part is built for each platform.
 * @param cwd where the shell starts
 * @throws one Error with a sentence that says what is wrong.
 */
export async function selfTest(factory: PtyFactory, cwd = '/', deadlineMs = 5000): Promise<void> {
  const { output, exit } = await trial(factory, cwd, deadlineMs).catch((error: unknown) => {
    throw new Error(`terminals do not work on this machine: ${sentenceOf(error)}`, { cause: error });
  });
  if (output === TEXT && exit.code === CODE && exit.signal === undefined) return;
  throw new Error(
    `terminals do not work on this machine: a shell that prints "${TEXT}" and exits with ${CODE} ` +
      `was seen to print ${JSON.stringify(output)} and exit with ${exit.signal ?? exit.code}`,
  );
}

async function trial(
  factory: PtyFactory,
  cwd: string,
  deadlineMs: number,
): Promise<{ output: string; exit: ProcessExit }> {
  let output = '';
  let deadline: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    deadline = setTimeout(() => reject(new Error(`a shell did not end within ${deadlineMs} ms`)), deadlineMs);
  });
  let ended!: (exit: ProcessExit) => void;
  const exited = new Promise<ProcessExit>((resolve) => (ended = resolve));
  const spawned = factory.spawn(
    {
      file: '/bin/sh',
      args: ['-c', `printf '%s' '${TEXT}'; exit ${CODE}`],
      cwd,
      size: DEFAULT_SIZE,
    },
    {
      output: (bytes) => (output += Buffer.from(bytes).toString()),
      writable: () => undefined,
      ended,
    },
  );
  const over = (pty: Pty): Promise<void> => pty.close();
  try {
    const pty = await Promise.race([spawned, late]);
    const exit = await Promise.race([exited, late]).finally(() => over(pty));
    return { output, exit };
  } finally {
    clearTimeout(deadline);
    // However late it comes, it does not stay.
    void spawned.then(over, () => undefined);
  }
}

/** The reason under the refusal, when there is one: "could not be started" helps nobody. */
function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const [firstLine = ''] = error.message.split('\n');
  return error.cause === undefined ? firstLine : `${firstLine} (${sentenceOf(error.cause)})`;
}
