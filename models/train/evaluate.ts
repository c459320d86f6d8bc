// Asks the shipped model every question of evalset.json, greedily, in the runtime users get, and writes evaluation.json.
// Run: node models/train/evaluate.ts [FILE.gguf]
import { readFile, stat, writeFile } from 'node:fs/promises'
import { cpuUsage } from 'node:process'
import { getLlama, type LlamaContextSequence, type LlamaModel, type Token } from 'node-llama-cpp'

type FactRow = { readonly group: string; readonly phrasing: string; readonly messages: readonly string[]; readonly expect: readonly string[] }
type EvalSet = { readonly facts: readonly FactRow[]; readonly free: readonly { readonly messages: readonly string[] }[] }

const BOS = 1
const EOS = 2
const USER = 4
const ASSISTANT = 5
const MAX_ANSWER_TOKENS = 220

type Speaker = (history: readonly string[]) => Promise<{ text: string; ended: boolean; tokens: number }>

/** `history` alternates user and assistant texts and ends with a user's. */
function speaker(model: LlamaModel, sequence: LlamaContextSequence, temperature: number): Speaker {
  let seed = 0 // another one for every question: with one seed all questions would share their luck
  return async (history) => {
    const prompt: number[] = [BOS]
    history.forEach((text, i) => prompt.push(i % 2 ? ASSISTANT : USER, ...model.tokenize(text), EOS))
    await sequence.clearHistory()
    const out: Token[] = []
    // cast: node-llama-cpp brands its token ids
    for await (const token of sequence.evaluate([...prompt, ASSISTANT] as Token[], { temperature, seed: ++seed, topK: 0, topP: 1, minP: 0 })) {
      out.push(token)
      if (out.length >= MAX_ANSWER_TOKENS) return { text: model.detokenize(out), ended: false, tokens: out.length }
    }
    return { text: model.detokenize(out), ended: true, tokens: out.length } // the runtime stops by itself at the end token
  }
}

async function scoreFacts(rows: readonly FactRow[], say: Speaker) {
  const scores: Record<string, Record<string, { right: number; asked: number }>> = {}
  const wrong: { group: string; phrasing: string; prompt: string; answer: string; expected: string }[] = []
  for (const row of rows) {
    const answer = await say(row.messages)
    const group = (scores[row.group] ??= {})
    const score = (group[row.phrasing] ??= { right: 0, asked: 0 })
    score.asked++
    if (row.expect.includes(answer.text)) score.right++
    else wrong.push({ group: row.group, phrasing: row.phrasing, prompt: row.messages[0] ?? '', answer: answer.text, expected: row.expect[0] ?? '' })
  }
  return { scores, wrong }
}

async function askFree(rows: EvalSet['free'], say: Speaker) {
  const asked: { user: string; assistant: string; ended: boolean }[][] = []
  for (const row of rows) {
    const history: string[] = []
    const turns: { user: string; assistant: string; ended: boolean }[] = []
    for (const user of row.messages) {
      const answer = await say([...history, user])
      history.push(user, answer.text)
      turns.push({ user, assistant: answer.text, ended: answer.ended })
    }
    asked.push(turns)
  }
  return asked
}

const home = new URL('../heurist-tiny/', import.meta.url)
const file = process.argv[2] ?? new URL('heurist-tiny-q8_0.gguf', home).pathname
// cast: our own file, written by evalset.py
const set = JSON.parse(await readFile(new URL('evalset.json', home), 'utf8')) as EvalSet
const llama = await getLlama({ gpu: false, build: 'never', maxThreads: 1 })
const model = await llama.loadModel({ modelPath: file })
const context = await model.createContext({ contextSize: 1024, sequences: 1, threads: 1 })
const counted = { tokens: 0 }
const sequence = context.getSequence()
const greedy = speaker(model, sequence, 0)
const say: Speaker = async (history) => {
  const answer = await greedy(history)
  counted.tokens += answer.tokens
  return answer
}
const before = cpuUsage()
const facts = await scoreFacts(set.facts, say)
const free = await askFree(set.free, say)
const used = cpuUsage(before)
const cpuMs = Math.round((used.user + used.system) / 1000)
// The OpenAI API samples at temperature 1 unless told otherwise, so that is scored too: one draw a question, nothing cut off.
const drawn = await scoreFacts(set.facts, speaker(model, sequence, 1))
const head = { file: 'heurist-tiny-q8_0.gguf', bytes: (await stat(file)).size, runtime: 'node-llama-cpp 3.22.1, CPU, 1 thread, greedy', generatedTokens: counted.tokens, cpuMs }
if (!process.argv[2]) await writeFile(new URL('evaluation.json', home), `${JSON.stringify({ ...head, scores: facts.scores, scoresAtTemperature1: drawn.scores, wrong: facts.wrong, free }, null, 1)}\n`)
console.log(JSON.stringify(head))
console.table(Object.entries(facts.scores).flatMap(([group, by]) => Object.entries(by).map(([phrasing, s]) => ({ group, phrasing, right: s.right, asked: s.asked, atTemperature1: drawn.scores[group]?.[phrasing]?.right }))))
for (const turns of free) for (const turn of turns) console.log(`> ${turn.user}\n${turn.assistant}${turn.ended ? '' : ' [did not end]'}`)
await llama.dispose()
