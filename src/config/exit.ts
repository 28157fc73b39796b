/** sysexits(3) */
export const EXIT = { ok: 0, failure: 1, usage: 64, config: 78 };
