import { Test } from '@nestjs/testing';
import { testConfig } from '../../test/support/test-sessions.js';
import { ConfigModule } from '../config/config.module.js';
import { PtyFactory } from '../core/pty.js';
import { NodePtyFactory } from './node-pty.factory.js';
import { PtyModule } from './pty.module.js';
import { selfTest } from './self-test.js';

describe('PtyModule', () => {
  it('gives whoever asks for processes real ones', async () => {
    const module = await Test.createTestingModule({
      imports: [ConfigModule.with(testConfig()), PtyModule],
    }).compile();
    const factory = module.get(PtyFactory);
    expect(factory).toBeInstanceOf(NodePtyFactory);
    await selfTest(factory);
    await module.close();
  });
});
