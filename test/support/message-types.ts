import { resolve } from 'node:path';
import ts from 'typescript';

const FILE = resolve(__dirname, '../../src/protocol/messages.ts');

/** What a type of src/protocol/messages.ts says of its messages, as a schema can be asked, too: see {@link pathsIn}. */
export function pathsOfType(name: string): Set<string> {
  const options = { strict: true, module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2022, types: [] };
  const program = ts.createProgram([FILE], options);
  const checker = program.getTypeChecker();
  const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(FILE)!)!);
  const symbol = exported.find((one) => one.name === name);
  if (!symbol) throw new Error(`messages.ts exports no ${name}`);
  const paths = new Set<string>();
  for (const message of membersOf(checker.getDeclaredTypeOfSymbol(symbol))) {
    const type = checker.getTypeOfSymbol(message.getProperty('type')!);
    if (!type.isStringLiteral()) throw new Error('a message whose type is no literal');
    collect(checker, message, type.value, paths);
  }
  return paths;
}

function membersOf(type: ts.Type): readonly ts.Type[] {
  return type.isUnion() ? type.types : [type];
}

function collect(checker: ts.TypeChecker, type: ts.Type, path: string, paths: Set<string>): void {
  for (const member of membersOf(type)) {
    const element = checker.getIndexTypeOfType(member, ts.IndexKind.Number);
    if (member.isStringLiteral()) paths.add(`${path} ${member.value}`);
    else if (checker.isArrayType(member) && element) collect(checker, element, `${path}[]`, paths);
    else if (member.flags & ts.TypeFlags.Object) {
      for (const property of member.getProperties()) {
        const its = `${path}.${property.name}`;
        paths.add(its);
        collect(checker, checker.getTypeOfSymbol(property), its, paths);
      }
    }
  }
}

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly const?: string;
  readonly enum?: readonly string[];
  readonly allOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly then?: Schema;
  readonly else?: Schema;
}

/** Every field that a schema names, as `exit.cause`, and every value of those that have a few: `exit.cause closed`. */
export function pathsIn(schema: object, path: string, paths = new Set<string>()): Set<string> {
  const { properties = {}, items, allOf = [], oneOf = [], then, else: otherwise, ...rest } = schema as Schema;
  for (const [name, property] of Object.entries(properties)) {
    paths.add(`${path}.${name}`);
    pathsIn(property, `${path}.${name}`, paths);
  }
  if (items) pathsIn(items, `${path}[]`, paths);
  for (const part of [...allOf, ...oneOf, then, otherwise]) if (part) pathsIn(part, path, paths);
  for (const value of rest.enum ?? (rest.const === undefined ? [] : [rest.const]))
    paths.add(`${path} ${value}`);
  return paths;
}
