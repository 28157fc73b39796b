import { Module } from '@nestjs/common';
import { TerminalGateway } from './terminal.gateway.js';

/** The WebSocket. Needs the composition root to bring in the sessions. */
@Module({ providers: [TerminalGateway] })
export class TerminalModule {}
