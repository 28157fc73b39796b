/** What the product's clients speak with it. */
export const OUR_PROTOCOLS = ['v2', 'json'] as const;
export type OurProtocol = (typeof OUR_PROTOCOLS)[number];

export const PROTOCOLS = [...OUR_PROTOCOLS, 'baseline', 'baselineJson'] as const;
export type Protocol = (typeof PROTOCOLS)[number];

/** What each of ours is compared with. */
export const baselineOf = { v2: 'baseline', json: 'baselineJson' } as const;

export const nameOf: Record<Protocol, string> = {
  v2: 'v2',
  json: 'JSON',
  baseline: 'baseline',
  baselineJson: 'JSON baseline',
};

export function pairName(protocol: OurProtocol): string {
  return `${nameOf[protocol]} : ${nameOf[baselineOf[protocol]]}`;
}
