import { realpathSync } from 'node:fs';
import { Shells } from './support/shells.js';

describe('where a real process is', () => {
  let shells: Shells;
  beforeEach(() => (shells = new Shells()));
  afterEach(() => shells.dispose());

  it('is told of the process itself, not of what it runs', async () => {
    const { pty, heard } = await shells.sh('(cd / && exec sh -c "echo there; read line")');
    await heard.untilText('there');
    expect(await pty.directory()).toBe(realpathSync(shells.home));
  });

  it('is told as it is named, whatever is in that', async () => {
    const { pty, heard } = await shells.sh(
      "mkdir 'a  b\\c\n é' && cd 'a  b\\c\n é' && echo there; read line",
    );
    await heard.untilText('there');
    expect(await pty.directory()).toBe(`${realpathSync(shells.home)}/a  b\\c\n é`);
  });

  it('is nowhere once its directory has been removed', async () => {
    const { pty, heard } = await shells.sh('mkdir a && cd a && rmdir ../a && echo there; read line');
    await heard.untilText('there');
    expect(await pty.directory()).toBeUndefined();
  });
});
