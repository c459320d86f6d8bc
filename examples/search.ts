// Finds the sentence nearest in meaning, with the embedding pod. Start the network first: npm start
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import OpenAI from 'openai'

const home = process.env.HEURIST_HOME ?? '.heurist'
const { gatewayUrl, apiKey, models } = JSON.parse(readFileSync(join(home, 'dev.json'), 'utf8'))
const openai = new OpenAI({ baseURL: gatewayUrl, apiKey })

const sentences = [
  'How do I reset my password?',
  'The kitten sleeps on the sofa.',
  'Rent a graphics card by the hour.',
  'It will rain tomorrow.',
]
const query = process.argv[2] ?? 'I forgot my login'

const { data } = await openai.embeddings.create({ model: models.embedding, input: [query, ...sentences] })
const [asked = [], ...known] = data.map(({ embedding }) => embedding)
const dot = (a: number[], b: number[]): number => a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0)
const similarity = (a: number[], b: number[]): number => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))

const ranked = sentences.map((sentence, i) => ({ sentence, score: similarity(asked, known[i] ?? []) })).sort((a, b) => b.score - a.score)
for (const { sentence, score } of ranked) console.log(score.toFixed(3), sentence)
