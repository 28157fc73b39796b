import { HttpException } from '@nestjs/common';
import { type NextFunction, type Request, type Response } from 'express';

const UPGRADE_REQUIRED = 426;

/** Tells whoever asks for the WebSocket's address over plain HTTP what to ask for (RFC 9110, 15.5.22). */
export function requireUpgrade(
  path: string,
): (request: Request, response: Response, next: NextFunction) => void {
  return (request, response, next) => {
    if (request.path !== path) {
      next();
      return;
    }
    response.setHeader('Upgrade', 'websocket');
    response.setHeader('Connection', 'Upgrade');
    throw new HttpException(`${path} is a WebSocket: connect to it as one`, UPGRADE_REQUIRED);
  };
}
