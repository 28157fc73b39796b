import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { AppConfig } from './app-config.js';
import { ConfigModule } from './config.module.js';
import { readEnvironment } from './environment.js';
import { readMachine } from './machine.js';

@Injectable()
class Reader {
  constructor(readonly config: AppConfig) {}
}

describe('ConfigModule', () => {
  it('gives every provider the configuration the application was started with', async () => {
    const config = readEnvironment({}, readMachine());
    const app = await Test.createTestingModule({
      imports: [ConfigModule.with(config)],
      providers: [Reader],
    }).compile();

    expect(app.get(Reader).config).toBe(config);
    await app.close();
  });
});
