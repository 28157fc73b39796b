import { SUBPROTOCOL } from '../client/socket.js';
import { TerminalClient } from '../client/terminal-client.js';
import { platformTimers } from '../client/timers.js';
import { App } from './app.js';
import { leaveResumeToken, takeResumeToken } from './resume-token.js';
import { SettingsStore } from './settings.js';
import { Silence } from './silence.js';

/** A browser that keeps nothing for this page throws where others have a storage. */
function storage(name: 'localStorage' | 'sessionStorage'): Storage | undefined {
  try {
    return window[name];
  } catch {
    return undefined;
  }
}

function openSocket(): WebSocket {
  const address = new URL('/ws', location.href);
  address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
  address.hash = '';
  const socket = new WebSocket(address, SUBPROTOCOL);
  silence.watch(socket);
  return socket;
}

const silence = new Silence(platformTimers, (isSilent) => app.setSilent(isSilent));
const tab = storage('sessionStorage');
const resumeToken = takeResumeToken(tab);
const settings = new SettingsStore(storage('localStorage'));
window.addEventListener('storage', ({ key, newValue }) => settings.changedElsewhere(key, newValue));
const app = new App({
  settings,
  makeClient: (parts) => new TerminalClient({ ...parts, open: openSocket, resumeToken }),
});

window.addEventListener('pagehide', () => leaveResumeToken(tab, app.resumeToken));
window.addEventListener('pageshow', (event) => {
  // The page itself was kept, and is the client that has the token.
  if (event.persisted) takeResumeToken(tab);
});

void app.start();
