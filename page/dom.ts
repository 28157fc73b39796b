type Child = Node | string | false | undefined;

type Attributes = Readonly<Record<string, string | number | boolean | undefined | ((event: never) => void)>>;

/**
 * An element with attributes (`true`: there without a value; `false` or `undefined`: not there), listeners (`onclick`: a
 * function) and children. Text becomes text, whatever is in it: nothing here takes markup.
 */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') made.addEventListener(name.replace(/^on/, ''), value as EventListener);
    else setAttribute(made, name, value);
  }
  made.append(...children.filter((child) => child !== false && child !== undefined));
  return made;
}

export function setAttribute(on: Element, name: string, value: string | number | boolean | undefined): void {
  if (value === undefined || value === false) on.removeAttribute(name);
  else if (on.getAttribute(name) !== String(value === true ? '' : value)) {
    on.setAttribute(name, value === true ? '' : String(value));
  }
}

/** Sets text where it is another: a screen reader is told of what has changed only. */
export function setText(on: Element, text: string): void {
  if (on.textContent !== text) on.textContent = text;
}

/** Keys as they are shown to people. */
export function keyCaps(keys: readonly string[]): HTMLElement {
  return element('span', { class: 'keys' }, ...keys.map((key) => element('kbd', {}, key)));
}
