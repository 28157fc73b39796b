import { type Terminal } from '@xterm/xterm';

export type RendererName = 'webgl' | 'dom';

/**
 * Draws a terminal by WebGL where the machine has it in hardware, else as elements, which every browser can. When the
 * graphics card takes it away, as it may from the oldest of many, the elements are back. A browser has some 16 of
 * them, so whoever is not seen gives its own up.
 */
export class Renderer {
  private addon?: { dispose(): void };
  private isWanted = false;

  constructor(
    private readonly terminal: Terminal,
    private readonly changed: (name: RendererName) => void,
  ) {}

  async start(): Promise<void> {
    if (this.isWanted || !isHardwareThere()) return;
    this.isWanted = true;
    try {
      // It is a third of all that the page weighs, and not all machines need it. Without a network, or from a server of
      // another version, it does not come: it is asked for again when a terminal is shown the next time, by browsers that
      // do not remember the failure (https://github.com/whatwg/html/issues/6768).
      const { WebglAddon } = await import('@xterm/addon-webgl');
      if (!this.isWanted || this.addon) return;
      const addon = new WebglAddon();
      addon.onContextLoss(() => this.stop());
      this.addon = addon;
      this.terminal.loadAddon(addon);
      this.changed('webgl');
    } catch {
      this.stop();
    }
  }

  stop(): void {
    this.isWanted = false;
    this.addon?.dispose();
    this.addon = undefined;
    this.changed('dom');
  }
}

let isThere: boolean | undefined;

/** Where software draws in the card's place, elements are quicker. */
function isHardwareThere(): boolean {
  isThere ??= hasHardware(
    document.createElement('canvas').getContext('webgl2', { failIfMajorPerformanceCaveat: true }),
  );
  return isThere;
}

function hasHardware(context: WebGL2RenderingContext | null): boolean {
  const details = context?.getExtension('WEBGL_debug_renderer_info');
  const name: unknown = details && context?.getParameter(details.UNMASKED_RENDERER_WEBGL);
  context?.getExtension('WEBGL_lose_context')?.loseContext();
  return context !== null && !/swiftshader|llvmpipe|software|basic render/i.test(String(name));
}
