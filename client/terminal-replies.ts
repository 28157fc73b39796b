/**
 * What an emulator says by itself, as xterm.js sends it: device attributes (DA1–DA3), status and cursor reports (DSR),
 * mode reports (DECRPM), window reports, answers to DECRQSS, XTGETTCAP and XTVERSION (DCS), colours (OSC), pictures (APC).
 * Whole, because that is how they are sent; keys and mouse reports are none of them, but for F3 with a modifier
 * (`ESC [ 1 ; 2 R`), which is a cursor report to everybody.
 */
const REPLIES =
  // eslint-disable-next-line no-control-regex -- Escape sequences begin with a control character.
  /^\x1b(?:\[[?>=]?[\d;]*(?:c|n|R|t|\$y)|\[[?>][\d;]*u|[P\]_][^\x1b\x07]*(?:\x1b\\|\x07)|\[[IO])$/;

/** Whether this is what an emulator says by itself, and nobody has typed: one such answer, whole. */
export function isTerminalReply(data: string): boolean {
  return REPLIES.test(data);
}
