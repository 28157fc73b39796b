import { Module } from '@nestjs/common';
import { AuthController } from './auth.controller.js';
import { Gate } from './gate.js';
import { PeerUsers } from './peer-user.js';

@Module({
  controllers: [AuthController],
  providers: [Gate, { provide: PeerUsers, useFactory: () => new PeerUsers() }],
  exports: [Gate],
})
export class AdmissionModule {}
