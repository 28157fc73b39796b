/** A number of bytes that several queues share. */
export class ByteBudget {
  private used = 0;

  constructor(private readonly limitBytes: number) {}

  /** Takes `bytes` from the budget, all or none. @returns whether they were there. */
  take(bytes: number): boolean {
    if (this.used + bytes > this.limitBytes) return false;
    this.used += bytes;
    return true;
  }

  /** Gives back what was taken. */
  give(bytes: number): void {
    this.used -= bytes;
  }
}
