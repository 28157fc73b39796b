import { userInfo } from 'node:os';
import { Module } from '@nestjs/common';
import { AppConfig } from '../config/app-config.js';
import { PtyFactory } from '../core/pty.js';
import { type Account, childEnvironment } from './child-environment.js';
import { readMachineLimits } from './machine-limits.js';
import { NodePtyFactory } from './node-pty.factory.js';

/** Binds {@link PtyFactory} to real processes, which see of the server's environment what a login shell would. */
@Module({
  providers: [
    {
      provide: PtyFactory,
      inject: [AppConfig],
      useFactory: ({ cwdRoot, killSeconds }: AppConfig): PtyFactory => {
        const server = { ...process.env };
        const account = serverAccount();
        return new NodePtyFactory(
          ({ file, cwd }) => childEnvironment(server, account, file, cwd),
          readMachineLimits,
          { cwdRoot, politeMs: killSeconds * 1000 },
        );
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
