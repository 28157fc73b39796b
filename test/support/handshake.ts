/** The head of a WebSocket's handshake, as bytes on the wire, with more `lines` in it. */
export function upgradeHead(host: string, lines: readonly string[] = [], target = '/ws'): string {
  const head = [
    `GET ${target} HTTP/1.1`,
    `Host: ${host}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dHJleCB0cmV4IHRyZXggdA==',
    ...lines,
  ];
  return `${head.join('\r\n')}\r\n\r\n`;
}
