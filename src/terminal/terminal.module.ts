import { Module } from '@nestjs/common';
import { Clients } from './clients.js';
import { SessionList } from './session-list.js';
import { TerminalGateway } from './terminal.gateway.js';

/** The WebSocket. Needs the composition root to bring in the sessions. */
@Module({ providers: [Clients, SessionList, TerminalGateway] })
export class TerminalModule {}
