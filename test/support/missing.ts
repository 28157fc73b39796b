/**
 * In place of the tests of a program that is not installed: told where somebody sees it; a failure where somebody says,
 * by a variable of the environment, that it is.
 */
export function isMissing(program: string, required: string): void {
  if (process.env[required] === '1') {
    it('is installed', () => {
      throw new Error(`${program} is not installed, and ${required}=1 says that it is`);
    });
    return;
  }
  process.stderr.write(
    `\n${program} is not installed: what is tested with it is skipped (see CONTRIBUTING.md)\n`,
  );
  it.skip('is not installed', () => undefined);
}
