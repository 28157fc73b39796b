import { parseArgs, type ParseArgsConfig } from 'node:util';
import { DEFAULT_DETACH_KEYS, parseDetachKeys } from './detach-keys.js';
import { UsageError } from './usage-error.js';

interface Asked {
  /** Where the server is, if that was said. */
  readonly url?: string;
}

interface Shown extends Asked {
  readonly detachKeys: readonly number[];
}

export type Command =
  | { readonly name: 'help' }
  | (Asked & { readonly name: 'ls'; readonly json: boolean })
  | (Shown & {
      readonly name: 'new';
      readonly isDetached: boolean;
      readonly shell?: string;
      readonly cwd?: string;
    })
  | (Shown & { readonly name: 'attach'; readonly id: string; readonly readOnly: boolean })
  | (Asked & { readonly name: 'kill'; readonly ids: readonly string[] });

type Options = NonNullable<ParseArgsConfig['options']>;

const text = { type: 'string' } as const;
const flag = { type: 'boolean', default: false } as const;

const everywhere = { url: text, help: flag } as const;
const showing = { ...everywhere, 'detach-keys': { ...text, default: DEFAULT_DETACH_KEYS } } as const;

/** @throws {UsageError} */
export function parseCommand([name = '', ...args]: readonly string[]): Command {
  switch (name) {
    case 'ls': {
      const { values, positionals } = parse(args, { ...everywhere, json: flag });
      if (values.help) return { name: 'help' };
      refuse(positionals);
      return { name, json: values.json, ...asked(values) };
    }
    case 'new': {
      const { values, positionals } = parse(args, {
        ...showing,
        detach: { ...flag, short: 'd' },
        shell: text,
        cwd: text,
      });
      if (values.help) return { name: 'help' };
      refuse(positionals);
      const { detach: isDetached, shell, cwd } = values;
      const wanted = { ...(shell !== undefined && { shell }), ...(cwd !== undefined && { cwd }) };
      return { name, isDetached, ...wanted, ...keys(values), ...asked(values) };
    }
    case 'attach': {
      const { values, positionals } = parse(args, { ...showing, 'read-only': flag });
      if (values.help) return { name: 'help' };
      const [id, ...more] = positionals;
      if (id === undefined) throw new UsageError('attach needs the id of a session: see `trex ls`');
      refuse(more);
      return { name, id, readOnly: values['read-only'], ...keys(values), ...asked(values) };
    }
    case 'kill': {
      const { values, positionals: ids } = parse(args, everywhere);
      if (values.help) return { name: 'help' };
      if (ids.length === 0) throw new UsageError('kill needs the id of a session: see `trex ls`');
      return { name, ids, ...asked(values) };
    }
    default:
      throw new UsageError(`there is no command ${JSON.stringify(name)}`);
  }
}

function parse<const Known extends Options>(
  args: readonly string[],
  options: Known,
): ReturnType<typeof parseArgs<{ args: string[]; options: Known; allowPositionals: true }>> {
  try {
    return parseArgs<{ args: string[]; options: Known; allowPositionals: true }>({
      args: [...args],
      options,
      allowPositionals: true,
    });
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

function refuse(more: readonly string[]): void {
  if (more.length > 0) throw new UsageError(`${JSON.stringify(more[0])} is one argument too many`);
}

function asked({ url }: { readonly url?: string | undefined }): Asked {
  return url === undefined ? {} : { url };
}

function keys(values: { readonly 'detach-keys': string }): Pick<Shown, 'detachKeys'> {
  return { detachKeys: parseDetachKeys(values['detach-keys']) };
}
