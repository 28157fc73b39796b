/** A thread of a client's process that asks a server for its metrics, so that who reads the flood is not held up by it. */
import { once } from 'node:events';
import { parentPort, Worker, workerData } from 'node:worker_threads';

interface Given {
  readonly port: number;
  readonly everyMs: number;
}

/** Asks as often until it is stopped; an answer that has no metrics in it makes the process fail. */
export class Scraper {
  private readonly worker: Worker;

  constructor(given: Given) {
    this.worker = new Worker(__filename, { workerData: given });
  }

  /** @returns how often it has been answered */
  async stop(): Promise<number> {
    this.worker.postMessage('stop');
    const [times] = (await once(this.worker, 'message')) as [number];
    await this.worker.terminate();
    return times;
  }
}

async function scrape(port: number): Promise<void> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  if (!text.includes('trex_output_sent_bytes_total')) throw new Error('these are no metrics');
}

if (parentPort) {
  const { port, everyMs } = workerData as Given;
  let times = 0;
  setInterval(() => void scrape(port).then(() => times++), everyMs);
  parentPort.on('message', () => parentPort?.postMessage(times));
}
