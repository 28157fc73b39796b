import {
  ArrayMaxSize,
  ArrayUnique,
  IsArray,
  IsBoolean,
  IsInt,
  IsObject,
  IsString,
  Length,
  Max,
  MaxLength,
  Min,
  ValidateIf,
} from 'class-validator';
import { MAX_COLUMNS, MAX_ROWS } from '../core/terminal-size.js';
import { MAX_ID_LENGTH, MAX_PATH_LENGTH, MAX_RESUMED } from '../protocol/limits.js';

/** May be missing; but `null` is a value, and as a size it is what JSON makes of NaN. */
const MayBeMissing = (): PropertyDecorator => ValidateIf((_message, value) => value !== undefined);

/** A control message as it comes over the wire: the fields that are read, and their rules. */
export class RequestDto {
  static readonly fields: readonly string[] = ['requestId'];

  @MayBeMissing()
  @IsString()
  @Length(1, MAX_ID_LENGTH)
  requestId?: string;
}

export class CreateDto extends RequestDto {
  static override readonly fields = [...RequestDto.fields, 'cols', 'rows', 'cwd', 'shell', 'persistent'];

  @MayBeMissing()
  @IsInt()
  @Min(1)
  @Max(MAX_COLUMNS)
  cols?: number;

  @MayBeMissing()
  @IsInt()
  @Min(1)
  @Max(MAX_ROWS)
  rows?: number;

  @MayBeMissing()
  @IsString()
  @MaxLength(MAX_PATH_LENGTH)
  cwd?: string;

  @MayBeMissing()
  @IsString()
  @MaxLength(MAX_PATH_LENGTH)
  shell?: string;

  @MayBeMissing()
  @IsBoolean()
  persistent?: boolean;
}

export class HelloDto extends RequestDto {
  static override readonly fields = [...RequestDto.fields, 'resumeToken', 'sessions'];

  @MayBeMissing()
  @IsString()
  @Length(1, MAX_ID_LENGTH)
  resumeToken?: string;

  /** Each is then looked at as an {@link AttachDto}. */
  @MayBeMissing()
  @IsArray()
  @ArrayMaxSize(MAX_RESUMED)
  @ArrayUnique(({ sessionId }: { sessionId?: unknown }) => sessionId)
  @IsObject({ each: true })
  sessions?: Readonly<Record<string, unknown>>[];
}

export class AddressedDto extends RequestDto {
  static override readonly fields = [...RequestDto.fields, 'sessionId'];

  @MayBeMissing()
  @IsString()
  @Length(1, MAX_ID_LENGTH)
  sessionId?: string;
}

export class ResizeDto extends AddressedDto {
  static override readonly fields = [...AddressedDto.fields, 'cols', 'rows'];

  @IsInt()
  @Min(1)
  @Max(MAX_COLUMNS)
  cols!: number;

  @IsInt()
  @Min(1)
  @Max(MAX_ROWS)
  rows!: number;
}

export class AttachDto extends RequestDto {
  static override readonly fields = [...RequestDto.fields, 'sessionId', 'from', 'readOnly'];

  @IsString()
  @Length(1, MAX_ID_LENGTH)
  sessionId!: string;

  @MayBeMissing()
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  from?: number;

  @MayBeMissing()
  @IsBoolean()
  readOnly?: boolean;
}
