/** What a browser's page has: whether it is shown, and whoever listens to that and to the network. */
export class FakePage {
  visibilityState: 'visible' | 'hidden' = 'visible';
  private readonly listeners: { readonly type: string; readonly listener: () => void }[] = [];

  /** This runs in it until `leave`. */
  enter(): this {
    Object.assign(globalThis, {
      document: this,
      addEventListener: this.addEventListener,
      removeEventListener: this.removeEventListener,
    });
    return this;
  }

  leave(): void {
    for (const name of ['document', 'addEventListener', 'removeEventListener']) {
      Reflect.deleteProperty(globalThis, name);
    }
  }

  get listening(): number {
    return this.listeners.length;
  }

  readonly addEventListener = (type: string, listener: () => void): void => {
    this.listeners.push({ type, listener });
  };

  readonly removeEventListener = (type: string, listener: () => void): void => {
    const index = this.listeners.findIndex((one) => one.type === type && one.listener === listener);
    if (index >= 0) this.listeners.splice(index, 1);
  };

  hide(): void {
    this.visibilityState = 'hidden';
    this.emit('visibilitychange');
  }

  show(): void {
    this.visibilityState = 'visible';
    this.emit('visibilitychange');
  }

  /** The network is back. */
  goOnline(): void {
    this.emit('online');
  }

  private emit(type: string): void {
    for (const each of [...this.listeners]) if (each.type === type) each.listener();
  }
}
