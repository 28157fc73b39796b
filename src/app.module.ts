import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { AdmissionModule } from './admission/admission.module.js';
import { type AppConfig } from './config/app-config.js';
import { ConfigModule } from './config/config.module.js';
import { ObservabilityModule } from './observability/observability.module.js';
import { PageModule } from './page/page.module.js';
import { SessionsModule } from './sessions/sessions.module.js';
import { TerminalModule } from './terminal/terminal.module.js';

/** The composition root: every module, and the one that says where processes come from. */
@Module({})
export class AppModule {
  static with(config: AppConfig, ptyModule: Type): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ConfigModule.with(config),
        { module: ptyModule, global: true },
        AdmissionModule,
        PageModule,
        SessionsModule,
        TerminalModule,
        ObservabilityModule,
      ],
    };
  }
}
