import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { IsString, Matches } from 'class-validator';
import { MAX_NAME_LENGTH } from '../core/caption.js';
import { type SessionStatus } from '../core/session.js';
import { type SessionInfo } from '../protocol/messages.js';
import { SESSION_ID } from '../protocol/session-id.js';

/** The `:id` of a path. */
export class SessionIdParams {
  @ApiProperty({
    description: 'The session’s id, as `session_created` and the list tell it.',
    example: 's1',
    pattern: '^s[1-9][0-9]*$',
  })
  @Matches(SESSION_ID)
  id!: string;
}

/** The body of a renaming. */
@ApiSchema({ name: 'Renaming' })
export class RenamingDto {
  @ApiProperty({
    description:
      'Any text that can be shown: no control or bidirectional characters, and not only blanks. Kept in normal form C. Need not be unique.',
    minLength: 1,
    maxLength: MAX_NAME_LENGTH,
    example: 'tests',
  })
  @IsString()
  name!: string;
}

/** What REST tells of a session. */
@ApiSchema({ name: 'Session' })
export class SessionDto implements SessionInfo {
  @ApiProperty({ description: 'Unique on this server, never used again.', example: 's1' })
  id!: string;

  @ApiProperty({
    description: 'What it was named; until then its shell type and a number counted per shell type.',
    example: 'bash-1',
  })
  name!: string;

  @ApiProperty({ description: 'Base name of the shell.', example: 'bash' })
  shellType!: string;

  @ApiProperty({
    enum: ['connecting', 'active', 'exited'],
    description:
      '`connecting`: announced, its process not yet started. `active`: running. ' +
      '`exited`: its process has ended; its last output can still be read.',
    example: 'active',
  })
  status!: SessionStatus;

  @ApiProperty({ format: 'date-time', description: 'ISO 8601, UTC.', example: '2026-11-23T09:30:00.000Z' })
  createdAt!: string;

  @ApiProperty({ description: 'Whether it outlives the client that created it.', example: false })
  persistent!: boolean;

  @ApiProperty({
    description: 'Where its shell is, as far as is known: an absolute path.',
    example: '/home/ada/project',
  })
  cwd!: string;

  @ApiPropertyOptional({
    description: 'What its program calls the window: text of anybody’s, to be shown and nothing else.',
    example: 'vim README.md',
  })
  title?: string;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 0,
    maximum: 255,
    description: 'Of an ended session: its exit status; 128 + the signal’s number when a signal ended it.',
    example: 3,
  })
  exitCode?: number;

  @ApiPropertyOptional({
    description: 'Of a session that a signal ended: the signal’s name.',
    example: 'SIGKILL',
  })
  signal?: string;
}
