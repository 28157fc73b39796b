import Ajv, { type ValidateFunction } from 'ajv';
import { type IncomingHttpHeaders } from 'node:http';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

export interface MediaType {
  readonly schema: object;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}

export interface Response {
  readonly $ref?: string;
  readonly headers?: Readonly<Record<string, { readonly required?: boolean }>>;
  readonly content?: Readonly<Record<string, MediaType>>;
}

export interface Operation {
  readonly operationId: string;
  readonly security?: readonly object[];
  readonly requestBody?: { readonly content: Readonly<Record<string, MediaType>> };
  readonly responses: Readonly<Record<string, Response>>;
}

export interface OpenApi {
  readonly info: { readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, { readonly properties?: object }>>;
    readonly responses: Readonly<Record<string, Response>>;
  };
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const PROBLEM = 'application/problem+json';

export const openApiPath = resolve(__dirname, '../../openapi.json');

let read:
  | { readonly document: OpenApi; readonly ajv: Ajv; readonly checkers: Map<string, ValidateFunction> }
  | undefined;

/** What is committed; `npm run check` compares it with what the server tells of itself. */
export function openApi(): OpenApi {
  return reading().document;
}

/** Checks that a value is what the schema says, and has no field beside. */
export function checkerOf(schema: object): ValidateFunction {
  const { ajv, checkers, document } = reading();
  const key = JSON.stringify(schema);
  const checker = checkers.get(key) ?? ajv.compile({ ...schema, components: document.components });
  checkers.set(key, checker);
  return checker;
}

/** With its reference followed. */
export function responseOf({ responses }: Operation, status: number | string): Response | undefined {
  const described = responses[status];
  const name = described?.$ref?.replace('#/components/responses/', '');
  return name === undefined ? described : openApi().components.responses[name];
}

/**
 * Sees that the API's description has this answer: its status, its type, its body to the last field, and the headers that are
 * always there. Of what it does not describe, that an error is a problem.
 * @throws what is wrong with it
 */
export function expectDescribed(method: string, target: string, answer: Answer): void {
  const wrong = whatIsWrong(method, target, answer);
  if (wrong === undefined) return;
  const { status, body } = answer;
  throw new Error(
    `openapi.json does not describe this answer to ${method} ${target}: ${wrong}\n${status} ${body}`,
  );
}

function whatIsWrong(method: string, target: string, answer: Answer): string | undefined {
  const { status, headers, body } = answer;
  const type = headers['content-type']?.split(';')[0];
  const operation = operationAt(method === 'HEAD' ? 'GET' : method, target.split('?', 1)[0]!);
  if (!operation) return type === PROBLEM ? whatIsWrongIn(body, problemSchema) : undefined;
  const response = responseOf(operation, status);
  if (!response) return 'its status';
  const missing = Object.entries(response.headers ?? {}).filter(
    ([name, { required }]) => required && headers[name.toLowerCase()] === undefined,
  );
  if (missing.length > 0) return `there is no ${missing.map(([name]) => name).join()}`;
  const { content } = response;
  if (!content) return body === '' ? undefined : 'it has a body';
  const described = content[type ?? ''];
  if (!described) return `its type, ${type}`;
  return whatIsWrongIn(body, described.schema);
}

const problemSchema = { $ref: '#/components/schemas/Problem' };

function whatIsWrongIn(body: string, schema: object): string | undefined {
  // To HEAD.
  if (body === '') return undefined;
  const check = checkerOf(schema);
  return check(JSON.parse(body)) ? undefined : JSON.stringify(check.errors);
}

function operationAt(method: string, path: string): Operation | undefined {
  const found = Object.entries(openApi().paths).find(([described]) =>
    new RegExp(`^${described.replaceAll(/\{[^}]+\}/g, '[^/]+')}$`).test(path),
  );
  return found?.[1][method.toLowerCase()];
}

function reading(): NonNullable<typeof read> {
  read ??= {
    checkers: new Map(),
    document: closed(JSON.parse(readFileSync(openApiPath, 'utf8')) as OpenApi),
    ajv: new Ajv({
      strict: false,
      allErrors: true,
      formats: { 'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/ },
    }),
  };
  return read;
}

/** No object that has a name may have fields beside those it names. */
function closed(document: OpenApi): OpenApi {
  const { schemas } = document.components;
  const entries = Object.entries(schemas).map(([name, schema]) => [
    name,
    'properties' in schema ? { ...schema, additionalProperties: false } : schema,
  ]);
  return {
    ...document,
    components: { ...document.components, schemas: Object.fromEntries(entries) as typeof schemas },
  };
}
