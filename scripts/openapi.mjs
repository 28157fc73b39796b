/** Generates openapi.json from the built application (`npm run openapi`), or checks the committed one. */
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { createApp } from '../dist/app.js';
import { readEnvironment } from '../dist/config/environment.js';
import { PtyFactory } from '../dist/core/pty.js';
import { openApiDocument } from '../dist/openapi.js';
import { writeOrCheck } from './committed-file.mjs';

class NoPtyModule {}
Module({ providers: [{ provide: PtyFactory, useValue: {} }], exports: [PtyFactory] })(NoPtyModule);

const machine = { home: '/', shells: ['/bin/sh'], mayExecute: () => true, directory: (path) => path };
const app = await createApp(readEnvironment({}, machine), NoPtyModule);
writeOrCheck('openapi.json', `${JSON.stringify(openApiDocument(app), null, 2)}\n`, 'npm run openapi');
await app.close();
