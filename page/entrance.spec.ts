import { type Access, Api, Refused } from './api.js';
import { Entrance } from './entrance.js';

class FakeApi extends Api {
  readonly shown: string[] = [];
  /** What is in the way of logging in. */
  refusal?: Error;

  constructor(private answer: Access | Error) {
    super();
  }

  answers(answer: Access | Error): void {
    this.answer = answer;
  }

  override access(): Promise<Access> {
    return this.answer instanceof Error ? Promise.reject(this.answer) : Promise.resolve(this.answer);
  }

  override logIn(token: string): Promise<void> {
    this.shown.push(token);
    return this.refusal ? Promise.reject(this.refusal) : Promise.resolve();
  }
}

const OUTSIDE = { isTokenNeeded: true, isLetIn: false };
const INSIDE = { isTokenNeeded: true, isLetIn: true };
const NO_NETWORK = new TypeError('Failed to fetch');
const WRONG = new Refused(401, 'UNAUTHORIZED', 'wrong');

describe('the way in', () => {
  it('is open where no token is needed, and to who has logged in', async () => {
    const open = new FakeApi({ isTokenNeeded: false, isLetIn: true });
    const entrance = new Entrance(open, 'token', false);
    await entrance.pass();
    await new Entrance(new FakeApi(INSIDE), undefined, false).pass();
    expect([open.shown, entrance.isTokenNeeded]).toEqual([[], false]);
  });

  it('asks for a token where there is none', async () => {
    const entrance = new Entrance(new FakeApi(OUTSIDE), undefined, false);
    await expect(entrance.pass()).rejects.toMatchObject({ status: 401 });
    expect([entrance.isTokenNeeded, entrance.isTokenOld]).toEqual([true, false]);
  });

  it('is by the token of the link, once', async () => {
    const api = new FakeApi(OUTSIDE);
    const entrance = new Entrance(api, 'token', true);
    await entrance.pass();
    await expect(entrance.pass()).rejects.toMatchObject({ status: 401 });
    expect(api.shown).toEqual(['token']);
  });

  it('takes nothing from who may do more and only wants to look', async () => {
    const api = new FakeApi(INSIDE);
    await new Entrance(api, 'token', true).pass();
    expect(api.shown).toEqual([]);
    await new Entrance(api, 'token', false).pass();
    expect(api.shown).toEqual(['token']);
  });

  it('keeps the token until the server has said what it thinks of it', async () => {
    const api = new FakeApi(NO_NETWORK);
    const entrance = new Entrance(api, 'token', false);
    await expect(entrance.pass()).rejects.toBe(NO_NETWORK);
    api.answers(OUTSIDE);
    for (const refusal of [
      NO_NETWORK,
      new Refused(429, 'TOO_MANY_REQUESTS', 'wait'),
      new Refused(502, '', ''),
    ]) {
      api.refusal = refusal;
      await expect(entrance.pass()).rejects.toBe(refusal);
      expect(entrance.isTokenOld).toBe(false);
    }
    api.refusal = undefined;
    await entrance.pass();
    expect(api.shown).toEqual(['token', 'token', 'token', 'token']);
  });

  it('says of a token that lets nobody in that it is old, and forgets it', async () => {
    const api = new FakeApi(OUTSIDE);
    api.refusal = WRONG;
    const entrance = new Entrance(api, 'token', false);
    await expect(entrance.pass()).rejects.toBe(WRONG);
    expect(entrance.isTokenOld).toBe(true);
    await expect(entrance.pass()).rejects.toMatchObject({ status: 401 });
    expect([api.shown, entrance.isTokenOld]).toEqual([['token'], false]);
  });
});
