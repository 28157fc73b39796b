import { userInfo } from 'node:os';
import { Module } from '@nestjs/common';
import { PtyFactory } from '../core/pty.js';
import { type Account, childEnvironment } from './child-environment.js';
import { NodePtyFactory } from './node-pty.factory.js';

/** Binds {@link PtyFactory} to real processes, which see of the server's environment what a login shell would. */
@Module({
  providers: [
    {
      provide: PtyFactory,
      useFactory: (): PtyFactory => {
        const server = { ...process.env };
        const account = serverAccount();
        return new NodePtyFactory(({ file, cwd }) => childEnvironment(server, account, file, cwd));
      },
    },
  ],
  exports: [PtyFactory],
})
export class PtyModule {}

function serverAccount(): Account {
  try {
    return userInfo();
  } catch {
    // A user id without an entry in the user database, as containers like to run with.
    return { username: String(process.getuid?.() ?? ''), homedir: '/' };
  }
}
