/** What the server refused over REST, in its own words. */
export class Refused extends Error {
  override readonly name = 'Refused';

  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    /** How long to wait, where it says so. */
    readonly retryAfterSeconds?: number,
  ) {
    super(message);
  }
}

export interface Access {
  readonly isTokenNeeded: boolean;
  readonly isLetIn: boolean;
}

/** The server's REST API, as far as the page needs it. */
export class Api {
  constructor(private readonly request: typeof fetch = (...asked) => fetch(...asked)) {}

  /** Whether a token is needed, and whether the browser has what lets in; asking that is open to everybody. */
  async access(): Promise<Access> {
    const answer = (await (await this.ask('GET', '/api/auth/enabled')).json()) as {
      enabled?: unknown;
      authenticated?: unknown;
    } | null;
    return { isTokenNeeded: answer?.enabled === true, isLetIn: answer?.authenticated === true };
  }

  /** @throws {Refused} 401 for a wrong token, 429 after too many */
  async logIn(token: string): Promise<void> {
    await this.ask('POST', '/api/auth', { headers: { Authorization: `Bearer ${token}` } });
  }

  async logOut(): Promise<void> {
    await this.ask('DELETE', '/api/auth');
  }

  async rename(id: string, name: string): Promise<void> {
    await this.ask('PATCH', `/api/sessions/${id}`, {
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ name }),
    });
  }

  /** One that has gone is closed. */
  async close(id: string): Promise<void> {
    try {
      await this.ask('DELETE', `/api/sessions/${id}`);
    } catch (error) {
      if (!(error instanceof Refused && error.status === 404)) throw error;
    }
  }

  private async ask(method: string, path: string, init: RequestInit = {}): Promise<Response> {
    const response = await this.request(path, {
      ...init,
      method,
      cache: 'no-store',
      credentials: 'same-origin',
    });
    if (response.ok) return response;
    throw await refusal(response);
  }
}

/** The server says why in problem details; a proxy in front of it may not. */
async function refusal(response: Response): Promise<Refused> {
  const problem: unknown = await response.json().catch(() => undefined);
  const { code = '', detail = `${response.status} ${response.statusText}` } = (problem ?? {}) as {
    code?: string;
    detail?: string;
  };
  const seconds = Number(response.headers.get('Retry-After') ?? Number.NaN);
  return new Refused(response.status, code, detail, Number.isFinite(seconds) ? seconds : undefined);
}
