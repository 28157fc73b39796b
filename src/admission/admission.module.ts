import { Module } from '@nestjs/common';
import { Gate } from './gate.js';

@Module({ providers: [Gate], exports: [Gate] })
export class AdmissionModule {}
