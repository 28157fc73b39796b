import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '../..');
const text = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

const DOCUMENTS = ['docs/observability.md', 'docs/operations.md'] as const;

const dashboard = JSON.parse(text('deploy/grafana-dashboard.json')) as {
  readonly panels: readonly { readonly targets: readonly { readonly expr: string }[] }[];
};

/** Everything that the dashboard asks Prometheus for, with Grafana's variables. */
export const dashboardQueries = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));

/** The file of rules in docs/operations.md. */
export const ruleFile = /^```yaml\n(groups:[^]*?)^```$/m.exec(text('docs/operations.md'))![1]!;

/** What the documents have alerted on: in the file of rules, and in tables. */
export const alertQueries = [
  ...Array.from(ruleFile.matchAll(/^ +expr: (.*)$/gm), ([, query]) => query!),
  ...DOCUMENTS.flatMap((path) =>
    Array.from(text(path).matchAll(/^\| `([^`]*trex_[^`]*[<>][^`]*)`/gm), ([, query]) =>
      query!.replaceAll('\\|', '|'),
    ),
  ),
];

/** What the documents propose to ask, in their sentences. */
export const proposedQueries = DOCUMENTS.flatMap((path) => {
  const prose = text(path)
    .replaceAll(/^```[^]*?^```$/gm, '')
    .replaceAll(/^\|.*$/gm, '');
  return Array.from(prose.matchAll(/`([^`\n]*\btrex_[a-z_]+[^`\n]*[({/][^`\n]*)`/g), ([, query]) => query!);
});

/** The settings of Prometheus in docs/observability.md. */
export const scrapeSettings = /^```yaml\n(scrape_configs:[^]*?)^```$/m.exec(
  text('docs/observability.md'),
)![1]!;
