/** Takes the values of secrets out of what a program says. It guards against accidents: a program that means to tell can encode them. */
export type Redactor = {
  hide(text: string): string
  /** Characters of the longest text that `hide` looks for. */
  readonly longest: number
}

/** What is shorter stands in ordinary words too, and taking it out would tell where. */
const MIN_CHARACTERS = 4

/** A value of several lines is written in several lines, so each of them is looked for. */
export function createRedactor(secrets: Readonly<Record<string, string>>): Redactor {
  const marks = new Map<string, string>()
  for (const [name, value] of Object.entries(secrets))
    for (const text of [value, ...value.split('\n')].map(part => part.trim()))
      if (text.length >= MIN_CHARACTERS) marks.set(text, `[secret ${name}]`)
  // The longer first: one value may be the beginning of another.
  const texts = [...marks.keys()].sort((a, b) => b.length - a.length)
  return {
    longest: texts[0]?.length ?? 0,
    hide: text => texts.reduce((shown, secret) => shown.replaceAll(secret, () => marks.get(secret)!), text),
  }
}
