/** What one run has found, by what it is called in the report. */
export type Figures = Readonly<Record<string, number>>;

export function labelled(label: string, figures: Figures): Figures {
  return Object.fromEntries(Object.entries(figures).map(([figure, value]) => [`${label}, ${figure}`, value]));
}

/** Each figure of ours to the same one of theirs; of nothing, nothing. */
export function ratios(ours: Figures = {}, theirs: Figures = {}): Figures {
  const shared = Object.entries(ours).filter(([figure]) => figure in theirs);
  return Object.fromEntries(shared.map(([figure, value]) => [figure, value / (theirs[figure] ?? NaN)]));
}
