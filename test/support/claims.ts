/** Claims that tests wait for, looked at whenever something has happened. */
export class Claims {
  private readonly waiting = new Set<() => void>();

  /** Resolves when the claim holds; rejects after the deadline, saying `what` was waited for. */
  until(claim: () => boolean, what: () => string, deadlineMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const deadline = setTimeout(() => {
        this.waiting.delete(look);
        reject(new Error(`not within ${deadlineMs} ms: ${what()}`));
      }, deadlineMs);
      const look = (): void => {
        if (!claim()) return;
        clearTimeout(deadline);
        this.waiting.delete(look);
        resolve();
      };
      this.waiting.add(look);
      look();
    });
  }

  look(): void {
    for (const look of [...this.waiting]) look();
  }
}
