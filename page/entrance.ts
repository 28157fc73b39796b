import { type Api, Refused } from './api.js';

const UNAUTHORIZED = 401;

/** How the page gets in: by the token of the link that it was opened with, or by what the browser has. */
export class Entrance {
  /** As far as is known. */
  isTokenNeeded = false;
  /** The link had one that lets nobody in. */
  isTokenOld = false;

  /** `isViewer`: whoever may do more, and only wants to look, keeps what they may. */
  constructor(
    private readonly api: Pick<Api, 'access' | 'logIn' | 'logOut'>,
    private token: string | undefined,
    private readonly isViewer: boolean,
  ) {}

  /**
   * The token is out of the address already: it is kept until the server has taken or refused it.
   * @throws {Refused} 401 when a token has to be asked for
   */
  async pass(): Promise<void> {
    this.isTokenOld = false;
    const { isTokenNeeded, isLetIn } = await this.api.access();
    this.isTokenNeeded = isTokenNeeded;
    if (this.token !== undefined && isTokenNeeded && !(isLetIn && this.isViewer)) {
      await this.show(this.token);
    } else if (!isLetIn) {
      throw new Refused(UNAUTHORIZED, 'UNAUTHORIZED', 'a token is needed');
    }
    this.token = undefined;
  }

  logOut(): Promise<void> {
    return this.api.logOut();
  }

  private async show(token: string): Promise<void> {
    try {
      await this.api.logIn(token);
    } catch (error) {
      if (error instanceof Refused && error.status === UNAUTHORIZED) {
        this.isTokenOld = true;
        this.token = undefined;
      }
      throw error;
    }
  }
}
