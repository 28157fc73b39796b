import { MetadataScanner } from '@nestjs/core';
import { MESSAGE_METADATA } from '@nestjs/websockets/constants.js';
import { type ClientMessage } from '../protocol/messages.js';
import { type Connection } from './connection.js';

/** @returns false when nothing came of it, where that can be told */
export type MessageHandler = (connection: Connection, message: ClientMessage) => boolean | void;

/**
 * The methods that a gateway has marked with `@SubscribeMessage`, by the type of message; each is to be called as it
 * is. Nest would call them through its pipes, guards, interceptors and filters, a few microtasks late, and takes
 * longer for that than all the rest of a key's way.
 */
export function messageHandlers(gateway: object): ReadonlyMap<string, MessageHandler> {
  const methods = gateway as Readonly<Record<string, MessageHandler>>;
  const names = new MetadataScanner().getAllMethodNames(Object.getPrototypeOf(gateway) as object);
  return new Map(
    names.flatMap((name) => {
      const method = methods[name]!;
      const type = Reflect.getMetadata(MESSAGE_METADATA, method) as string | undefined;
      return type === undefined ? [] : [[type, method.bind(gateway)] as const];
    }),
  );
}
