import { formatFragment, parseFragment } from './fragment.js';

describe('the fragment of an address', () => {
  it.each([
    ['', { isReadOnly: false }],
    ['#', { isReadOnly: false }],
    ['#session=s3', { session: 's3', isReadOnly: false }],
    ['#session=s3&readonly', { session: 's3', isReadOnly: true }],
    ['#readonly=1&session=s3', { session: 's3', isReadOnly: true }],
    ['#session=s3&readonly=false', { session: 's3', isReadOnly: false }],
    ['#token=a%2Bb%3D&session=s1', { session: 's1', isReadOnly: false, token: 'a+b=' }],
    ['#token=a+b==', { isReadOnly: false, token: 'a+b==' }],
    ['#token=100%', { isReadOnly: false, token: '100%' }],
    ['#token=', { isReadOnly: false }],
    ['#session=../../x&other=1', { isReadOnly: false }],
  ])('%j is understood', (hash, fragment) => {
    expect(parseFragment(hash)).toEqual(fragment);
  });

  it('is read as it was written', () => {
    const fragment = { session: 's12', isReadOnly: true, token: 'a&b=c d/é+' };
    expect(parseFragment(formatFragment(fragment))).toEqual(fragment);
    expect(formatFragment({ isReadOnly: false })).toBe('');
  });
});
