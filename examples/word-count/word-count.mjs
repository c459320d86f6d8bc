// A pod in twenty lines: counts the words of a text. It reads one JSON object a line and answers in lines.
import { createInterface } from 'node:readline'

const say = message => console.log(JSON.stringify(message))

function count(text) {
  const counts = new Map()
  for (const [word] of text.toLowerCase().matchAll(/[\p{L}\p{N}']+/gu)) counts.set(word, (counts.get(word) ?? 0) + 1)
  return [...counts].sort(([, a], [, b]) => b - a)
}

say({ ready: true })
for await (const line of createInterface({ input: process.stdin })) {
  const { id, input, cancel } = JSON.parse(line)
  if (cancel) continue
  if (typeof input?.text !== 'string') say({ id, error: '"input.text" must be a text', code: 'bad_request', param: 'input.text' })
  else {
    console.error(`counting ${input.text.length} characters`)
    for (const [word, times] of count(input.text)) say({ id, data: { word, times } })
    say({ id, done: true })
  }
}
