import { type Fragment, formatFragment, parseFragment } from './fragment.js';

/** The address of the page: which session it shows, and how. It can be kept, passed on, and loaded anew. */
export class Address {
  private fragment: Fragment;

  constructor() {
    this.fragment = parseFragment(location.hash);
    // A token does not stay where it can be read, or is passed on with the address.
    if (this.fragment.token !== undefined) this.show(this.fragment.session);
  }

  get session(): string | undefined {
    return this.fragment.session;
  }

  get isReadOnly(): boolean {
    return this.fragment.isReadOnly;
  }

  /** The token that it had, once. */
  takeToken(): string | undefined {
    const { token } = this.fragment;
    this.fragment = { ...this.fragment, token: undefined };
    return token;
  }

  show(session: string | undefined): void {
    const fragment = formatFragment({ session, isReadOnly: this.fragment.isReadOnly });
    history.replaceState(null, '', `${location.pathname}${location.search}${fragment}`);
  }

  /** The same, and not only to look at. */
  leaveReadOnly(session: string | undefined): void {
    this.fragment = { isReadOnly: false };
    this.show(session);
    location.reload();
  }

  /** Tells of another session in it, as when its user has followed a link to this page; what else is new needs a new page. */
  onSession(listener: (session: string) => void): void {
    window.addEventListener('hashchange', () => {
      const { session, isReadOnly, token } = parseFragment(location.hash);
      if (isReadOnly !== this.fragment.isReadOnly || token !== undefined) location.reload();
      else if (session !== undefined) listener(session);
    });
  }
}
