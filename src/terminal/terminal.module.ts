import { Module } from '@nestjs/common';
import { Clients } from './clients.js';
import { TerminalGateway } from './terminal.gateway.js';

/** The WebSocket. Needs the composition root to bring in the sessions. */
@Module({ providers: [Clients, TerminalGateway] })
export class TerminalModule {}
