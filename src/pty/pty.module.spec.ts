import { Test } from '@nestjs/testing';
import { PtyFactory } from '../core/pty.js';
import { NodePtyFactory } from './node-pty.factory.js';
import { PtyModule } from './pty.module.js';
import { selfTest } from './self-test.js';

describe('PtyModule', () => {
  it('gives whoever asks for processes real ones', async () => {
    const module = await Test.createTestingModule({ imports: [PtyModule] }).compile();
    const factory = module.get(PtyFactory);
    expect(factory).toBeInstanceOf(NodePtyFactory);
    await selfTest(factory);
    await module.close();
  });
});
