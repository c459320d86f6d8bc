import ts from 'typescript'
import { filesUnder, parse } from './source.ts'

export type MetricFact = {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly labels: readonly string[]
  /** Where it is registered. */
  readonly file: string
}

/** Every metric that the sources register, by name. A name or a help text that is no literal is an error: nobody could look it up. */
export function readMetrics(): MetricFact[] {
  const found: MetricFact[] = []
  for (const file of filesUnder('src', /\.ts$/)) {
    if (/\.test\.ts$|\/testing(\/|\.ts$)|^src\/platform\/metrics\.ts$/.test(file)) continue
    const visit = (node: ts.Node): void => {
      const fact = ts.isCallExpression(node) ? factOf(node, file) : null
      if (fact) found.push(fact)
      ts.forEachChild(node, visit)
    }
    visit(parse(file))
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1))
}

function factOf(call: ts.CallExpression, file: string): MetricFact | null {
  if (!ts.isPropertyAccessExpression(call.expression)) return null
  const type = call.expression.name.text
  if (type !== 'counter' && type !== 'gauge' && type !== 'histogram') return null
  if (!/\bmetrics\??$/.test(call.expression.expression.getText())) return null
  const [name, help, more] = call.arguments
  if (!name || !help || !ts.isStringLiteral(name) || !ts.isStringLiteral(help)) {
    throw new Error(`${file}: name and help of a metric are written where it is registered: ${call.getText().slice(0, 80)}`)
  }
  return { name: name.text, type, help: help.text, labels: more ? labelsIn(more) : [], file }
}

/** Labels are the third argument, or its member `labels`. */
function labelsIn(argument: ts.Expression): string[] {
  if (ts.isArrayLiteralExpression(argument)) return argument.elements.filter(ts.isStringLiteral).map(({ text }) => text)
  if (!ts.isObjectLiteralExpression(argument)) return []
  const member = argument.properties.find(property => ts.isPropertyAssignment(property) && property.name.getText() === 'labels')
  return member && ts.isPropertyAssignment(member) ? labelsIn(member.initializer) : []
}

/** Names of ours in a PromQL expression, without what a histogram's series add. */
export function metricsIn(expression: string, known: readonly MetricFact[]): string[] {
  const histograms = new Set(known.filter(({ type }) => type === 'histogram').map(({ name }) => name))
  return (expression.match(/\bheurist_\w+/g) ?? []).map(series => {
    const base = series.replace(/_(bucket|sum|count)$/, '')
    return histograms.has(base) ? base : series
  })
}
