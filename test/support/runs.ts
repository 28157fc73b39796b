/** How often a property is looked at: so often in `npm test`, and a multiple of it, TREX_TEST_RUNS, at night. */
export function runs(inTests: number): number {
  return inTests * Number(process.env.TREX_TEST_RUNS ?? 1);
}
