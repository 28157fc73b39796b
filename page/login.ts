import { type Api, Refused } from './api.js';
import { element, setText } from './dom.js';
import { icon } from './icons.js';

const WRONG = 401;
const TOO_MANY = 429;

/** Asks for the server's token, in place of everything else. */
export class Login {
  readonly element: HTMLElement;
  private readonly token = element('input', {
    id: 'token',
    class: 'field',
    type: 'password',
    name: 'token',
    autocomplete: 'current-password',
    required: true,
    'aria-describedby': 'token-problem',
  });
  private readonly problem = element('p', { id: 'token-problem', class: 'form-problem', role: 'alert' });
  private readonly submit = element('button', { type: 'submit', class: 'button main wide' }, 'Log in');
  private readonly reason = element('p', { class: 'login-reason' });

  constructor(
    private readonly api: Api,
    private readonly loggedIn: () => void,
  ) {
    this.element = element(
      'main',
      { class: 'login', hidden: true },
      element(
        'form',
        {
          class: 'login-form',
          'data-testid': 'login',
          onsubmit: (event: SubmitEvent) => {
            event.preventDefault();
            void this.tryToken(this.token.value.trim());
          },
        },
        element('div', { class: 'brand large' }, icon('prompt'), 'trex'),
        element('h1', {}, 'Log in'),
        this.reason,
        // For what keeps passwords: it wants a name to keep them under.
        element('input', {
          type: 'text',
          name: 'username',
          autocomplete: 'username',
          value: 'trex',
          hidden: true,
        }),
        element('label', { class: 'label', for: 'token' }, 'Token'),
        this.token,
        this.problem,
        this.submit,
        element(
          'p',
          { class: 'hint' },
          'The server was started with it. Whoever runs the server can print a new one with ',
          element('code', {}, 'npm run -s token'),
          '.',
        ),
      ),
    );
  }

  show(reason: string): void {
    setText(this.reason, reason);
    if (!this.element.hidden) return;
    this.tell('');
    this.element.hidden = false;
    this.token.focus();
  }

  hide(): void {
    this.element.hidden = true;
    this.token.value = '';
    this.tell('');
  }

  private async tryToken(token: string): Promise<void> {
    this.submit.disabled = true;
    this.tell('');
    try {
      await this.api.logIn(token);
      this.hide();
      this.loggedIn();
    } catch (error) {
      this.tell(explain(error));
      this.token.select();
    } finally {
      this.submit.disabled = false;
    }
  }

  private tell(problem: string): void {
    setText(this.problem, problem);
    this.token.setAttribute('aria-invalid', String(problem !== ''));
  }
}

function explain(error: unknown): string {
  if (!(error instanceof Refused)) return 'The server does not answer. Try again in a moment.';
  if (error.status === WRONG) return 'That is not the token. Mind that it was copied whole.';
  if (error.status === TOO_MANY) {
    const wait = error.retryAfterSeconds ?? 60;
    return `Too many wrong tokens have come from here. Wait ${wait} s before you try another.`;
  }
  return `The server refused: ${error.message}.`;
}
